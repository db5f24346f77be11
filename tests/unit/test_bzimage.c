/* A bzImage header built by hand, with the values of a recent Debian kernel. Offsets: boot.rst, "The Real-Mode Kernel
 * Header", and zero-page.rst. */
#include "lib/bzimage/bzimage.h"
#include "tests/unit/unit.h"

#define SETUP_BYTES 0x4000
#define CODE_BYTES  0x8000
#define MIB         0x100000ULL

static uint8_t file[SETUP_BYTES + CODE_BYTES];
static uint8_t page[BZIMAGE_BOOT_PARAMS_BYTES];
static struct bzimage image;
static struct bzimage_plan plan;
static struct bzimage_problem problem;

static void put(size_t offset, uint64_t value, unsigned width)
{
	memcpy(file + offset, &value, width);
}

static uint64_t get(size_t offset, unsigned width)
{
	uint64_t value = 0;

	memcpy(&value, page + offset, width);
	return value;
}

static int build_file(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	put(0x1f1, SETUP_BYTES / 512 - 1, 1);
	put(0x1f4, CODE_BYTES / 16, 4);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x6aeb, 2);
	put(0x202, 0x53726448, 4);
	put(0x206, 0x020f, 2);
	put(0x211, 1, 1);
	put(0x22c, 0x7fffffff, 4);
	put(0x230, 0x200000, 4);
	put(0x234, 1, 1);
	put(0x236, 0x7f, 2);
	put(0x238, 2047, 4);
	put(0x258, 16 * MIB, 8);
	put(0x260, 0x2000001, 4);
	return 0;
}

static enum status parse(void)
{
	return bzimage_parse(file, sizeof(file), sizeof(file), &image, &problem);
}

static void test_bzimage_parse_reads_the_header(void **state)
{
	(void)state;
	assert_int_equal(parse(), OK);
	assert_int_equal(image.code_offset, SETUP_BYTES);
	assert_int_equal(image.code_bytes, CODE_BYTES);
	assert_int_equal(image.header_bytes, 0x202 + 0x6a - 0x1f1);
	assert_int_equal(image.preferred_address, 16 * MIB);
	assert_true(image.relocatable && image.above_4g);
}

static void test_bzimage_parse_says_why_it_refuses(void **state)
{
	(void)state;
	put(0x206, 0x0209, 2);
	assert_int_equal(parse(), ERR_UNSUPPORTED);
	assert_string_equal(problem.what, "Linux kernel too old: boot protocol below 2.10");
	build_file(NULL);
	put(0x211, 0, 1);
	assert_int_equal(parse(), ERR_UNSUPPORTED);
	assert_string_equal(problem.what, "a zImage, which starts in 16-bit mode below 1 MiB");
	build_file(NULL);
	put(0x202, 0, 1);
	assert_int_equal(parse(), ERR_BAD_FORMAT);
	build_file(NULL);
	put(0x230, 3, 4);
	assert_int_equal(parse(), ERR_INVALID);
}

static void test_bzimage_parse_tells_32_bit_kernels(void **state)
{
	(void)state;
	assert_int_equal(parse(), OK);
	assert_true(image.has_64_bit_entry);
	put(0x236, 0x7e, 2);
	assert_int_equal(parse(), OK);
	assert_false(image.has_64_bit_entry);
	assert_true(image.above_4g);
	put(0x236, 0x7f, 2);
	put(0x206, 0x020b, 2);
	assert_int_equal(parse(), OK);
	assert_false(image.has_64_bit_entry || image.above_4g);
}

/* The values of memtest86+ 6.10 for i386 in Debian 12. */
static void test_bzimage_places_a_fixed_32_bit_kernel(void **state)
{
	const struct bzimage_range ranges[] = {{0, 0xa0000}, {MIB, 15 * MIB}};

	(void)state;
	put(0x206, 0x020c, 2);
	put(0x22c, 0, 4);
	put(0x230, 0x1000, 4);
	put(0x234, 0, 1);
	put(0x236, 4, 2);
	put(0x238, 255, 4);
	put(0x258, MIB, 8);
	put(0x260, 0x687f8, 4);
	assert_int_equal(parse(), OK);
	assert_int_equal(bzimage_place(&image, ranges, 2, 1, 0, &plan, &problem), OK);
	assert_int_equal(plan.kernel, MIB);
	assert_int_equal(plan.entry, MIB);
	assert_int_equal(plan.kernel_bytes, 0x69000);
	assert_int_equal(bzimage_place(&image, ranges, 1, 1, 0, &plan, &problem), ERR_NO_MEMORY);
	assert_int_equal(bzimage_place(&image, ranges, 2, 1, 1, &plan, &problem), ERR_NO_SPACE);
}

static void test_bzimage_parse_refuses_every_truncation(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(file) - 15; size++) {
		enum status expected = size < 0x208 ? ERR_BAD_FORMAT : ERR_TRUNCATED;

		assert_int_equal(bzimage_parse(file, size, size, &image, &problem), expected);
	}
	assert_int_equal(bzimage_parse(file, SETUP_BYTES, sizeof(file), &image, &problem), OK);
}

static void test_bzimage_place_prefers_the_preferred_address(void **state)
{
	const struct bzimage_range ranges[] = {{0, 0x9fc00}, {MIB, 511 * MIB}};

	(void)state;
	assert_int_equal(parse(), OK);
	assert_int_equal(bzimage_place(&image, ranges, 2, 14, 5 * MIB + 1, &plan, &problem), OK);
	assert_int_equal(plan.kernel, 16 * MIB);
	assert_int_equal(plan.kernel_bytes, 0x2001000);
	assert_int_equal(plan.entry, 16 * MIB + 0x200);
	assert_int_equal(plan.initrd, 512 * MIB - 5 * MIB - 4096);
	assert_int_equal(plan.boot_params, 0x10000);
	assert_int_equal(plan.page_tables, 0x11000);
	assert_int_equal(plan.gdt, 0x17fe0);
	assert_int_equal(plan.command_line, 0x18000);
}

static void test_bzimage_place_moves_a_relocatable_kernel(void **state)
{
	const struct bzimage_range ranges[] = {{33 * MIB, 40 * MIB}};

	(void)state;
	assert_int_equal(parse(), OK);
	assert_int_equal(bzimage_place(&image, ranges, 1, 1, MIB, &plan, &problem), OK);
	assert_int_equal(plan.kernel, 34 * MIB);
	assert_int_equal(plan.boot_params, 33 * MIB);
	assert_int_equal(plan.initrd, 72 * MIB);
	image.relocatable = false;
	assert_int_equal(bzimage_place(&image, ranges, 1, 1, MIB, &plan, &problem), ERR_NO_MEMORY);
}

/* It would move itself up to its preferred address, over whatever lies there. */
static void test_bzimage_place_never_goes_below_the_preferred_address(void **state)
{
	const struct bzimage_range small[] = {{0, 0xa0000}, {MIB, 47 * MIB}};
	const struct bzimage_range hole[] = {{MIB, 15 * MIB}, {24 * MIB, 277 * MIB}};

	(void)state;
	put(0x260, 40 * MIB, 4);
	assert_int_equal(parse(), OK);
	assert_int_equal(bzimage_place(&image, small, 2, 1, 4 * MIB, &plan, &problem), ERR_NO_MEMORY);
	assert_int_equal(problem.number, 56 * MIB);
	assert_int_equal(bzimage_place(&image, hole, 2, 1, 4 * MIB, &plan, &problem), OK);
	assert_int_equal(plan.kernel, 24 * MIB);
	image.preferred_address = UINT64_MAX;
	assert_int_equal(bzimage_place(&image, hole, 2, 1, 4 * MIB, &plan, &problem), ERR_NO_MEMORY);
}

static void test_bzimage_place_keeps_the_initrd_below_its_limit(void **state)
{
	const struct bzimage_range ranges[] = {{0, 0xa0000}, {MIB, 3071 * MIB}, {4096 * MIB, 1024 * MIB}};

	(void)state;
	assert_int_equal(parse(), OK);
	assert_int_equal(bzimage_place(&image, ranges, 3, 1, MIB, &plan, &problem), OK);
	assert_int_equal(plan.initrd, 2047 * MIB);
	image.initrd_last = 2 * MIB;
	assert_int_equal(bzimage_place(&image, ranges, 3, 1, 3 * MIB, &plan, &problem), OK);
	assert_int_equal(plan.initrd, 5117 * MIB);
	image.above_4g = false;
	assert_int_equal(bzimage_place(&image, ranges, 3, 1, 3 * MIB, &plan, &problem), ERR_NO_SPACE);
}

static void test_bzimage_place_refuses_what_does_not_fit(void **state)
{
	const struct bzimage_range ranges[] = {{0, 0xa0000}, {MIB, 48 * MIB}};

	(void)state;
	assert_int_equal(parse(), OK);
	assert_int_equal(bzimage_place(&image, ranges, 2, 1, 0, &plan, &problem), OK);
	assert_int_equal(plan.kernel, 16 * MIB);
	assert_int_equal(bzimage_place(&image, ranges, 2, 1, 16 * MIB, &plan, &problem), ERR_NO_SPACE);
	assert_int_equal(bzimage_place(&image, ranges, 1, 1, 0, &plan, &problem), ERR_NO_MEMORY);
	assert_int_equal(bzimage_place(&image, ranges, 2, 2048, 0, &plan, &problem), OK);
	assert_int_equal(bzimage_place(&image, ranges, 2, 2049, 0, &plan, &problem), ERR_OVERFLOW);
	assert_int_equal(bzimage_place(&image, ranges, 2, 1, UINT64_MAX, &plan, &problem), ERR_NO_SPACE);
}

static void test_bzimage_fill_boot_params_sets_what_a_loader_must(void **state)
{
	const struct bzimage_range ranges[] = {{0, 0xa0000}, {MIB, 511 * MIB}, {0x200000000, 64 * MIB}};
	const struct bzimage_e820 e820[] = {{0, 0xa0000, 1}, {0xf0000, 0x10000, 2}, {MIB, 511 * MIB, 1}};

	(void)state;
	assert_int_equal(parse(), OK);
	image.initrd_last = 0;
	assert_int_equal(bzimage_place(&image, ranges, 3, 30, MIB, &plan, &problem), OK);
	assert_int_equal(bzimage_fill_boot_params(&image, &plan, e820, 3, 0xe0000, page), OK);
	assert_int_equal(get(0x070, 8), 0xe0000);
	assert_int_equal(get(0x0c0, 4), 2);
	assert_int_equal(get(0x218, 4), 63 * MIB);
	assert_int_equal(get(0x21c, 4), MIB);
	assert_int_equal(get(0x0c4, 4), 0);
	assert_int_equal(get(0x1e8, 1), 3);
	assert_int_equal(get(0x1ef, 1), 0); /* the sentinel */
	assert_int_equal(get(0x202, 4), 0x53726448);
	assert_int_equal(get(0x210, 1), 0xff);
	assert_int_equal(get(0x228, 4), plan.command_line);
	assert_int_equal(get(0x2d0 + 20, 8), 0xf0000);
	assert_int_equal(get(0x2d0 + 20 + 16, 4), 2);
	assert_int_equal(bzimage_fill_boot_params(&image, &plan, e820, 129, 0, page), ERR_NO_SPACE);
}

static void test_bzimage_page_tables_map_four_gib(void **state)
{
	static uint64_t tables[BZIMAGE_PAGE_TABLES_BYTES / 8];

	(void)state;
	bzimage_fill_page_tables(0x11000, tables);
	assert_int_equal(tables[0], 0x12003);
	assert_int_equal(tables[1], 0);
	assert_int_equal(tables[512 + 3], 0x16003);
	assert_int_equal(tables[512 + 4], 0);
	assert_int_equal(tables[2 * 512], 0x83);
	assert_int_equal(tables[6 * 512 - 1], 0xffe00083);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_bzimage_parse_reads_the_header, build_file),
		cmocka_unit_test_setup(test_bzimage_parse_says_why_it_refuses, build_file),
		cmocka_unit_test_setup(test_bzimage_parse_tells_32_bit_kernels, build_file),
		cmocka_unit_test_setup(test_bzimage_places_a_fixed_32_bit_kernel, build_file),
		cmocka_unit_test_setup(test_bzimage_parse_refuses_every_truncation, build_file),
		cmocka_unit_test_setup(test_bzimage_place_prefers_the_preferred_address, build_file),
		cmocka_unit_test_setup(test_bzimage_place_moves_a_relocatable_kernel, build_file),
		cmocka_unit_test_setup(test_bzimage_place_never_goes_below_the_preferred_address, build_file),
		cmocka_unit_test_setup(test_bzimage_place_keeps_the_initrd_below_its_limit, build_file),
		cmocka_unit_test_setup(test_bzimage_place_refuses_what_does_not_fit, build_file),
		cmocka_unit_test_setup(test_bzimage_fill_boot_params_sets_what_a_loader_must, build_file),
		cmocka_unit_test(test_bzimage_page_tables_map_four_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
