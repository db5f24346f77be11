/* The switch: packets of sockets, by CIDs. */
#include "tests/fake/switch_pc.h"
#include "tests/unit/unit.h"

static struct switch_report *const report = &switch_pc.report;

struct packet {
	uint64_t source_cid, destination_cid;
	uint32_t source_port, destination_port, len_bytes;
	uint16_t type, operation;
	uint32_t rest[3];
	uint8_t data[60000];
} __attribute__((packed));

static bool send_packet(uint32_t port, uint64_t source, uint64_t destination, uint32_t len_bytes)
{
	static struct packet packet;
	const struct switch_message header = {.kind = SWITCH_VSOCK, .len_bytes = 44 + len_bytes};

	packet = (struct packet){.source_cid = source,
				 .destination_cid = destination,
				 .source_port = 5,
				 .destination_port = 6,
				 .len_bytes = len_bytes,
				 .type = 1,
				 .operation = 5};
	return pc_send_message(port, &header, &packet);
}

static void start_sockets(void)
{
	pc_prepare(4);
	for (unsigned i = 0; i < 3; i++)
		switch_pc.spec.ports[i].kind = SWITCH_VSOCK; /* CIDs 10, 11, 12; a card beside */
	pc_start();
}

static void expect_reset(uint32_t port, uint64_t from)
{
	struct packet answer;

	assert_true(pc_receive(port));
	memcpy(&answer, switch_pc.got.data, 44);
	assert_int_equal(switch_pc.got.header.len_bytes, 44);
	assert_int_equal(answer.operation, 3);
	assert_int_equal(answer.source_cid, from);
	assert_int_equal(answer.destination_cid, 10 + port);
	assert_int_equal(answer.source_port, 6);
	assert_int_equal(answer.destination_port, 5);
}

static void test_switch_routes_sockets(void **state)
{
	(void)state;
	start_sockets();
	assert_true(send_packet(0, 10, 12, 100));
	assert_true(pc_counts_are(0, 0, 1));
	assert_true(send_packet(0, 11, 12, 100)); /* as another */
	assert_true(pc_counts_are(0, 0, 0));
	assert_int_equal(report->dropped_filter, 1);
	assert_true(send_packet(0, 10, 13, 100)); /* the CID of a card is none */
	assert_true(send_packet(0, 10, 99, 100));
	pc_turn(1);
	expect_reset(0, 13);
	expect_reset(0, 99);
	assert_false(pc_receive(0));
}

/* No packet is lost while the receiver reads on; one that never does is given up, and holds nobody any more. */
static void test_switch_holds_packets_of_sockets(void **state)
{
	unsigned sent = 0, received = 0;

	(void)state;
	start_sockets();
	while (sent < 40) {
		sent += send_packet(0, 10, 11, 60000);
		pc_turn(1);
		if (sent % 8 == 7)
			received += pc_count(1);
	}
	for (unsigned i = 0; i < 8; i++) {
		pc_turn(1);
		received += pc_count(1);
	}
	assert_int_equal(received, 40);
	assert_int_equal(report->dropped_full, 0);
	while (send_packet(0, 10, 11, 60000))
		pc_turn(S(1));
	pc_turn(S(1));
	assert_int_equal(switch_pc.state.deadline_ns, S(3));
	assert_false(pc_receive(0));
	pc_turn(S(3));
	expect_reset(0, 11);
	assert_true(send_packet(0, 10, 12, 10));
	pc_turn(S(3));
	assert_true(pc_receive(2));
}

/* One that takes a packet now and then, and has its neighbour answer in a flood, does not keep that neighbour from others. */
static void test_switch_holds_nobody_for_a_slow_receiver(void **state)
{
	unsigned sent = 0, received = 0;

	(void)state;
	start_sockets();
	for (uint64_t ms = 1; ms <= 20000; ms++) {
		for (unsigned i = 0; i < 2; i++)
			(void)send_packet(0, 10, 11, 20000);
		sent++;
		(void)send_packet(0, 10, 12, 100);
		pc_turn(ms * 1000000);
		received += pc_count(2);
		while (pc_count(0) != 0)
			; /* the resets */
		if (ms % 400 == 0)
			assert_true(pc_receive(1));
	}
	assert_true(received > sent * 3 / 4);
}

/* Its peer may have filled the channel while a large message was being taken: what is taken is told while there is less room than
 * for two. */
static void test_switch_tells_of_room_that_comes_late(void **state)
{
	(void)state;
	start_sockets();
	assert_true(send_packet(0, 10, 11, 60000));
	pc_turn(1);
	assert_false(switch_take_wake(&switch_pc.state, 0));
	for (unsigned i = 0; i < 3; i++)
		assert_true(send_packet(0, 10, 11, 50000));
	pc_turn(2);
	assert_true(switch_take_wake(&switch_pc.state, 0));
	assert_false(switch_take_wake(&switch_pc.state, 0));
}

/* A switch that takes the place of a dead one tells socket devices, once there is room, and signals all. */
static void test_switch_tells_sockets_of_its_start(void **state)
{
	static const struct {
		struct switch_message header;
		uint8_t data[44];
	} full = {.header = {.kind = SWITCH_VSOCK, .len_bytes = 44}};

	(void)state;
	start_sockets();
	while (channel_write_all(&switch_pc.state.ports[1].writer, &full, sizeof(full)) == OK)
		;
	assert_int_equal(switch_init(&switch_pc.state, &switch_pc.spec, report, S(1)), OK);
	switch_begin_anew(&switch_pc.state);
	pc_turn(S(1));
	for (uint32_t port = 0; port < 4; port++)
		assert_true(switch_take_wake(&switch_pc.state, port));
	while (pc_receive(1))
		assert_int_equal(switch_pc.got.header.kind, SWITCH_VSOCK);
	pc_turn(S(1));
	for (uint32_t port = 0; port < 3; port++) {
		assert_true(pc_receive(port));
		assert_int_equal(switch_pc.got.header.kind, SWITCH_BEGAN_ANEW);
		assert_int_equal(switch_pc.got.header.len_bytes, 1);
	}
	pc_turn(S(1));
	assert_false(pc_receive(0) || pc_receive(1) || pc_receive(2) || pc_receive(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switch_routes_sockets),
		cmocka_unit_test(test_switch_holds_packets_of_sockets),
		cmocka_unit_test(test_switch_holds_nobody_for_a_slow_receiver),
		cmocka_unit_test(test_switch_tells_of_room_that_comes_late),
		cmocka_unit_test(test_switch_tells_sockets_of_its_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
