/* kernel/page_table.c: walking, making and freeing tables. SDM Vol. 3A, "4-Level Paging". */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "abi/layout.h"
#include "kernel/chunks.h"
#include "kernel/page_table.h"
#include "kernel/pool.h"
#include "tests/fake/kernel_pc.h"

#define FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER)

static struct pool *pool;
static uint64_t *root;

static void boot(void)
{
	fake_pc_boot_simple(128 * FAKE_MIB);
	assert_int_equal(pool_create(root_pool, 0, 40 * PAGE_2M_BYTES, &pool), OK);
	root = pool_page_alloc(root_pool);
}

static uint64_t *next_table(const uint64_t *table, unsigned index)
{
	assert_int_equal(table[index] & ~PTE_ADDRESS, FLAGS);
	return direct_pointer(table[index] & PTE_ADDRESS);
}

static void body_walk(void)
{
	/* indexes 1, 2, 3, 4 and offset 5 */
	const uint64_t address = 1ULL << 39 | 2ULL << 30 | 3ULL << 21 | 4ULL << 12 | 5;
	uint64_t *pdpt, *directory, *table;

	boot();
	assert_ptr_equal(page_table_entry(root, address, 4, NULL, 0), &root[1]);
	for (unsigned level = 1; level <= 3; level++)
		assert_null(page_table_entry(root, address, level, NULL, 0));
	table = page_table_entry(root, address, 1, pool, FLAGS);
	assert_non_null(table);
	pdpt = next_table(root, 1);
	directory = next_table(pdpt, 2);
	assert_ptr_equal(table, next_table(directory, 3) + 4);
	assert_ptr_equal(page_table_entry(root, address, 2, NULL, 0), &directory[3]);
	assert_ptr_equal(page_table_entry(root, address, 3, NULL, 0), &pdpt[2]);
	assert_ptr_equal(page_table_entry(root, DIRECT_MAP_BASE, 4, NULL, 0), &root[256]);
	assert_ptr_equal(page_table_entry(root, UINT64_MAX, 4, NULL, 0), &root[511]);
}

static void body_large_pages_are_in_the_way(void)
{
	unsigned budget = UINT32_MAX;

	boot();
	*page_table_entry(root, 0x40000000, 3, pool, FLAGS) = PTE_PRESENT | PTE_LARGE;
	assert_null(page_table_entry(root, 0x40000000, 2, pool, FLAGS));
	*page_table_entry(root, 0x200000, 2, pool, FLAGS) = PTE_PRESENT | PTE_LARGE;
	assert_null(page_table_entry(root, 0x200000, 1, pool, FLAGS));
	assert_non_null(page_table_entry(root, 0x200000, 2, pool, FLAGS));
	page_table_free(&root[0], pool, &budget);
	assert_int_equal(root[0], 0);
}

static void body_free_gives_all_back(void)
{
	struct pool_info info;
	unsigned budget = UINT32_MAX;

	boot();
	srandom(3);
	for (unsigned i = 0; i < 2000; i++) {
		uint64_t address = ((uint64_t)random() << 16 ^ (uint64_t)random()) & (USER_END - 1);
		uint64_t *entry = page_table_entry(root, address, 1 + i % 3, pool, FLAGS);

		if (entry != NULL && *entry == 0 && i % 3 != 0)
			*entry = PTE_PRESENT | PTE_LARGE | 0x123456789000;
		else if (entry != NULL && *entry == 0)
			*entry = PTE_PRESENT | 0x123456789000;
	}
	for (unsigned i = 0; i < 256; i++)
		page_table_free(&root[i], pool, &budget);
	pool_describe(pool, &info);
	assert_int_equal(info.used_bytes, 0);
}

static void body_exhausted(void)
{
	unsigned made = 0, budget = UINT32_MAX;

	boot();
	while (page_table_entry(root, (uint64_t)made << 21, 1, pool, FLAGS) != NULL)
		made++;
	assert_true(made > 39 * 500);
	assert_non_null(page_table_entry(root, 0, 1, pool, FLAGS));
	page_table_free(&root[0], pool, &budget);
	assert_non_null(page_table_entry(root, (uint64_t)made << 21, 1, pool, FLAGS));
}

#define PC_TEST(name)                                         \
	static void test_kernel_page_table_##name(void **state) \
	{                                                     \
		(void)state;                                  \
		fake_pc_run(body_##name);                     \
	}
PC_TEST(walk)
PC_TEST(large_pages_are_in_the_way)
PC_TEST(free_gives_all_back)
PC_TEST(exhausted)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_page_table_walk),
		cmocka_unit_test(test_kernel_page_table_large_pages_are_in_the_way),
		cmocka_unit_test(test_kernel_page_table_free_gives_all_back),
		cmocka_unit_test(test_kernel_page_table_exhausted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
