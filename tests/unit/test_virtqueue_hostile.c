/* Virtqueues with a driver that breaks every rule: the queue breaks, after a bounded amount of work, and stays so. */
#include "tests/fake/ring_memory.h"
#include "tests/unit/unit.h"

#define SIZE     8U
#define PACKED   VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)
#define INDIRECT VIRTIO_FEATURE(VIRTIO_F_INDIRECT_DESC)
#define READS_MAX (2 * VIRTQUEUE_SEGMENTS_MAX + 4) /* of one take */

static const uint64_t kinds[] = {0, PACKED};
#define FOR_KINDS(kind) for (const uint64_t *kind = kinds; kind < kinds + 2; kind++)

static struct virtqueue_chain chain;

/* Broken it reads and writes nothing more. */
static void expect_broken(void)
{
	ring.ram.reads = 0;
	assert_int_equal(virtqueue_take(&ring.queue, &chain), ERR_BAD_FORMAT);
	assert_true(ring.queue.state.broken);
	assert_true(ring.ram.reads <= READS_MAX);
	ring.ram.reads = ring.ram.writes = 0;
	assert_int_equal(virtqueue_take(&ring.queue, &chain), ERR_BAD_FORMAT);
	virtqueue_return(&ring.queue, &chain, 0);
	assert_false(virtqueue_enable_notify(&ring.queue));
	assert_false(virtqueue_wants_interrupt(&ring.queue));
	assert_int_equal(ring.ram.reads + ring.ram.writes, 0);
}

static void expect_refused(const struct ring_buffer *buffers, unsigned count)
{
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind | INDIRECT);
		ring_offer(0, buffers, count);
		expect_broken();
	}
}

static void test_virtqueue_refuses_sizes_and_areas(void **state)
{
	static const struct {
		uint64_t features, desc, driver, device;
		uint16_t size;
		bool is_good;
	} cases[] = {
		{0, 0x1000, 0x2000, 0x3000, 8, true},
		{0, 0x1000, 0x2002, 0x3004, 1, true},
		{0, 0x1000, 0x2000, 0x3000, 0, false},
		{0, 0x1000, 0x2000, 0x3000, 7, false},
		{0, 0x1000, 0x2000, 0x3000, 512, false},
		{0, 0x1008, 0x2000, 0x3000, 8, false},
		{0, 0x1000, 0x2001, 0x3000, 8, false},
		{0, 0x1000, 0x2000, 0x3002, 8, false},
		{0, UINT64_MAX & ~15ULL, 0x2000, 0x3000, 8, false},
		{0, 0x1000, UINT64_MAX & ~1ULL, 0x3000, 8, false},
		{0, 0x1000, 0x2000, UINT64_MAX & ~3ULL, 8, false},
		{PACKED, 0x1000, 0x2000, 0x3000, 7, true},
		{PACKED, 0x1000, 0x2000, 0x3000, 0, false},
		{PACKED, 0x1000, 0x2000, 0x3000, 257, false},
		{PACKED, 0x1000, 0x2002, 0x3000, 8, false},
		{PACKED, 0x1000, 0x2000, 0x3002, 8, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ring_start(SIZE, 0);
		virtqueue_reset(&ring.queue);
		ring.queue.state.size = cases[i].size;
		ring.queue.state.descriptor_area = cases[i].desc;
		ring.queue.state.driver_area = cases[i].driver;
		ring.queue.state.device_area = cases[i].device;
		assert_int_equal(virtqueue_start(&ring.queue, cases[i].features), cases[i].is_good);
		assert_int_equal(ring.queue.state.broken, !cases[i].is_good);
	}
}

static void test_virtqueue_breaks_where_its_rings_are_no_memory(void **state)
{
	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind);
		ring.queue.state.driver_area = ring.queue.state.descriptor_area = RING_MEMORY_BYTES;
		expect_broken();
		ring_start(SIZE, *kind);
		ring.queue.state.device_area = RING_MEMORY_BYTES;
		assert_false(virtqueue_enable_notify(&ring.queue));
		assert_true(ring.queue.state.broken);
	}
	/* The used entry, and the guest's event structure. */
	ring_start(SIZE, 0);
	ring.queue.state.device_area = RING_MEMORY_BYTES;
	virtqueue_return(&ring.queue, &chain, 0);
	assert_true(ring.queue.state.broken);
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind);
		virtqueue_return(&ring.queue, &(struct virtqueue_chain){.descriptors = 1}, 0);
		ring.queue.state.driver_area = RING_MEMORY_BYTES;
		assert_false(virtqueue_wants_interrupt(&ring.queue));
		assert_true(ring.queue.state.broken);
	}
}

static void test_virtqueue_split_refuses_an_index_that_jumps(void **state)
{
	static const uint16_t indices[] = {SIZE + 1, 0x8000, 0xffff};

	(void)state;
	for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
		ring_start(SIZE, 0);
		ring_put16(RING_DRIVER + 2, indices[i]);
		expect_broken();
		/* Also the one that is only looked at. */
		ring_start(SIZE, 0);
		ring_put16(RING_DRIVER + 2, indices[i]);
		assert_false(virtqueue_enable_notify(&ring.queue));
		assert_true(ring.queue.state.broken);
	}
}

static void test_virtqueue_split_refuses_heads_and_links_outside_the_table(void **state)
{
	const struct ring_buffer buffer = {RING_DATA, 4, 0};
	static const uint16_t outside[] = {SIZE, 0x8000, 0xffff};

	(void)state;
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		ring_start(SIZE, 0);
		ring_offer_head(outside[i]);
		expect_broken();
		ring_start(SIZE, 0);
		ring_split_descriptor(RING_DESC, 0, &buffer, RING_F_NEXT, outside[i]);
		ring_offer_head(0);
		expect_broken();
	}
}

static void test_virtqueue_split_ends_loops(void **state)
{
	const struct ring_buffer buffer = {RING_DATA, 4, 0}, table = {RING_TABLE, 32, RING_F_INDIRECT};

	(void)state;
	for (uint16_t length = 1; length <= SIZE; length++) {
		ring_start(SIZE, INDIRECT);
		for (uint16_t i = 0; i < length; i++)
			ring_split_descriptor(RING_DESC, i, &buffer, RING_F_NEXT, (uint16_t)((i + 1) % length));
		ring_offer_head(0);
		expect_broken();
	}
	/* In a table, too. */
	ring_start(SIZE, INDIRECT);
	ring_split_descriptor(RING_TABLE, 0, &buffer, RING_F_NEXT, 1);
	ring_split_descriptor(RING_TABLE, 1, &buffer, RING_F_NEXT, 0);
	ring_offer(0, &table, 1);
	expect_broken();
}

/* Every descriptor says that the chain goes on: it ends with the ring. */
static void test_virtqueue_packed_ends_a_chain_with_the_ring(void **state)
{
	(void)state;
	ring_start(SIZE, PACKED);
	for (uint16_t i = 0; i < SIZE; i++)
		ring_packed_descriptor(RING_DESC, i, RING_DATA, 4, 0, RING_F_AVAIL | RING_F_NEXT);
	expect_broken();
}

static void test_virtqueue_refuses_buffers_without_sense(void **state)
{
	const struct ring_buffer zero = {RING_DATA, 0, 0}, wraps = {UINT64_MAX - 2, 4, 0};
	const struct ring_buffer order[] = {{RING_DATA, 4, RING_F_WRITE}, {RING_DATA, 4, 0}};

	(void)state;
	expect_refused(&zero, 1);
	expect_refused(&wraps, 1);
	expect_refused(order, 2);
}

static void test_virtqueue_takes_a_buffer_at_the_last_address(void **state)
{
	const struct ring_buffer last = {UINT64_MAX - 3, 4, RING_F_WRITE};

	(void)state;
	FOR_KINDS (kind) {
		bool fault = false;

		ring_start(SIZE, *kind);
		ring_offer(0, &last, 1);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
		assert_int_equal(virtqueue_write(&ring.queue, &chain, 0, "1234", 4, &fault), 0);
		assert_true(fault);
	}
}

static void test_virtqueue_refuses_tables_without_sense(void **state)
{
	static const struct ring_buffer tables[] = {
		{RING_TABLE, 15, RING_F_INDIRECT},
		{RING_TABLE, 17, RING_F_INDIRECT},
		{RING_TABLE, 0, RING_F_INDIRECT},
		{RING_TABLE, (VIRTQUEUE_SEGMENTS_MAX + 1) * 16, RING_F_INDIRECT},
		{RING_TABLE, 0xfffffff0, RING_F_INDIRECT},
		{UINT64_MAX - 15, 32, RING_F_INDIRECT},
		{RING_MEMORY_BYTES, 32, RING_F_INDIRECT},
		{RING_TABLE, 32, RING_F_INDIRECT | RING_F_NEXT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		expect_refused(&tables[i], 1);
}

static void test_virtqueue_refuses_tables_in_tables(void **state)
{
	const struct ring_buffer outer = {RING_TABLE, 16, RING_F_INDIRECT}, inner = {RING_TABLE + 64, 16, RING_F_INDIRECT};

	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind | INDIRECT);
		if (*kind == 0)
			ring_split_descriptor(RING_TABLE, 0, &inner, 0, 0);
		else
			ring_packed_descriptor(RING_TABLE, 0, inner.address, inner.len_bytes, 0, inner.flags);
		ring_offer(0, &outer, 1);
		expect_broken();
	}
}

static void test_virtqueue_refuses_tables_that_were_not_negotiated(void **state)
{
	const struct ring_buffer table = {RING_TABLE, 16, RING_F_INDIRECT};

	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind);
		ring_split_descriptor(RING_TABLE, 0, &(struct ring_buffer){RING_DATA, 4, 0}, 0, 0);
		ring_offer(0, &table, 1);
		expect_broken();
	}
}

/* A table of as many as a chain may have is one; a chain of one more is none. */
static void test_virtqueue_counts_segments_of_tables(void **state)
{
	const struct ring_buffer full = {RING_TABLE, VIRTQUEUE_SEGMENTS_MAX * 16, RING_F_INDIRECT};
	const struct ring_buffer more[] = {{RING_DATA, 4, 0}, full};

	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind | INDIRECT);
		for (uint16_t i = 0; i < VIRTQUEUE_SEGMENTS_MAX; i++) {
			const struct ring_buffer buffer = {RING_DATA + i, 1, 0};
			uint16_t next = (uint16_t)(i + 1 == VIRTQUEUE_SEGMENTS_MAX ? 0 : RING_F_NEXT);

			if (*kind == 0)
				ring_split_descriptor(RING_TABLE, i, &buffer, next, (uint16_t)(i + 1));
			else
				ring_packed_descriptor(RING_TABLE, i, buffer.address, 1, 0, 0);
		}
		ring_offer(0, &full, 1);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
		assert_int_equal(chain.readable_count, VIRTQUEUE_SEGMENTS_MAX);
		ring_offer(0, more, 2);
		expect_broken();
	}
}

static void test_virtqueue_reset_mends_it(void **state)
{
	const struct ring_buffer zero = {RING_DATA, 0, 0}, good = {RING_DATA, 4, 0};

	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind);
		ring_offer(0, &zero, 1);
		expect_broken();
		ring_start(SIZE, *kind);
		ring_offer(0, &good, 1);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
	}
}

/* Descriptors marked as available again while the device holds them: 9 in a ring of 8. */
static void test_virtqueue_packed_holds_no_more_than_the_ring(void **state)
{
	static const struct ring_buffer three[] = {{RING_DATA, 16, 0}, {RING_DATA, 8, RING_F_WRITE}, {RING_DATA, 8, RING_F_WRITE}};
	static struct virtqueue_chain chains[3];

	(void)state;
	ring_start(SIZE, PACKED);
	for (unsigned i = 0; i < 3; i++) {
		ring_offer((uint16_t)i, three, 3);
		assert_int_equal(virtqueue_take(&ring.queue, &chains[i]), i < 2 ? OK : ERR_BAD_FORMAT);
	}
	assert_true(ring.queue.state.broken);
	virtqueue_untake(&ring.queue, chains, 2);
	assert_int_equal(ring.queue.state.avail_next, 0);
	assert_true(ring.queue.state.avail_wrap);
	/* What was given back, either way, is held no more. */
	ring_start(SIZE, PACKED);
	ring_offer(0, three, 3);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(virtqueue_take(&ring.queue, &chains[0]), OK);
		virtqueue_untake(&ring.queue, chains, 1);
	}
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(virtqueue_take(&ring.queue, &chains[0]), OK);
		virtqueue_return(&ring.queue, &chains[0], 0);
		ring_offer(0, three, 3);
	}
	assert_false(ring.queue.state.broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtqueue_packed_holds_no_more_than_the_ring),
		cmocka_unit_test(test_virtqueue_refuses_sizes_and_areas),
		cmocka_unit_test(test_virtqueue_breaks_where_its_rings_are_no_memory),
		cmocka_unit_test(test_virtqueue_split_refuses_an_index_that_jumps),
		cmocka_unit_test(test_virtqueue_split_refuses_heads_and_links_outside_the_table),
		cmocka_unit_test(test_virtqueue_split_ends_loops),
		cmocka_unit_test(test_virtqueue_packed_ends_a_chain_with_the_ring),
		cmocka_unit_test(test_virtqueue_refuses_buffers_without_sense),
		cmocka_unit_test(test_virtqueue_takes_a_buffer_at_the_last_address),
		cmocka_unit_test(test_virtqueue_refuses_tables_without_sense),
		cmocka_unit_test(test_virtqueue_refuses_tables_in_tables),
		cmocka_unit_test(test_virtqueue_refuses_tables_that_were_not_negotiated),
		cmocka_unit_test(test_virtqueue_counts_segments_of_tables),
		cmocka_unit_test(test_virtqueue_reset_mends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
