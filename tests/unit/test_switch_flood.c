/* A flood on one port leaves the others their bandwidth. Prints the numbers. */
#include <stdio.h>

#include "tests/fake/switch_pc.h"
#include "tests/unit/unit.h"

#define ROUNDS        20000U
#define FRAME_BYTES   1514U
#define DRAIN_BYTES   (8 * FRAME_BYTES) /* that the receiver reads in a round */
#define DRAIN_FRAMES  8U

/* Each round: the flooder fills its channel; the two others offer a frame each; the switch has one turn; the receiver reads as
 * many frames as make the three want more than there is. */
static void flood(uint8_t destination, uint32_t len_bytes, unsigned received[4], unsigned offered[4])
{
	pc_prepare(4);
	pc_start();
	for (unsigned round = 0; round < ROUNDS; round++) {
		while (pc_send(0, 0, destination, len_bytes))
			offered[0]++;
		for (uint8_t port = 1; port < 3; port++)
			offered[port] += pc_send(port, port, 3, FRAME_BYTES);
		switch_turn(&switch_pc.state, round);
		for (uint32_t bytes = 0; bytes < DRAIN_BYTES && pc_receive(3); bytes += switch_pc.got.header.len_bytes)
			received[switch_pc.got.data[11]]++;
		for (uint32_t port = 1; port < 3; port++) {
			while (pc_receive(port))
				;
		}
	}
}

static void expect_all(const char *what, uint8_t destination, uint32_t len_bytes)
{
	unsigned received[4] = {0}, offered[4] = {0};

	flood(destination, len_bytes, received, offered);
	for (unsigned port = 0; port < 3; port++)
		printf("%s: port %u: %u frames of %u bytes offered, %u arrived\n", what, port, offered[port],
		       port == 0 ? len_bytes : FRAME_BYTES, received[port]);
	printf("%s: the switch passed %lu, dropped %lu\n", what, (unsigned long)switch_pc.report.passed,
	       (unsigned long)switch_pc.report.dropped_full);
	for (unsigned port = 1; port < 3; port++) {
		assert_int_equal(offered[port], ROUNDS);
		assert_true(received[port] >= ROUNDS - ROUNDS / 50);
	}
}

static void test_switch_flood_of_long_frames(void **state)
{
	(void)state;
	expect_all("long frames to the same receiver", 3, FRAME_BYTES);
}

static void test_switch_flood_of_short_frames(void **state)
{
	(void)state;
	expect_all("short frames to the same receiver", 3, 60);
}

static void test_switch_flood_of_packets_to_cut(void **state)
{
	(void)state;
	expect_all("packets of 64 KB to the same receiver", 3, 65000);
}

static void test_switch_flood_of_broadcasts(void **state)
{
	(void)state;
	expect_all("broadcasts", 0xff, FRAME_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switch_flood_of_long_frames),
		cmocka_unit_test(test_switch_flood_of_short_frames),
		cmocka_unit_test(test_switch_flood_of_packets_to_cut),
		cmocka_unit_test(test_switch_flood_of_broadcasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
