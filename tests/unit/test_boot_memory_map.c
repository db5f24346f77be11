/* boot/common/memory_map.c and uefi_memory.c: what firmware says becomes the map that abi/boot_info.h promises. */
#include "tests/unit/unit.h"

#include "boot/common/memory_map.h"
#include "boot/common/uefi_memory.h"

#define PIECES 64U

struct maps {
	struct boot_memory raw_entries[PIECES], normal_entries[PIECES];
	struct memory_map raw, normal;
};

static void start(struct maps *maps)
{
	memset(maps, 0, sizeof(*maps));
	maps->raw = (struct memory_map){.entries = maps->raw_entries, .capacity = PIECES};
	maps->normal = (struct memory_map){.entries = maps->normal_entries, .capacity = PIECES};
}

static void add(struct maps *maps, uint64_t base, uint64_t length, uint32_t type)
{
	assert_int_equal(memory_map_add(&maps->raw, base, length, type), OK);
}

static void normalize(struct maps *maps, bool for_kernel)
{
	assert_int_equal(memory_map_normalize(&maps->raw, for_kernel, &maps->normal), OK);
}

static void expect(const struct maps *maps, uint32_t index, uint64_t base, uint64_t length, uint32_t type)
{
	assert_true(index < maps->normal.count);
	assert_int_equal(maps->normal.entries[index].base_physical, base);
	assert_int_equal(maps->normal.entries[index].length_bytes, length);
	assert_int_equal(maps->normal.entries[index].type, type);
}

static void test_memory_map_sorts_and_joins(void **state)
{
	static struct maps maps;

	(void)state;
	start(&maps);
	add(&maps, 0x300000, 0x1000, BOOT_MEMORY_USABLE);
	add(&maps, 0x100000, 0x100000, BOOT_MEMORY_USABLE);
	add(&maps, 0x200000, 0x100000, BOOT_MEMORY_USABLE);
	add(&maps, 0x400000, 0, BOOT_MEMORY_BAD);
	normalize(&maps, true);
	assert_int_equal(maps.normal.count, 1);
	expect(&maps, 0, 0x100000, 0x201000, BOOT_MEMORY_USABLE);
}

static void test_memory_map_rounds_usable_inward_others_outward(void **state)
{
	static struct maps maps;

	(void)state;
	start(&maps);
	add(&maps, 0x1001, 0x8ffe, BOOT_MEMORY_USABLE); /* [0x1001, 0x9fff): pages 2 to 8 */
	add(&maps, 0x9fff, 2, BOOT_MEMORY_RESERVED);    /* touches pages 9 and 10 */
	normalize(&maps, true);
	assert_int_equal(maps.normal.count, 2);
	expect(&maps, 0, 0x2000, 0x7000, BOOT_MEMORY_USABLE);
	expect(&maps, 1, 0x9000, 0x2000, BOOT_MEMORY_RESERVED);
}

static void test_memory_map_drops_usable_smaller_than_a_page(void **state)
{
	static struct maps maps;

	(void)state;
	start(&maps);
	add(&maps, 0x5800, 0x1000, BOOT_MEMORY_USABLE);
	normalize(&maps, true);
	assert_int_equal(maps.normal.count, 0);
}

static void test_memory_map_most_restrictive_wins(void **state)
{
	static struct maps maps;

	(void)state;
	start(&maps);
	add(&maps, 0x100000, 0x10000, BOOT_MEMORY_USABLE);
	add(&maps, 0x104000, 0x4000, BOOT_MEMORY_FILES);
	add(&maps, 0x106000, 0x4000, BOOT_MEMORY_RESERVED);
	normalize(&maps, true);
	assert_int_equal(maps.normal.count, 4);
	expect(&maps, 0, 0x100000, 0x4000, BOOT_MEMORY_USABLE);
	expect(&maps, 1, 0x104000, 0x2000, BOOT_MEMORY_FILES);
	expect(&maps, 2, 0x106000, 0x4000, BOOT_MEMORY_RESERVED);
	expect(&maps, 3, 0x10a000, 0x6000, BOOT_MEMORY_USABLE);
}

static void test_memory_map_order_of_strength(void **state)
{
	static const uint32_t rising[] = {BOOT_MEMORY_USABLE,       MEMORY_LOADER,        BOOT_MEMORY_KERNEL,
					  BOOT_MEMORY_HEAP,         BOOT_MEMORY_FILES,    BOOT_MEMORY_ACPI_RECLAIM,
					  BOOT_MEMORY_ACPI_NVS,     BOOT_MEMORY_UEFI_RUNTIME,
					  BOOT_MEMORY_RESERVED,     BOOT_MEMORY_BAD};

	(void)state;
	for (unsigned weak = 0; weak < 10; weak++) {
		for (unsigned strong = weak; strong < 10; strong++) {
			static struct maps maps;

			start(&maps);
			add(&maps, 0x10000, 0x1000, rising[strong]);
			add(&maps, 0x10000, 0x1000, rising[weak]);
			normalize(&maps, false);
			assert_int_equal(maps.normal.count, 1);
			expect(&maps, 0, 0x10000, 0x1000, rising[strong]);
		}
	}
}

static void test_memory_map_unknown_type_is_reserved(void **state)
{
	static struct maps maps;

	(void)state;
	start(&maps);
	add(&maps, 0x10000, 0x1000, 77);
	normalize(&maps, true);
	expect(&maps, 0, 0x10000, 0x1000, BOOT_MEMORY_RESERVED);
}

static void test_memory_map_first_page_is_never_usable(void **state)
{
	static struct maps maps;

	(void)state;
	start(&maps);
	add(&maps, 0, 0x9fc00, BOOT_MEMORY_USABLE);
	normalize(&maps, true);
	expect(&maps, 0, 0x1000, 0x9e000, BOOT_MEMORY_USABLE);
}

static void test_memory_map_loader_is_free_for_the_kernel_only(void **state)
{
	static struct maps maps;

	(void)state;
	start(&maps);
	add(&maps, 0x100000, 0x3000, BOOT_MEMORY_USABLE);
	add(&maps, 0x101000, 0x1000, MEMORY_LOADER);
	normalize(&maps, false);
	assert_int_equal(maps.normal.count, 3);
	assert_int_equal(memory_map_total(&maps.normal, BOOT_MEMORY_USABLE), 0x2000);
	normalize(&maps, true);
	assert_int_equal(maps.normal.count, 1);
	expect(&maps, 0, 0x100000, 0x3000, BOOT_MEMORY_USABLE);
}

static void test_memory_map_end_of_address_space(void **state)
{
	static struct maps maps;

	(void)state;
	start(&maps);
	add(&maps, 0xffffffffff000, UINT64_MAX, BOOT_MEMORY_RESERVED); /* the last page below 2^52 */
	add(&maps, 0x10000000000000, 0x1000, BOOT_MEMORY_USABLE);
	add(&maps, UINT64_MAX, UINT64_MAX, BOOT_MEMORY_USABLE);
	normalize(&maps, true);
	assert_int_equal(maps.normal.count, 1);
	expect(&maps, 0, 0xffffffffff000, 0x1000, BOOT_MEMORY_RESERVED);
}

static void test_memory_map_says_when_full(void **state)
{
	static struct maps maps;

	(void)state;
	start(&maps);
	maps.raw.capacity = 2;
	add(&maps, 0x10000, 0x1000, BOOT_MEMORY_USABLE);
	add(&maps, 0x20000, 0x1000, BOOT_MEMORY_USABLE);
	assert_int_equal(memory_map_add(&maps.raw, 0x30000, 0x1000, BOOT_MEMORY_USABLE), ERR_NO_SPACE);
	assert_int_equal(memory_map_add(&maps.raw, 0x30000, 0, BOOT_MEMORY_USABLE), OK);
	maps.normal.capacity = 1;
	assert_int_equal(memory_map_normalize(&maps.raw, true, &maps.normal), ERR_NO_SPACE);
}

/* One EFI_MEMORY_DESCRIPTOR with room for what later versions append. */
struct descriptor {
	uint32_t type, padding;
	uint64_t base, virtual_base, pages, attributes;
	uint64_t later;
};

static void test_uefi_memory_types(void **state)
{
	static const uint32_t expected[16] = {
		BOOT_MEMORY_RESERVED,     MEMORY_LOADER,            MEMORY_LOADER,       BOOT_MEMORY_USABLE,
		BOOT_MEMORY_USABLE,       BOOT_MEMORY_UEFI_RUNTIME, BOOT_MEMORY_UEFI_RUNTIME, BOOT_MEMORY_USABLE,
		BOOT_MEMORY_BAD,          BOOT_MEMORY_ACPI_RECLAIM, BOOT_MEMORY_ACPI_NVS, BOOT_MEMORY_RESERVED,
		BOOT_MEMORY_RESERVED,     BOOT_MEMORY_RESERVED,     BOOT_MEMORY_RESERVED, BOOT_MEMORY_RESERVED,
	};
	struct descriptor descriptors[16];
	static struct maps maps;

	(void)state;
	start(&maps);
	for (uint32_t i = 0; i < 16; i++)
		descriptors[i] = (struct descriptor){.type = i, .base = 0x1000 * i, .pages = 1, .attributes = 0xf};
	assert_int_equal(uefi_memory_add(&maps.raw, descriptors, sizeof(descriptors), sizeof(descriptors[0]), MEMORY_LOADER), OK);
	assert_int_equal(maps.raw.count, 16);
	for (uint32_t i = 0; i < 16; i++)
		assert_int_equal(maps.raw.entries[i].type, expected[i]);
}

static void test_uefi_memory_attributes(void **state)
{
	struct descriptor descriptors[] = {
		{.type = 7, .base = 0x1000, .pages = 1, .attributes = 0x1},                   /* uncached only */
		{.type = 7, .base = 0x3000, .pages = 1, .attributes = 0x4000f},               /* specific purpose */
		{.type = 4, .base = 0x5000, .pages = 1, .attributes = 0x800000000000000fULL}, /* runtime */
	};
	static struct maps maps;

	(void)state;
	start(&maps);
	assert_int_equal(uefi_memory_add(&maps.raw, descriptors, sizeof(descriptors), sizeof(descriptors[0]), MEMORY_LOADER), OK);
	assert_int_equal(maps.raw.entries[0].type, BOOT_MEMORY_RESERVED);
	assert_int_equal(maps.raw.entries[1].type, BOOT_MEMORY_RESERVED);
	assert_int_equal(maps.raw.entries[2].type, BOOT_MEMORY_UEFI_RUNTIME);
}

static void test_uefi_memory_rejects_small_descriptors(void **state)
{
	struct descriptor descriptor = {.type = 7};
	static struct maps maps;

	(void)state;
	start(&maps);
	assert_int_equal(uefi_memory_add(&maps.raw, &descriptor, sizeof(descriptor), 39, MEMORY_LOADER), ERR_BAD_FORMAT);
	assert_int_equal(uefi_memory_add(&maps.raw, &descriptor, sizeof(descriptor), 0, MEMORY_LOADER), ERR_BAD_FORMAT);
	assert_int_equal(uefi_memory_add(&maps.raw, &descriptor, 39, 40, MEMORY_LOADER), OK);
	assert_int_equal(maps.raw.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_map_sorts_and_joins),
		cmocka_unit_test(test_memory_map_rounds_usable_inward_others_outward),
		cmocka_unit_test(test_memory_map_drops_usable_smaller_than_a_page),
		cmocka_unit_test(test_memory_map_most_restrictive_wins),
		cmocka_unit_test(test_memory_map_order_of_strength),
		cmocka_unit_test(test_memory_map_unknown_type_is_reserved),
		cmocka_unit_test(test_memory_map_first_page_is_never_usable),
		cmocka_unit_test(test_memory_map_loader_is_free_for_the_kernel_only),
		cmocka_unit_test(test_memory_map_end_of_address_space),
		cmocka_unit_test(test_memory_map_says_when_full),
		cmocka_unit_test(test_uefi_memory_types),
		cmocka_unit_test(test_uefi_memory_attributes),
		cmocka_unit_test(test_uefi_memory_rejects_small_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
