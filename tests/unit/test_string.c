/* The memory functions that the images link, under other names beside libc's: every length, place and distance. */
#include "tests/unit/unit.h"

/* lib/base/string.c, whose names lib/base/base.mk changes. */
void *image_memcpy(void *restrict dst, const void *restrict src, size_t len_bytes);
void *image_memset(void *dst, int byte, size_t len_bytes);
void *image_memmove(void *dst, const void *src, size_t len_bytes);

#define BYTES   96U
#define LONGEST 40U
#define PLACES  9U

static uint8_t memory[BYTES], expected[BYTES];

static void fill(void)
{
	for (unsigned i = 0; i < BYTES; i++)
		memory[i] = expected[i] = (uint8_t)(i * 7 + 1);
}

static void test_copies_those_bytes_and_no_others(void **state)
{
	(void)state;
	for (unsigned len = 0; len <= LONGEST; len++) {
		for (unsigned to = 0; to < PLACES; to++) {
			fill();
			memmove(expected + to, expected + BYTES / 2 + 3, len);
			assert_ptr_equal(image_memcpy(memory + to, memory + BYTES / 2 + 3, len), memory + to);
			assert_memory_equal(memory, expected, BYTES);
		}
	}
}

static void test_moves_between_overlapping_places(void **state)
{
	(void)state;
	for (unsigned len = 0; len <= LONGEST; len++) {
		for (unsigned to = 0; to < 2 * PLACES; to++) {
			fill();
			memmove(expected + to, expected + PLACES, len);
			assert_ptr_equal(image_memmove(memory + to, memory + PLACES, len), memory + to);
			assert_memory_equal(memory, expected, BYTES);
		}
	}
}

static void test_sets_those_bytes_and_no_others(void **state)
{
	(void)state;
	for (unsigned len = 0; len <= LONGEST; len++) {
		for (unsigned to = 0; to < PLACES; to++) {
			fill();
			memset(expected + to, 0xa5, len);
			assert_ptr_equal(image_memset(memory + to, 0x11a5, len), memory + to);
			assert_memory_equal(memory, expected, BYTES);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_copies_those_bytes_and_no_others),
		cmocka_unit_test(test_moves_between_overlapping_places),
		cmocka_unit_test(test_sets_those_bytes_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
