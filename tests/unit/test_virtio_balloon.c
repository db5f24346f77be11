/* The balloon: which pieces leave, what the configuration says, statistics, reports by either queue. */
#include "drivers/virt/virtio_balloon.h"
#include "tests/fake/virtio_chains.h"
#include "tests/unit/unit.h"

#define PAGES    2048U /* 8 MiB */
#define PIECE    VIRTIO_BALLOON_PIECE_BYTES
#define FEATURES (VIRTIO_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) | VIRTIO_FEATURE(VIRTIO_BALLOON_F_PAGE_REPORTING))

static struct virtio_balloon balloon;
static uint64_t given[PAGES / 64];
static struct {
	uint64_t addresses[300];
	unsigned count;
	uint32_t target_pages, told_pages;
	uint64_t told_free_bytes;
} machine;

static void discard(void *ctx, uint64_t address)
{
	assert_ptr_equal(ctx, &machine);
	assert_true(machine.count < 300);
	machine.addresses[machine.count++] = address;
}

static uint32_t target_pages(void *ctx)
{
	assert_ptr_equal(ctx, &machine);
	return machine.target_pages;
}

static void told(void *ctx, uint32_t pages, uint64_t free_bytes)
{
	assert_ptr_equal(ctx, &machine);
	machine.told_pages = pages;
	machine.told_free_bytes = free_bytes;
}

static int reset(void **state)
{
	(void)state;
	fake_virtio_reset(FEATURES);
	memset(&machine, 0, sizeof(machine));
	balloon = (struct virtio_balloon){
		.wires = {discard, target_pages, told, &machine},
		.transport = &fake_virtio.device,
		.given = given,
		.page_count = PAGES,
	};
	virtio_balloon_ops.reset(&balloon);
	return 0;
}

static void name_pages(unsigned queue, uint32_t first, uint32_t count)
{
	uint32_t numbers[PAGES];

	for (uint32_t i = 0; i < count; i++)
		numbers[i] = first + i;
	fake_offer(queue, numbers, count * sizeof(numbers[0]), 0);
	assert_false(virtio_balloon_ops.serve(&balloon, queue));
}

static void test_virtio_balloon_discards_whole_pieces(void **state)
{
	(void)state;
	name_pages(VIRTIO_BALLOON_INFLATE, 512, 511);
	assert_int_equal(machine.count, 0);
	name_pages(VIRTIO_BALLOON_INFLATE, 500, 12); /* of another piece */
	assert_int_equal(machine.count, 0);
	name_pages(VIRTIO_BALLOON_INFLATE, 1023, 1);
	assert_int_equal(machine.count, 1);
	assert_int_equal(machine.addresses[0], PIECE);
	/* Twice is once. */
	name_pages(VIRTIO_BALLOON_INFLATE, 1023, 1);
	assert_int_equal(machine.count, 1);
	/* A page that came back keeps its piece. */
	name_pages(VIRTIO_BALLOON_DEFLATE, 600, 1);
	name_pages(VIRTIO_BALLOON_INFLATE, 600, 1);
	assert_int_equal(machine.count, 2);
	assert_int_equal(fake_returned_count(VIRTIO_BALLOON_INFLATE), 5);
}

static void test_virtio_balloon_ignores_pages_past_the_end(void **state)
{
	static const uint32_t numbers[] = {PAGES, UINT32_MAX, PAGES + 64};

	(void)state;
	fake_offer(VIRTIO_BALLOON_INFLATE, numbers, sizeof(numbers), 0);
	fake_offer(VIRTIO_BALLOON_DEFLATE, numbers, sizeof(numbers), 0);
	fake_offer(VIRTIO_BALLOON_INFLATE, "abc", 3, 0); /* no whole number */
	fake_offer(VIRTIO_BALLOON_INFLATE, NULL, 0, 64);
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_INFLATE));
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_DEFLATE));
	assert_int_equal(fake_returned_count(VIRTIO_BALLOON_INFLATE), 3);
	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		assert_int_equal(given[i], 0);
}

static void test_virtio_balloon_serves_a_bounded_number_of_chains(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VIRTIO_BALLOON_TURN_CHAINS; i++)
		fake_offer(VIRTIO_BALLOON_INFLATE, "", 1, 0);
	assert_true(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_INFLATE));
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_INFLATE));
}

static void test_virtio_balloon_reports(void **state)
{
	static const struct virtqueue_segment segments[] = {
		{3 * PIECE, 2 * PIECE},           /* two */
		{8 * PIECE + 4096, 3 * PIECE},    /* two whole ones in the middle */
		{20 * PIECE, PIECE - 1},          /* none */
		{20 * PIECE + 1, PIECE},          /* none */
		{UINT64_MAX - PIECE + 1, 2 * PIECE}, /* past the end of all addresses */
	};

	(void)state;
	fake_offer_segments(VIRTIO_BALLOON_REPORTS, segments, 5, 5);
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_REPORTS));
	assert_int_equal(machine.count, 4);
	assert_int_equal(machine.addresses[0], 3 * PIECE);
	assert_int_equal(machine.addresses[1], 4 * PIECE);
	assert_int_equal(machine.addresses[2], 9 * PIECE);
	assert_int_equal(machine.addresses[3], 10 * PIECE);
	assert_int_equal(fake_returned_count(VIRTIO_BALLOON_REPORTS), 1);
	assert_int_equal(fake_virtio.interrupts[VIRTIO_BALLOON_REPORTS], 1);
}

/* A driver reports memory once: all of it leaves, over as many turns as that takes, and only then its chain comes back. */
static void test_virtio_balloon_reports_take_turns(void **state)
{
	struct virtqueue_segment blocks[33];
	const unsigned pieces = 32 * 2 + 100;

	(void)state;
	for (unsigned i = 0; i < 32; i++)
		blocks[i] = (struct virtqueue_segment){i * 3 * PIECE, 2 * PIECE};
	blocks[32] = (struct virtqueue_segment){1000 * PIECE + 4096, 101 * PIECE};
	fake_offer_segments(VIRTIO_BALLOON_REPORTS, blocks, 33, 33);
	for (unsigned turn = 1; turn <= 2; turn++) {
		assert_true(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_REPORTS));
		assert_int_equal(machine.count, turn * VIRTIO_BALLOON_TURN_PIECES);
		assert_int_equal(fake_returned_count(VIRTIO_BALLOON_REPORTS), 0);
	}
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_REPORTS));
	assert_int_equal(machine.count, pieces);
	assert_int_equal(fake_returned_count(VIRTIO_BALLOON_REPORTS), 1);
	for (unsigned i = 0; i < pieces; i++)
		assert_int_equal(machine.addresses[i], i < 64 ? (i / 2 * 3 + i % 2) * PIECE : (1001 + i - 64) * PIECE);
	/* The next one begins at its own first piece. */
	fake_offer_segments(VIRTIO_BALLOON_REPORTS, blocks, 1, 1);
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_REPORTS));
	assert_int_equal(machine.addresses[pieces + 1], PIECE);
}

/* A chain whose every page is the last of its piece. */
static void test_virtio_balloon_inflates_a_bounded_number_of_pieces(void **state)
{
	static uint64_t many[300 * 8];
	static uint32_t numbers[300];

	(void)state;
	balloon.given = many;
	balloon.page_count = 300 * 512;
	memset(many, 0xff, sizeof(many));
	for (unsigned i = 0; i < 300; i++) {
		numbers[i] = i * 512 + i;
		many[numbers[i] / 64] &= ~(1ULL << numbers[i] % 64);
	}
	fake_offer(VIRTIO_BALLOON_INFLATE, numbers, sizeof(numbers), 0);
	for (unsigned turn = 1; turn <= 4; turn++) {
		assert_true(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_INFLATE));
		assert_int_equal(machine.count, turn * VIRTIO_BALLOON_TURN_PIECES);
		assert_int_equal(fake_returned_count(VIRTIO_BALLOON_INFLATE), 0);
	}
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_INFLATE));
	assert_int_equal(machine.count, 300);
	assert_int_equal(fake_returned_count(VIRTIO_BALLOON_INFLATE), 1);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(machine.addresses[i], i * PIECE);
}

/* Drivers of old count only queues that exist. */
static void test_virtio_balloon_reports_by_other_queues(void **state)
{
	static const struct virtqueue_segment segment = {PIECE, PIECE};

	(void)state;
	fake_offer_segments(VIRTIO_BALLOON_HINTS, &segment, 1, 1);
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_HINTS));
	assert_int_equal(machine.count, 1);
	fake_virtio_reset(VIRTIO_FEATURE(VIRTIO_BALLOON_F_PAGE_REPORTING));
	fake_offer_segments(VIRTIO_BALLOON_STATISTICS, &segment, 1, 1);
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_STATISTICS));
	assert_int_equal(machine.count, 2);
	/* Not negotiated: no reports. */
	fake_virtio_reset(0);
	fake_offer_segments(VIRTIO_BALLOON_HINTS, &segment, 1, 1);
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_HINTS));
	assert_int_equal(machine.count, 2);
	assert_int_equal(fake_returned_count(VIRTIO_BALLOON_HINTS), 1);
}

static void test_virtio_balloon_configuration(void **state)
{
	(void)state;
	machine.target_pages = 1000;
	assert_false(virtio_balloon_ops.serve_backend(&balloon));
	assert_int_equal(fake_virtio.config_changes, 1);
	assert_false(virtio_balloon_ops.serve_backend(&balloon));
	assert_int_equal(fake_virtio.config_changes, 1);
	virtio_balloon_ops.write_config(&balloon, 4, 4, 900);
	assert_int_equal(machine.told_pages, 900);
	assert_int_equal(virtio_balloon_ops.read_config(&balloon, 0, 4), 1000);
	assert_int_equal(virtio_balloon_ops.read_config(&balloon, 0, 8), 900ULL << 32 | 1000);
	virtio_balloon_ops.write_config(&balloon, 0, 4, 1);
	virtio_balloon_ops.write_config(&balloon, 5, 1, 1);
	assert_int_equal(virtio_balloon_ops.read_config(&balloon, 0, 4), 1000);
	assert_int_equal(virtio_balloon_ops.read_config(&balloon, 4, 4), 900);
	virtio_balloon_ops.reset(&balloon);
	assert_int_equal(machine.told_pages, 0);
	assert_int_equal(virtio_balloon_ops.read_config(&balloon, 0, 4), 1000);
}

static void test_virtio_balloon_statistics(void **state)
{
	static const uint8_t stats[] = {
		4, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, /* free: 1 MiB */
		0xff, 0xff, 1, 1, 1, 1, 1, 1, 1, 1, /* unknown */
		5, 0, 0, /* cut off */
	};
	unsigned number = fake_offer(VIRTIO_BALLOON_STATISTICS, stats, sizeof(stats), 0);

	(void)state;
	assert_int_equal(machine.told_free_bytes, UINT64_MAX);
	assert_false(virtio_balloon_ops.serve(&balloon, VIRTIO_BALLOON_STATISTICS));
	assert_int_equal(machine.told_free_bytes, 0x100000);
	assert_int_equal(balloon.state.stats[5], UINT64_MAX);
	assert_false(fake_virtio.chains[number].returned);
	/* New ones are wanted. */
	assert_false(virtio_balloon_ops.serve_backend(&balloon));
	assert_true(fake_virtio.chains[number].returned);
	assert_int_equal(fake_virtio.interrupts[VIRTIO_BALLOON_STATISTICS], 1);
}

/* A driver that uses pages again before it says so would lose them with their piece. */
static void test_virtio_balloon_wants_to_be_told_first(void **state)
{
	(void)state;
	assert_true((VIRTIO_BALLOON_CONFIG(&balloon).features & VIRTIO_FEATURE(VIRTIO_BALLOON_F_MUST_TELL_HOST)) != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtio_balloon_wants_to_be_told_first),
		cmocka_unit_test_setup(test_virtio_balloon_discards_whole_pieces, reset),
		cmocka_unit_test_setup(test_virtio_balloon_ignores_pages_past_the_end, reset),
		cmocka_unit_test_setup(test_virtio_balloon_serves_a_bounded_number_of_chains, reset),
		cmocka_unit_test_setup(test_virtio_balloon_reports, reset),
		cmocka_unit_test_setup(test_virtio_balloon_reports_take_turns, reset),
		cmocka_unit_test_setup(test_virtio_balloon_inflates_a_bounded_number_of_pieces, reset),
		cmocka_unit_test_setup(test_virtio_balloon_reports_by_other_queues, reset),
		cmocka_unit_test_setup(test_virtio_balloon_configuration, reset),
		cmocka_unit_test_setup(test_virtio_balloon_statistics, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
