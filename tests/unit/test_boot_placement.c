/* boot/common/placement.c: random places for kernel and heap. */
#include "tests/unit/unit.h"

#include "abi/layout.h"
#include "boot/common/placement.h"

#define NO_LIMIT UINT64_MAX

static const struct memory_map *two_pieces(void)
{
	static struct boot_memory entries[] = {
		{0x100000, 0x500000, BOOT_MEMORY_USABLE, 0},        /* places of 2 MiB: 0x200000, 0x400000 */
		{0x600000, 0x100000, BOOT_MEMORY_RESERVED, 0},
		{0x100000000, 0x600000, BOOT_MEMORY_USABLE, 0},     /* three more, above 4 GiB */
	};
	static const struct memory_map map = {.entries = entries, .count = 3, .capacity = 3};

	return &map;
}

static void test_place_physical_reaches_every_place(void **state)
{
	static const uint64_t expected[] = {0x200000, 0x400000, 0x100000000, 0x100200000, 0x100400000};

	(void)state;
	for (uint64_t random = 0; random < 10; random++) {
		uint64_t base = 0;

		assert_int_equal(place_physical(two_pieces(), PAGE_2M_BYTES, NO_LIMIT, random, &base), OK);
		assert_int_equal(base, expected[random % 5]);
	}
}

static void test_place_physical_exact_fit(void **state)
{
	uint64_t base = 0;

	(void)state;
	assert_int_equal(place_physical(two_pieces(), 0x600000, NO_LIMIT, 12345, &base), OK);
	assert_int_equal(base, 0x100000000);
}

static void test_place_physical_respects_limit(void **state)
{
	uint64_t base = 0;

	(void)state;
	for (uint64_t random = 0; random < 8; random++) {
		assert_int_equal(place_physical(two_pieces(), PAGE_2M_BYTES, 0x600000, random, &base), OK);
		assert_true(base + PAGE_2M_BYTES <= 0x600000);
	}
	assert_int_equal(place_physical(two_pieces(), PAGE_2M_BYTES, 0x3fffff, 0, &base), ERR_NO_MEMORY);
	assert_int_equal(place_physical(two_pieces(), PAGE_2M_BYTES, 0x400000, 0, &base), OK);
}

static void test_place_physical_says_when_nothing_fits(void **state)
{
	uint64_t base = 77;

	(void)state;
	assert_int_equal(place_physical(two_pieces(), 0x600001, NO_LIMIT, 0, &base), ERR_NO_MEMORY);
	assert_int_equal(place_physical(two_pieces(), UINT64_MAX, NO_LIMIT, 0, &base), ERR_NO_MEMORY);
	assert_int_equal(base, 77);
}

static void test_place_virtual_stays_in_range(void **state)
{
	uint64_t room = KERNEL_IMAGE_END - KERNEL_IMAGE_BASE;
	uint64_t base;

	(void)state;
	for (uint64_t random = 0; random < 2000; random += 7) {
		assert_int_equal(place_virtual(0x123000, random, &base), OK);
		assert_int_equal(base % PAGE_2M_BYTES, 0);
		assert_true(base >= KERNEL_IMAGE_BASE && 0x123000 <= KERNEL_IMAGE_END - base);
	}
	assert_int_equal(place_virtual(room, 99, &base), OK);
	assert_int_equal(base, KERNEL_IMAGE_BASE);
	assert_int_equal(place_virtual(room + 1, 99, &base), ERR_NO_MEMORY);
}

static void test_place_virtual_uses_both_ends(void **state)
{
	uint64_t places = (KERNEL_IMAGE_END - KERNEL_IMAGE_BASE) / PAGE_2M_BYTES;
	uint64_t base;

	(void)state;
	assert_int_equal(place_virtual(PAGE_2M_BYTES, 0, &base), OK);
	assert_int_equal(base, KERNEL_IMAGE_BASE);
	assert_int_equal(place_virtual(PAGE_2M_BYTES, places - 1, &base), OK);
	assert_int_equal(base, KERNEL_IMAGE_END - PAGE_2M_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place_physical_reaches_every_place),
		cmocka_unit_test(test_place_physical_exact_fit),
		cmocka_unit_test(test_place_physical_respects_limit),
		cmocka_unit_test(test_place_physical_says_when_nothing_fits),
		cmocka_unit_test(test_place_virtual_stays_in_range),
		cmocka_unit_test(test_place_virtual_uses_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
