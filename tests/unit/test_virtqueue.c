/* Virtqueues with a driver that keeps the rules: chains, their bytes, used entries, and who is told of what. Both kinds. */
#include "tests/fake/ring_memory.h"
#include "tests/unit/unit.h"

#define SIZE     8U
#define PACKED   VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)
#define EVENT    VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX)
#define INDIRECT VIRTIO_FEATURE(VIRTIO_F_INDIRECT_DESC)
#define EVENT_FLAGS_DISABLE 1U
#define EVENT_FLAGS_DESC    2U

static const uint64_t kinds[] = {0, PACKED};
#define FOR_KINDS(kind) for (const uint64_t *kind = kinds; kind < kinds + 2; kind++)

static struct virtqueue_chain chain, chains[SIZE];

static const struct ring_buffer three[] = {
	{RING_DATA, 16, 0},
	{RING_DATA + 0x100, 8, RING_F_WRITE},
	{RING_DATA + 0x200, 8, RING_F_WRITE},
};

static void test_virtqueue_takes_a_chain_and_returns_it(void **state)
{
	(void)state;
	FOR_KINDS (kind) {
		uint16_t id;
		uint32_t written;

		ring_start(SIZE, *kind);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), ERR_AGAIN);
		assert_true(ring.queue.found_empty);
		ring_offer(5, three, 3);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
		assert_false(ring.queue.found_empty);
		assert_int_equal(chain.id, 5);
		assert_int_equal(chain.readable_count, 1);
		assert_int_equal(chain.writable_count, 2);
		assert_int_equal(chain.readable_bytes, 16);
		assert_int_equal(chain.writable_bytes, 16);
		assert_int_equal(chain.segments[2].address, RING_DATA + 0x200);
		assert_int_equal(virtqueue_take(&ring.queue, &chains[0]), ERR_AGAIN);
		assert_false(ring_used(&id, &written, 3));
		virtqueue_return(&ring.queue, &chain, 9);
		assert_true(ring_used(&id, &written, 3));
		assert_int_equal(id, 5);
		assert_int_equal(written, 9);
	}
}

/* Through the ring's end several times, chains of two in a ring of eight, then of three: positions that differ each turn. */
static void test_virtqueue_goes_around(void **state)
{
	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind);
		for (uint16_t i = 0; i < 100; i++) {
			unsigned count = 2 + i % 2;
			uint16_t id = 0xffff;
			uint32_t written = 0;

			ring_offer(i % SIZE, three, count);
			assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
			assert_int_equal(chain.id, i % SIZE);
			assert_int_equal(chain.writable_count, count - 1);
			virtqueue_return(&ring.queue, &chain, i);
			assert_true(ring_used(&id, &written, count));
			assert_int_equal(id, i % SIZE);
			assert_int_equal(written, i);
			assert_false(ring_used(&id, &written, count));
		}
	}
}

static void test_virtqueue_moves_bytes_across_segments(void **state)
{
	const struct ring_buffer buffers[] = {
		{RING_DATA, 3, 0},
		{RING_DATA + 0x100, 5, 0},
		{RING_DATA + 0x200, 4, RING_F_WRITE},
		{RING_DATA + 0x300, 4, RING_F_WRITE},
	};

	(void)state;
	FOR_KINDS (kind) {
		uint8_t bytes[16] = {0};
		bool fault = false;

		ring_start(SIZE, *kind);
		memcpy(ring.bytes + RING_DATA, "abc", 3);
		memcpy(ring.bytes + RING_DATA + 0x100, "defgh", 5);
		ring_offer(0, buffers, 4);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
		assert_int_equal(virtqueue_read(&ring.queue, &chain, 0, bytes, sizeof(bytes), &fault), 8);
		assert_memory_equal(bytes, "abcdefgh", 8);
		assert_int_equal(virtqueue_read(&ring.queue, &chain, 2, bytes, 3, &fault), 3);
		assert_memory_equal(bytes, "cde", 3);
		assert_int_equal(virtqueue_read(&ring.queue, &chain, 3, bytes, 1, &fault), 1);
		assert_memory_equal(bytes, "d", 1);
		assert_int_equal(virtqueue_read(&ring.queue, &chain, 8, bytes, 1, &fault), 0);
		assert_int_equal(virtqueue_write(&ring.queue, &chain, 3, "xyz012", 6, &fault), 5);
		assert_memory_equal(ring.bytes + RING_DATA + 0x203, "x\0", 2);
		assert_memory_equal(ring.bytes + RING_DATA + 0x300, "yz01", 5);
		assert_false(fault);
	}
}

static void test_virtqueue_reports_a_segment_outside_memory(void **state)
{
	const struct ring_buffer buffers[] = {{RING_DATA, 4, RING_F_WRITE}, {RING_MEMORY_BYTES - 2, 4, RING_F_WRITE}};

	(void)state;
	FOR_KINDS (kind) {
		bool fault = false;

		ring_start(SIZE, *kind);
		ring_offer(0, buffers, 2);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
		assert_int_equal(virtqueue_write(&ring.queue, &chain, 0, "12345678", 8, &fault), 4);
		assert_true(fault);
		assert_int_equal(virtqueue_write(&ring.queue, &chain, 0, "12345678", 8, NULL), 4);
		assert_false(ring.queue.state.broken);
	}
}

static void test_virtqueue_follows_an_indirect_table(void **state)
{
	const struct ring_buffer table = {RING_TABLE + 8, 3 * 16, RING_F_INDIRECT | RING_F_WRITE};
	const struct ring_buffer before[] = {three[0], {RING_TABLE + 8, 3 * 16, RING_F_INDIRECT}};

	(void)state;
	FOR_KINDS (kind) {
		uint16_t id;
		uint32_t written;

		ring_start(SIZE, *kind | INDIRECT);
		for (uint16_t i = 0; i < 3; i++) {
			if (*kind == 0)
				ring_split_descriptor(RING_TABLE + 8, i, &three[i], i < 2 ? RING_F_NEXT : 0, i + 1);
			else
				ring_packed_descriptor(RING_TABLE + 8, i, three[i].address, three[i].len_bytes, 77, three[i].flags);
		}
		ring_offer(2, &table, 1);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
		assert_int_equal(chain.id, 2);
		assert_int_equal(chain.readable_count, 1);
		assert_int_equal(chain.writable_count, 2);
		virtqueue_return(&ring.queue, &chain, 1);
		assert_true(ring_used(&id, &written, 1));
		assert_int_equal(id, 2);
		/* "zero or more normal chained descriptors followed by a single" table: split rings only. */
		ring_offer(4, before, 2);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), *kind == 0 ? OK : ERR_BAD_FORMAT);
		assert_int_equal(chain.readable_count, *kind == 0 ? 2 : 1);
	}
}

static void test_virtqueue_takes_back_in_order(void **state)
{
	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind);
		/* So that what is taken back lies on both sides of the ring's end. */
		for (unsigned i = 0; i < 2; i++) {
			ring_offer(0, three, 3);
			assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
			virtqueue_return(&ring.queue, &chain, 0);
		}
		ring_offer(1, three, 2);
		ring_offer(3, three, 3);
		for (unsigned round = 0; round < 2; round++) {
			assert_int_equal(virtqueue_take(&ring.queue, &chains[0]), OK);
			assert_int_equal(virtqueue_take(&ring.queue, &chains[1]), OK);
			assert_int_equal(chains[0].id, 1);
			assert_int_equal(chains[1].id, 3);
			virtqueue_untake(&ring.queue, chains, 2);
			assert_false(ring.queue.found_empty);
		}
		assert_int_equal(virtqueue_take(&ring.queue, &chains[0]), OK);
		assert_int_equal(chains[0].id, 1);
	}
}

static void test_virtqueue_shows_a_batch_at_once(void **state)
{
	(void)state;
	FOR_KINDS (kind) {
		uint16_t id;
		uint32_t written;

		ring_start(SIZE, *kind);
		for (uint16_t i = 0; i < 3; i++) {
			ring_offer(i, three + 1, 1);
			assert_int_equal(virtqueue_take(&ring.queue, &chains[i]), OK);
		}
		for (uint16_t i = 0; i < 3; i++) {
			virtqueue_put(&ring.queue, &chains[i], 10U + i);
			assert_false(ring_used(&id, &written, 1));
		}
		virtqueue_publish(&ring.queue);
		for (uint16_t i = 0; i < 3; i++) {
			assert_true(ring_used(&id, &written, 1));
			assert_int_equal(id, i);
			assert_int_equal(written, 10 + i);
		}
	}
}

static void pass_chain(void)
{
	uint16_t id;
	uint32_t written;

	ring_offer(0, three + 1, 1);
	assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
	virtqueue_return(&ring.queue, &chain, 1);
	assert_true(ring_used(&id, &written, 1));
}

static void test_virtqueue_interrupts_unless_told_not_to(void **state)
{
	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind);
		assert_false(virtqueue_wants_interrupt(&ring.queue));
		pass_chain();
		assert_true(virtqueue_wants_interrupt(&ring.queue));
		assert_false(virtqueue_wants_interrupt(&ring.queue));
		ring_put16(*kind == 0 ? RING_DRIVER : RING_DRIVER + 2, 1);
		pass_chain();
		assert_false(virtqueue_wants_interrupt(&ring.queue));
	}
}

static void test_virtqueue_split_interrupts_at_the_used_event(void **state)
{
	const uint64_t used_event = RING_DRIVER + 4 + 2 * SIZE;

	(void)state;
	ring_start(SIZE, EVENT);
	/* "interrupt when the used index passes used_event": the one after it. */
	ring_put16(used_event, 1);
	pass_chain();
	assert_false(virtqueue_wants_interrupt(&ring.queue));
	pass_chain();
	assert_true(virtqueue_wants_interrupt(&ring.queue));
	pass_chain();
	assert_false(virtqueue_wants_interrupt(&ring.queue));
	ring_put16(used_event, 4);
	for (unsigned i = 0; i < 3; i++)
		pass_chain();
	assert_true(virtqueue_wants_interrupt(&ring.queue));
	/* Through the end of 16 bits. */
	ring.queue.state.used_next = 0xfffe;
	ring.used_index = 0xfffe;
	ring_put16(used_event, 0xffff);
	pass_chain();
	assert_false(virtqueue_wants_interrupt(&ring.queue));
	pass_chain();
	assert_true(virtqueue_wants_interrupt(&ring.queue));
}

static void test_virtqueue_packed_interrupts_at_the_event(void **state)
{
	(void)state;
	ring_start(SIZE, PACKED | EVENT);
	ring_put16(RING_DRIVER + 2, EVENT_FLAGS_DESC);
	ring_put16(RING_DRIVER, 0x8000 | 1);
	pass_chain();
	assert_false(virtqueue_wants_interrupt(&ring.queue));
	pass_chain();
	assert_true(virtqueue_wants_interrupt(&ring.queue));
	/* Position 0 of the next turn: only once the ring's end is passed. */
	ring_put16(RING_DRIVER, 0);
	for (unsigned i = 2; i < SIZE; i++) {
		pass_chain();
		assert_false(virtqueue_wants_interrupt(&ring.queue));
	}
	pass_chain();
	assert_true(virtqueue_wants_interrupt(&ring.queue));
	/* The last position of the turn before, which a batch passes together with the turn's end. */
	ring_start(SIZE, PACKED | EVENT);
	ring_put16(RING_DRIVER + 2, EVENT_FLAGS_DESC);
	ring_put16(RING_DRIVER, 0x8000 | (SIZE - 1));
	for (unsigned i = 0; i < SIZE + 2; i++)
		pass_chain();
	assert_true(virtqueue_wants_interrupt(&ring.queue));
	ring_put16(RING_DRIVER + 2, EVENT_FLAGS_DISABLE);
	pass_chain();
	assert_false(virtqueue_wants_interrupt(&ring.queue));
}

static void test_virtqueue_asks_for_notifications(void **state)
{
	(void)state;
	ring_start(SIZE, 0);
	virtqueue_disable_notify(&ring.queue);
	assert_int_equal(ring_get16(RING_DEVICE), 1);
	assert_false(virtqueue_enable_notify(&ring.queue));
	assert_int_equal(ring_get16(RING_DEVICE), 0);
	ring_start(SIZE, EVENT);
	pass_chain();
	virtqueue_disable_notify(&ring.queue);
	assert_int_equal(ring_get16(RING_DEVICE + 4 + 8 * SIZE), 0);
	assert_false(virtqueue_enable_notify(&ring.queue));
	assert_int_equal(ring_get16(RING_DEVICE + 4 + 8 * SIZE), 1);
	assert_int_equal(ring_get16(RING_DEVICE), 0);
	ring_start(SIZE, PACKED);
	virtqueue_disable_notify(&ring.queue);
	assert_int_equal(ring_get16(RING_DEVICE + 2), EVENT_FLAGS_DISABLE);
	assert_false(virtqueue_enable_notify(&ring.queue));
	assert_int_equal(ring_get16(RING_DEVICE + 2), 0);
	ring_start(SIZE, PACKED | EVENT);
	pass_chain();
	assert_false(virtqueue_enable_notify(&ring.queue));
	assert_int_equal(ring_get16(RING_DEVICE + 2), EVENT_FLAGS_DESC);
	assert_int_equal(ring_get16(RING_DEVICE), 0x8000 | 1);
}

/* A chain that came between the last look and the wish is not lost. */
static void test_virtqueue_looks_again_after_asking(void **state)
{
	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind | EVENT);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), ERR_AGAIN);
		ring_offer(0, three, 1);
		assert_true(virtqueue_enable_notify(&ring.queue));
	}
}

/* A read of a disk by firmware, a report of free memory: gigabytes in a chain. */
static void test_virtqueue_sees_all_of_a_long_chain(void **state)
{
	const struct ring_buffer buffers[] = {
		{0, 0xc00000, RING_F_WRITE}, {0x1000000, 0xc00000, RING_F_WRITE}, {0x2000000, 0xffffffff, RING_F_WRITE}};

	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind);
		ring_offer(0, buffers, 3);
		assert_int_equal(virtqueue_take(&ring.queue, &chain), OK);
		assert_int_equal(chain.writable_bytes, 0x17fffffULL + UINT32_MAX + 1);
		assert_int_equal(chain.writable_count, 3);
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(chain.segments[i].len_bytes, buffers[i].len_bytes);
		assert_int_equal(chain.descriptors, *kind == 0 ? 1 : 3);
	}
}

static void test_virtqueue_that_is_not_ready_does_nothing(void **state)
{
	(void)state;
	FOR_KINDS (kind) {
		ring_start(SIZE, *kind);
		virtqueue_reset(&ring.queue);
		ring.ram.writes = ring.ram.reads = 0;
		assert_int_equal(virtqueue_take(&ring.queue, &chain), ERR_AGAIN);
		virtqueue_return(&ring.queue, &chain, 1);
		assert_false(virtqueue_wants_interrupt(&ring.queue));
		assert_false(virtqueue_enable_notify(&ring.queue));
		virtqueue_disable_notify(&ring.queue);
		assert_int_equal(ring.ram.writes + ring.ram.reads, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtqueue_takes_a_chain_and_returns_it),
		cmocka_unit_test(test_virtqueue_goes_around),
		cmocka_unit_test(test_virtqueue_moves_bytes_across_segments),
		cmocka_unit_test(test_virtqueue_reports_a_segment_outside_memory),
		cmocka_unit_test(test_virtqueue_follows_an_indirect_table),
		cmocka_unit_test(test_virtqueue_takes_back_in_order),
		cmocka_unit_test(test_virtqueue_shows_a_batch_at_once),
		cmocka_unit_test(test_virtqueue_interrupts_unless_told_not_to),
		cmocka_unit_test(test_virtqueue_split_interrupts_at_the_used_event),
		cmocka_unit_test(test_virtqueue_packed_interrupts_at_the_event),
		cmocka_unit_test(test_virtqueue_asks_for_notifications),
		cmocka_unit_test(test_virtqueue_looks_again_after_asking),
		cmocka_unit_test(test_virtqueue_sees_all_of_a_long_chain),
		cmocka_unit_test(test_virtqueue_that_is_not_ready_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
