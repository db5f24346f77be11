/* kernel/symbols.c over a small table: the symbol at, before and behind each boundary. */
#include "tests/unit/unit.h"

#include "kernel/symbols.h"

/* What the linker and tools/ksyms.py provide: an image of 256 bytes. */
extern const uint8_t image_start[], text_end[];
extern const uint32_t symbol_count, symbol_offsets[], symbol_names[];
extern const char symbol_text[];
__asm__(".pushsection .rodata\n.globl image_start, text_end\nimage_start: .zero 256\ntext_end: .byte 0\n.popsection");
const uint32_t symbol_count = 3;
const uint32_t symbol_offsets[] = {16, 17, 100};
const uint32_t symbol_names[] = {0, 4, 8};
const char symbol_text[] = "one\0two\0three";

static void assert_symbol(uint64_t at, const char *expected, uint64_t expected_offset)
{
	uint64_t offset = 99;
	const char *name = symbol_name((uintptr_t)image_start + at, &offset);

	if (expected == NULL) {
		assert_null(name);
	} else {
		assert_string_equal(name, expected);
		assert_int_equal(offset, expected_offset);
	}
}

static void test_symbols_boundaries(void **state)
{
	(void)state;
	assert_symbol(0, NULL, 0);
	assert_symbol(15, NULL, 0);
	assert_symbol(16, "one", 0);
	assert_symbol(17, "two", 0);
	assert_symbol(99, "two", 82);
	assert_symbol(100, "three", 0);
	assert_symbol(255, "three", 155);
	assert_symbol(256, NULL, 0);
	assert_symbol((uint64_t)-1, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_symbols_boundaries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
