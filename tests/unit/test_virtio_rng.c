/* The entropy device: how much it gives, and what happens where there is nothing to give. */
#include "drivers/virt/virtio_rng.h"
#include "tests/fake/virtio_chains.h"
#include "tests/unit/unit.h"

static size_t bytes_left;
static struct virtio_rng rng;

static size_t take(void *ctx, void *out, size_t len_bytes)
{
	size_t count = len_bytes < bytes_left ? len_bytes : bytes_left;

	assert_ptr_equal(ctx, &bytes_left);
	assert_true(len_bytes > 0);
	memset(out, 0xa5, count);
	bytes_left -= count;
	return count;
}

static int reset(void **state)
{
	(void)state;
	fake_virtio_reset(0);
	bytes_left = SIZE_MAX;
	rng = (struct virtio_rng){.wires = {take, &bytes_left}, .transport = &fake_virtio.device};
	return 0;
}

static void test_virtio_rng_fills_buffers(void **state)
{
	uint8_t expected[VIRTIO_RNG_BUFFER_BYTES];
	unsigned small = fake_offer(0, NULL, 0, 3), large = fake_offer(0, NULL, 0, 4096);

	(void)state;
	memset(expected, 0xa5, sizeof(expected));
	assert_false(virtio_rng_ops.serve(&rng, 0));
	assert_int_equal(fake_virtio.chains[small].written_bytes, 3);
	assert_memory_equal(fake_written(small), expected, 3);
	assert_int_equal(fake_written(small)[3], 0);
	assert_int_equal(fake_virtio.chains[large].written_bytes, VIRTIO_RNG_BUFFER_BYTES);
	assert_memory_equal(fake_written(large), expected, VIRTIO_RNG_BUFFER_BYTES);
	assert_int_equal(fake_virtio.interrupts[0], 1);
}

/* A buffer that is only read gets nothing, and comes back. */
static void test_virtio_rng_returns_what_it_cannot_fill(void **state)
{
	(void)state;
	fake_offer(0, "ask", 3, 0);
	fake_offer_segments(0, &(struct virtqueue_segment){UINT64_MAX - 8, 4}, 1, 1);
	assert_false(virtio_rng_ops.serve(&rng, 0));
	assert_int_equal(fake_returned_count(0), 2);
	assert_int_equal(fake_virtio.chains[0].written_bytes, 0);
	assert_int_equal(fake_virtio.chains[1].written_bytes, 0);
	assert_false(fake_virtio.has_failed);
}

static void test_virtio_rng_stops_after_a_turn(void **state)
{
	(void)state;
	for (unsigned i = 0; i < VIRTIO_RNG_TURN_BUFFERS + 1; i++)
		fake_offer(0, NULL, 0, 64);
	assert_true(virtio_rng_ops.serve(&rng, 0));
	assert_int_equal(fake_returned_count(0), VIRTIO_RNG_TURN_BUFFERS);
	assert_false(virtio_rng_ops.serve(&rng, 0));
	assert_int_equal(fake_returned_count(0), VIRTIO_RNG_TURN_BUFFERS + 1);
}

static void test_virtio_rng_passes_on_a_short_answer(void **state)
{
	(void)state;
	bytes_left = 16;
	fake_offer(0, NULL, 0, 64);
	assert_false(virtio_rng_ops.serve(&rng, 0));
	assert_int_equal(fake_virtio.chains[0].written_bytes, 16);
	assert_false(fake_virtio.has_failed);
}

/* Never zeros instead of random bytes. */
static void test_virtio_rng_fails_without_a_source(void **state)
{
	(void)state;
	bytes_left = 0;
	fake_offer(0, NULL, 0, 64);
	assert_false(virtio_rng_ops.serve(&rng, 0));
	assert_true(fake_virtio.has_failed);
	assert_int_equal(fake_returned_count(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_rng_fills_buffers, reset),
		cmocka_unit_test_setup(test_virtio_rng_returns_what_it_cannot_fill, reset),
		cmocka_unit_test_setup(test_virtio_rng_stops_after_a_turn, reset),
		cmocka_unit_test_setup(test_virtio_rng_passes_on_a_short_answer, reset),
		cmocka_unit_test_setup(test_virtio_rng_fails_without_a_source, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
