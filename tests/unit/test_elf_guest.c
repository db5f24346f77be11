/* Guests' ELF images of both layouts, built by hand. */
#include "lib/elf/guest.h"
#include "tests/unit/guest_elf.h"
#include "tests/unit/unit.h"

static uint8_t file[0x2000];
static struct guest_elf elf;
static struct elf_guest image;
static struct elf_problem problem;

static void build(bool is_64_bit)
{
	memset(file, 0, sizeof(file));
	elf = guest_elf_begin(file, is_64_bit, is_64_bit ? 62 : 3, 0xc0100010);
	guest_elf_add(&elf, 1, 0x1000, 0xc0100000, 0x100000, 0x200, 0x300);
	guest_elf_add(&elf, 4, 0x800, 0, 0, guest_elf_note(file + 0x800, 0x100020, is_64_bit ? 8 : 4), 0);
	guest_elf_add(&elf, 1, 0x1200, 0xc0200000, 0x200000, 0, 0x1000);
}

static enum status parse(void)
{
	return elf_guest_parse(file, sizeof(file), &image, &problem);
}

static enum status list(void)
{
	enum status status = parse();

	return status == OK ? elf_guest_segments(&image, &problem) : status;
}

static void expect_problem(enum status status, const char *what, uint64_t number)
{
	assert_int_equal(list(), status);
	assert_string_equal(problem.what, what);
	assert_int_equal(problem.number, number);
}

static void test_elf_guest_reads_both_layouts(void **state)
{
	const void *descriptor;
	size_t bytes;

	(void)state;
	for (unsigned is_64_bit = 0; is_64_bit < 2; is_64_bit++) {
		build(is_64_bit);
		assert_int_equal(list(), OK);
		assert_true(image.is_64_bit == is_64_bit);
		assert_int_equal(image.segment_count, 2);
		assert_int_equal(image.segments[0].physical_address, 0x100000);
		assert_int_equal(image.segments[0].file_offset, 0x1000);
		assert_int_equal(image.segments[0].file_bytes, 0x200);
		assert_int_equal(image.segments[0].memory_bytes, 0x300);
		assert_int_equal(image.segments[1].virtual_address, 0xc0200000);
		assert_int_equal(elf_guest_physical(&image, image.entry), 0x100010);
		assert_int_equal(elf_guest_physical(&image, 0xc0200fff), 0x200fff);
		assert_int_equal(elf_guest_physical(&image, 0xc0201000), 0xc0201000);
		assert_int_equal(elf_guest_find_note(&image, "Xen", 18, &descriptor, &bytes), OK);
		assert_ptr_equal(descriptor, file + 0x810);
		assert_int_equal(bytes, is_64_bit ? 8 : 4);
		assert_int_equal(elf_guest_find_note(&image, "Xen", 17, &descriptor, &bytes), ERR_NOT_FOUND);
		assert_int_equal(elf_guest_find_note(&image, "Xem", 18, &descriptor, &bytes), ERR_NOT_FOUND);
	}
}

static void test_elf_guest_takes_64_bit_code_in_the_small_layout(void **state)
{
	(void)state;
	build(false);
	guest_elf_put(file, 18, 62, 2);
	assert_int_equal(list(), OK);
	assert_false(image.is_64_bit);
	guest_elf_put(file, 18, 40, 2);
	expect_problem(ERR_BAD_FORMAT, "ELF file of another machine than a PC", 40);
}

/* A table that is damaged hides no other; one with p_align 8 pads its names and descriptors to 8. */
static void test_elf_guest_passes_over_damaged_notes(void **state)
{
	const void *descriptor;
	size_t bytes;

	(void)state;
	build(true);
	guest_elf_add(&elf, 4, 0x900, 0, 0, 52, 0);
	guest_elf_put(file, GUEST_ELF_HEADERS_AT + 3 * 56 + 48, 8, 8);
	memcpy(file + 0x900, "\5\0\0\0\2\0\0\0\7\0\0\0ABCD\0", 17);
	memset(file + 0x900 + 24, 0xff, 2);
	guest_elf_note(file + 0x900 + 32, 0x1234, 4);
	guest_elf_put(file, 0x804, UINT32_MAX, 4);
	assert_int_equal(parse(), OK);
	assert_int_equal(elf_guest_find_note(&image, "Xen", 18, &descriptor, &bytes), OK);
	assert_ptr_equal(descriptor, file + 0x900 + 32 + 16);
	guest_elf_put(file, GUEST_ELF_HEADERS_AT + 3 * 56 + 8, sizeof(file) - 51, 8);
	assert_int_equal(elf_guest_find_note(&image, "Xen", 18, &descriptor, &bytes), ERR_NOT_FOUND);
}

static void test_elf_guest_says_what_is_wrong(void **state)
{
	(void)state;
	build(true);
	guest_elf_put(file, 0x40 + 32, 0x1001, 8);
	expect_problem(ERR_TRUNCATED, "segment lies past the end of the file", 0x1000);
	build(true);
	guest_elf_put(file, 0x40 + 32, 0x301, 8);
	expect_problem(ERR_BAD_FORMAT, "segment is larger in the file than in memory", 0x301);
	build(true);
	guest_elf_put(file, 0x40 + 24, UINT64_MAX - 0x300, 8);
	assert_int_equal(list(), OK);
	guest_elf_put(file, 0x40 + 24, UINT64_MAX - 0x2ff, 8);
	expect_problem(ERR_BAD_FORMAT, "segment wraps around the end of addresses", UINT64_MAX - 0x2ff);
	build(false);
	guest_elf_put(file, 44, 65, 2);
	expect_problem(ERR_BAD_FORMAT, "number of program headers", 65);
	build(false);
	guest_elf_put(file, 28, sizeof(file) - 3 * 32 + 1, 4);
	expect_problem(ERR_TRUNCATED, "program headers lie past the end of the file", sizeof(file) - 3 * 32 + 1);
	build(false);
	guest_elf_put(file, 42, 56, 2);
	expect_problem(ERR_BAD_FORMAT, "program headers have another size", 56);
	build(false);
	guest_elf_put(file, 16, 1, 2);
	expect_problem(ERR_BAD_FORMAT, "ELF file that is no program: type", 1);
	build(false);
	guest_elf_put(file, 4, 3, 1);
	expect_problem(ERR_BAD_FORMAT, "ELF file of unknown class", 3);
	build(false);
	guest_elf_put(file, 44, 0, 2);
	elf.count = 0;
	guest_elf_add(&elf, 4, 0, 0, 0, 0, 0);
	expect_problem(ERR_BAD_FORMAT, "nothing to load: segments", 0);
	build(true);
	elf.count = 0;
	for (unsigned i = 0; i <= ELF_GUEST_SEGMENT_MAX; i++)
		guest_elf_add(&elf, 1, 0, 0, 0x100000, 1, 1);
	expect_problem(ERR_NO_SPACE, "too many segments; at most", ELF_GUEST_SEGMENT_MAX);
}

static void test_elf_guest_refuses_every_truncation_of_headers(void **state)
{
	(void)state;
	for (unsigned is_64_bit = 0; is_64_bit < 2; is_64_bit++) {
		size_t end = GUEST_ELF_HEADERS_AT + 3 * (is_64_bit ? 56U : 32U);

		build(is_64_bit);
		for (size_t size = 0; size < end; size++)
			assert_int_equal(elf_guest_parse(file, size, &image, &problem), ERR_TRUNCATED);
		assert_int_equal(elf_guest_parse(file, end, &image, &problem), OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf_guest_reads_both_layouts),
		cmocka_unit_test(test_elf_guest_takes_64_bit_code_in_the_small_layout),
		cmocka_unit_test(test_elf_guest_passes_over_damaged_notes),
		cmocka_unit_test(test_elf_guest_says_what_is_wrong),
		cmocka_unit_test(test_elf_guest_refuses_every_truncation_of_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
