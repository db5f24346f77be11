/* Channels: the rules on one thread, then two threads that stream against one another. */
#include "lib/channel/channel.h"

#include <pthread.h>
#include <sched.h>

#include "tests/unit/unit.h"

#define CAPACITY 4096U
#define LENGTH   (CHANNEL_HEADER_BYTES + CAPACITY)

static _Alignas(4096) uint8_t memory[LENGTH];

static void open_both(struct channel_writer *writer, struct channel_reader *reader, uint32_t counter)
{
	memset(memory, 0, sizeof(memory));
	((struct channel_header *)memory)->produced_count = counter;
	((struct channel_header *)memory)->consumed_count = counter;
	assert_int_equal(channel_writer_open(writer, memory, LENGTH), OK);
	assert_int_equal(channel_reader_open(reader, memory, LENGTH), OK);
}

static void test_channel_open_refuses_bad_sizes(void **state)
{
	static const size_t bad[] = {0, 1, CHANNEL_HEADER_BYTES, LENGTH - 1, LENGTH + 1, CHANNEL_HEADER_BYTES + 2048,
				     CHANNEL_HEADER_BYTES + 3 * 4096, SIZE_MAX};
	struct channel_writer writer;
	struct channel_reader reader;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(channel_writer_open(&writer, memory, bad[i]), ERR_INVALID);
		assert_int_equal(channel_reader_open(&reader, memory, bad[i]), ERR_INVALID);
	}
}

static void test_channel_carries_bytes_over_both_wraps(void **state)
{
	struct channel_writer writer;
	struct channel_reader reader;
	uint8_t next_in = 0;
	uint8_t next_out = 0;

	(void)state;
	open_both(&writer, &reader, UINT32_MAX - 5000); /* the counters wrap within the test */
	for (unsigned round = 0; round < 40; round++) {
		uint8_t bytes[1000];
		size_t moved = 0;

		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = next_in++;
		assert_int_equal(channel_write(&writer, bytes, sizeof(bytes), &moved), OK);
		assert_int_equal(moved, sizeof(bytes));
		memset(bytes, 0, sizeof(bytes));
		assert_int_equal(channel_peek(&reader, bytes, 3), OK);
		assert_int_equal(bytes[0], next_out);
		assert_int_equal(channel_read(&reader, bytes, sizeof(bytes), &moved), OK);
		assert_int_equal(moved, sizeof(bytes));
		for (size_t i = 0; i < moved; i++)
			assert_int_equal(bytes[i], next_out++);
	}
}

static void test_channel_full_and_empty(void **state)
{
	static uint8_t bytes[CAPACITY + 10];
	struct channel_writer writer;
	struct channel_reader reader;
	size_t moved = 99;

	(void)state;
	open_both(&writer, &reader, 7);
	assert_int_equal(channel_read(&reader, bytes, 10, &moved), OK);
	assert_int_equal(moved, 0);
	assert_int_equal(channel_peek(&reader, bytes, 1), ERR_AGAIN);
	assert_int_equal(channel_write(&writer, bytes, sizeof(bytes), &moved), OK);
	assert_int_equal(moved, CAPACITY);
	assert_int_equal(channel_write(&writer, bytes, 1, &moved), OK);
	assert_int_equal(moved, 0);
	assert_int_equal(channel_write_all(&writer, bytes, 1), ERR_NO_SPACE);
	assert_int_equal(channel_write_all(&writer, bytes, 0), OK);
	assert_int_equal(channel_used_bytes(&reader, &moved), OK);
	assert_int_equal(moved, CAPACITY);
	assert_int_equal(channel_read(&reader, bytes, 1, &moved), OK);
	assert_int_equal(channel_write_all(&writer, bytes, 2), ERR_NO_SPACE);
	assert_int_equal(channel_write_all(&writer, bytes, 1), OK);
}

static void test_channel_refuses_impossible_counters(void **state)
{
	static const uint32_t bad[] = {CAPACITY + 1, 1U << 31, UINT32_MAX};
	struct channel_header *header = (struct channel_header *)memory;
	struct channel_writer writer;
	struct channel_reader reader;
	uint8_t bytes[8] = {0};
	size_t moved = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		open_both(&writer, &reader, 0);
		header->produced_count = bad[i];
		assert_int_equal(channel_read(&reader, bytes, sizeof(bytes), &moved), ERR_BAD_FORMAT);
		assert_int_equal(channel_peek(&reader, bytes, sizeof(bytes)), ERR_BAD_FORMAT);
		open_both(&writer, &reader, 0);
		header->consumed_count = bad[i];
		assert_int_equal(channel_write(&writer, bytes, sizeof(bytes), &moved),
				 0 - bad[i] > CAPACITY ? ERR_BAD_FORMAT : OK);
	}
}

static void test_channel_own_counter_is_private(void **state)
{
	struct channel_header *header = (struct channel_header *)memory;
	struct channel_writer writer;
	struct channel_reader reader;
	uint8_t byte = 1;

	(void)state;
	open_both(&writer, &reader, 0);
	assert_int_equal(channel_write_all(&writer, &byte, 1), OK);
	header->produced_count = 1000; /* a peer that writes where it must not */
	assert_int_equal(channel_write_all(&writer, &byte, 1), OK);
	assert_int_equal(header->produced_count, 2);
}

#define STREAM_BYTES (4U << 20)

static void *produce(void *context)
{
	struct channel_writer *writer = context;
	uint32_t sent = 0;

	while (sent < STREAM_BYTES) {
		uint8_t bytes[257];
		size_t want = 1 + sent % sizeof(bytes);
		size_t written;

		want = want < STREAM_BYTES - sent ? want : STREAM_BYTES - sent;
		for (size_t i = 0; i < want; i++)
			bytes[i] = (uint8_t)((sent + i) * 31 >> 3);
		if (channel_write(writer, bytes, want, &written) != OK)
			return (void *)1;
		sent += (uint32_t)written;
		if (written == 0)
			sched_yield();
	}
	return NULL;
}

static void test_channel_streams_between_threads(void **state)
{
	struct channel_writer writer;
	struct channel_reader reader;
	pthread_t thread;
	void *result;
	uint32_t got = 0;

	(void)state;
	open_both(&writer, &reader, UINT32_MAX - STREAM_BYTES / 2);
	assert_int_equal(pthread_create(&thread, NULL, produce, &writer), 0);
	while (got < STREAM_BYTES) {
		uint8_t bytes[300];
		size_t count;

		assert_int_equal(channel_read(&reader, bytes, sizeof(bytes), &count), OK);
		for (size_t i = 0; i < count; i++)
			if (bytes[i] != (uint8_t)((got + i) * 31 >> 3))
				fail_msg("byte %zu of the stream is wrong", got + i);
		got += (uint32_t)count;
		if (count == 0)
			sched_yield();
	}
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_null(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_channel_open_refuses_bad_sizes),
		cmocka_unit_test(test_channel_carries_bytes_over_both_wraps),
		cmocka_unit_test(test_channel_full_and_empty),
		cmocka_unit_test(test_channel_refuses_impossible_counters),
		cmocka_unit_test(test_channel_own_counter_is_private),
		cmocka_unit_test(test_channel_streams_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
