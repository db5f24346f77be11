/* boot/common/page_tables.c and arena.c. The walker here is written from the manual, not from the code under test. */
#include "tests/unit/unit.h"

#include "abi/layout.h"
#include "boot/common/page_tables.h"

#define ARENA_PHYSICAL 0x40000000ULL
#define ARENA_BYTES    (64U * 4096U)

static uint8_t arena_memory[ARENA_BYTES] __attribute__((aligned(4096)));

static struct arena fresh_arena(uint64_t length_bytes)
{
	memset(arena_memory, 0xa5, sizeof(arena_memory));
	return (struct arena){.memory = arena_memory, .physical = ARENA_PHYSICAL, .length_bytes = length_bytes};
}

/* SDM Vol. 3A, "4-Level Paging": the entry that maps an address, 0 if none; *level 1 for 4 KiB, 2 for 2 MiB pages. */
static uint64_t walk(const struct page_tables *tables, uint64_t address, unsigned *level)
{
	uint64_t table = tables->root_physical;

	for (*level = 4; *level > 0; (*level)--) {
		uint64_t entry;

		assert_true(table >= ARENA_PHYSICAL && table < ARENA_PHYSICAL + ARENA_BYTES);
		memcpy(&entry, arena_memory + (table - ARENA_PHYSICAL) + (address >> (3 + 9 * *level) & 511) * 8, 8);
		if (!(entry & 1))
			return 0;
		if (*level == 1 || (entry & 0x80))
			return entry;
		table = entry & 0x000ffffffffff000ULL;
	}
	return 0;
}

static void test_page_tables_map_small_and_large(void **state)
{
	struct arena arena = fresh_arena(ARENA_BYTES);
	struct page_tables tables;
	unsigned level;

	(void)state;
	assert_int_equal(page_tables_init(&tables, &arena), OK);
	assert_int_equal(page_tables_map(&tables, 0xffffffff80200000, 0x12345000, 0x3000, PAGE_SIZE_BYTES, 0), OK);
	assert_int_equal(page_tables_map(&tables, DIRECT_MAP_BASE + 0x7fffe00000, 0x7fffe00000, 0x400000, PAGE_2M_BYTES,
					 PTE_WRITABLE | PTE_NO_EXECUTE), OK);
	assert_int_equal(walk(&tables, 0xffffffff80202fff, &level), 0x12347001);
	assert_int_equal(level, 1);
	assert_int_equal(walk(&tables, 0xffffffff80203000, &level), 0);
	assert_int_equal(walk(&tables, 0xffffffff801ff000, &level), 0);
	assert_int_equal(walk(&tables, DIRECT_MAP_BASE + 0x8000000000, &level), 0x8000008000000083); /* crosses a PML4 entry */
	assert_int_equal(level, 2);
	assert_int_equal(walk(&tables, DIRECT_MAP_BASE + 0x8000200000, &level), 0);
}

static void test_page_tables_reject_overlap(void **state)
{
	struct arena arena = fresh_arena(ARENA_BYTES);
	struct page_tables tables;

	(void)state;
	assert_int_equal(page_tables_init(&tables, &arena), OK);
	assert_int_equal(page_tables_map(&tables, 0x200000, 0x200000, 0x200000, PAGE_2M_BYTES, 0), OK);
	assert_int_equal(page_tables_map(&tables, 0x200000, 0x200000, 0x200000, PAGE_2M_BYTES, 0), ERR_EXISTS);
	assert_int_equal(page_tables_map(&tables, 0x3ff000, 0, 0x1000, PAGE_SIZE_BYTES, 0), ERR_EXISTS);
	assert_int_equal(page_tables_map(&tables, 0x400000, 0, 0x1000, PAGE_SIZE_BYTES, 0), OK);
	assert_int_equal(page_tables_map(&tables, 0x400000, 0, 0x200000, PAGE_2M_BYTES, 0), ERR_EXISTS);
}

static void test_page_tables_reject_misaligned(void **state)
{
	struct arena arena = fresh_arena(ARENA_BYTES);
	struct page_tables tables;

	(void)state;
	assert_int_equal(page_tables_init(&tables, &arena), OK);
	assert_int_equal(page_tables_map(&tables, 0x1800, 0, 0x1000, PAGE_SIZE_BYTES, 0), ERR_MISALIGNED);
	assert_int_equal(page_tables_map(&tables, 0x1000, 1, 0x1000, PAGE_SIZE_BYTES, 0), ERR_MISALIGNED);
	assert_int_equal(page_tables_map(&tables, 0x1000, 0, 0x1001, PAGE_SIZE_BYTES, 0), ERR_MISALIGNED);
	assert_int_equal(page_tables_map(&tables, 0x1000, 0, 0x200000, PAGE_2M_BYTES, 0), ERR_MISALIGNED);
}

static void test_page_tables_say_when_memory_ends(void **state)
{
	struct arena arena = fresh_arena(3 * 4096);
	struct page_tables tables;

	(void)state;
	assert_int_equal(page_tables_init(&tables, &arena), OK);
	assert_int_equal(page_tables_map(&tables, 0x1000, 0, 0x1000, PAGE_SIZE_BYTES, 0), ERR_NO_MEMORY);
	arena = fresh_arena(4095);
	assert_int_equal(page_tables_init(&tables, &arena), ERR_NO_MEMORY);
}

static void test_arena_aligns_zeroes_and_ends(void **state)
{
	struct arena arena = fresh_arena(256);
	uint8_t *first = arena_alloc(&arena, 3, 1);
	uint8_t *second = arena_alloc(&arena, 64, 64);

	(void)state;
	assert_ptr_equal(first, arena_memory);
	assert_ptr_equal(second, arena_memory + 64);
	assert_int_equal(second[63], 0);
	assert_int_equal(arena_physical(&arena, second), ARENA_PHYSICAL + 64);
	assert_ptr_equal(arena_at(&arena, ARENA_PHYSICAL + 64), second);
	assert_null(arena_alloc(&arena, 129, 1));
	assert_null(arena_alloc(&arena, UINT64_MAX, 1));
	assert_null(arena_alloc(&arena, 0, 512));
	assert_non_null(arena_alloc(&arena, 128, 128));
	assert_int_equal(arena.used_bytes, 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_tables_map_small_and_large),
		cmocka_unit_test(test_page_tables_reject_overlap),
		cmocka_unit_test(test_page_tables_reject_misaligned),
		cmocka_unit_test(test_page_tables_say_when_memory_ends),
		cmocka_unit_test(test_arena_aligns_zeroes_and_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
