/* kernel/kernel_stack.c: slots, guard pages, and that failing costs nothing. */
#include "tests/unit/unit.h"

#include "kernel/chunks.h"
#include "kernel/config.h"
#include "kernel/kernel_map.h"
#include "kernel/page_table.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "tests/fake/kernel_pc.h"

static uint64_t entry_at(uint64_t address)
{
	const uint64_t *entry = page_table_entry(direct_pointer(kernel_map_cr3()), address, 1, NULL, 0);

	return entry != NULL ? *entry : 0;
}

static void body_layout(void)
{
	uint64_t first, second, slot;

	fake_pc_boot_simple(64 * FAKE_MIB);
	first = kernel_stack_alloc(root_pool);
	second = kernel_stack_alloc(root_pool);
	slot = first & ~(KERNEL_STACK_BYTES - 1);
	assert_int_equal(slot, KERNEL_STACKS_BASE);
	assert_int_equal(first, slot + KERNEL_STACK_BYTES - sizeof(struct stack_head));
	assert_int_equal(first % 16, 0);
	assert_int_equal(second, first + KERNEL_STACK_BYTES);
	assert_int_equal(entry_at(slot), 0); /* the guard page */
	assert_int_equal(entry_at(slot + KERNEL_STACK_BYTES), 0);
	for (uint64_t at = slot + PAGE_SIZE_BYTES; at < slot + KERNEL_STACK_BYTES; at += PAGE_SIZE_BYTES)
		assert_int_equal(entry_at(at) & ~PTE_ADDRESS, PTE_PRESENT | PTE_WRITE | PTE_GLOBAL | PTE_NX);
	kernel_stack_unmap(first);
	assert_false(entry_at(slot + PAGE_SIZE_BYTES) & PTE_PRESENT);
	assert_int_equal(kernel_stack_alloc(root_pool), second + KERNEL_STACK_BYTES); /* the place is not free before */
	kernel_stack_free(root_pool, first);
	assert_int_equal(entry_at(slot + PAGE_SIZE_BYTES), 0);
	assert_int_equal(kernel_stack_alloc(root_pool), first);
}

/* A program whose pool is empty asks for threads again and again: all slots are still there for others. */
static void body_failing_costs_no_slot(void)
{
	struct pool *poor = NULL;

	fake_pc_boot_simple(256 * FAKE_MIB);
	assert_int_equal(pool_create(root_pool, 0, PAGE_2M_BYTES, &poor), OK);
	for (unsigned pages = 0; pages < CHUNK_PAGES - 1; pages++)
		assert_non_null(pool_page_alloc(poor));
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(kernel_stack_alloc(poor), 0);
	assert_int_equal(kernel_stack_alloc(root_pool), KERNEL_STACKS_BASE + KERNEL_STACK_BYTES - sizeof(struct stack_head));
	assert_non_null(pool_page_alloc(poor)); /* its last page is back too */
}

/* More at once than any list of free ones would remember, twice. */
static void body_many(void)
{
	static uint64_t tops[5000];
	uint64_t highest = 0;

	fake_pc_boot_simple(256 * FAKE_MIB);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 5000; i++) {
			tops[i] = kernel_stack_alloc(root_pool);
			assert_true(tops[i] != 0);
			highest = tops[i] > highest ? tops[i] : highest;
		}
		for (unsigned i = 0; i < 5000; i++) {
			kernel_stack_unmap(tops[i]);
			kernel_stack_free(root_pool, tops[i]);
		}
	}
	assert_int_equal(highest, KERNEL_STACKS_BASE + 5000 * KERNEL_STACK_BYTES - sizeof(struct stack_head));
}

/* A VM's pool and the pools that its VMM makes from it share one limit; other VMs have theirs, whatever this one does. */
static void body_each_vm_has_its_own(void)
{
	static uint64_t tops[POOL_STACKS_MAX];
	struct pool *greedy, *below, *other;

	fake_pc_boot_simple(256 * FAKE_MIB);
	assert_int_equal(pool_create(root_pool, 0, 20 * PAGE_2M_BYTES, &greedy), OK);
	assert_int_equal(pool_create(root_pool, 0, 20 * PAGE_2M_BYTES, &other), OK);
	for (unsigned i = 0; i < POOL_STACKS_MAX; i++) {
		tops[i] = kernel_stack_alloc(greedy);
		assert_true(tops[i] != 0);
	}
	assert_int_equal(kernel_stack_alloc(greedy), 0);
	object_put(pool_object(other)); /* and comes again */
	assert_int_equal(pool_create(greedy, 0, 4 * PAGE_2M_BYTES, &below), OK);
	assert_int_equal(kernel_stack_alloc(below), 0);
	assert_int_equal(pool_create(root_pool, 0, 20 * PAGE_2M_BYTES, &other), OK);
	assert_true(kernel_stack_alloc(other) != 0);
	kernel_stack_unmap(tops[0]);
	kernel_stack_free(greedy, tops[0]);
	assert_true(kernel_stack_alloc(below) != 0);
	assert_int_equal(kernel_stack_alloc(greedy), 0);
}

#define PC_TEST(name)                                    \
	static void test_kernel_stack_##name(void **state) \
	{                                                \
		(void)state;                             \
		fake_pc_run(body_##name);                \
	}
PC_TEST(layout)
PC_TEST(failing_costs_no_slot)
PC_TEST(many)
PC_TEST(each_vm_has_its_own)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_stack_layout),
		cmocka_unit_test(test_kernel_stack_failing_costs_no_slot),
		cmocka_unit_test(test_kernel_stack_many),
		cmocka_unit_test(test_kernel_stack_each_vm_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
