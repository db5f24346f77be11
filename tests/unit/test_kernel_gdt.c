/* kernel/gdt.c: what a program finds through any selector while GDTR's limit is FFFFh, as every VM exit leaves it. */
#include "tests/unit/unit.h"

#include "abi/layout.h"
#include "kernel/gdt.h"
#include "kernel/kernel_map.h"
#include "kernel/page_table.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "tests/fake/kernel_pc.h"

#define CPUS 3U

static uint64_t entry_at(uint64_t address)
{
	const uint64_t *entry = page_table_entry(direct_pointer(kernel_map_cr3()), address, 1, NULL, 0);

	return entry != NULL ? *entry : 0;
}

static void make(struct percpu *cpu)
{
	static struct tss64 tss;

	cpu->tss = &tss;
	assert_int_equal(gdt_create(cpu), OK);
}

/* One read-only page, then nothing that could be mapped: also not another CPU's table. */
static void body_reaches_one_page(void)
{
	static struct percpu cpus[CPUS];

	fake_pc_boot_simple(64 * FAKE_MIB);
	for (unsigned i = 0; i < CPUS; i++)
		make(&cpus[i]);
	assert_non_null(pool_page_alloc(root_pool)); /* what is allocated next does not come behind a table */
	for (unsigned i = 0; i < CPUS; i++) {
		assert_int_equal(entry_at(cpus[i].gdtr_base),
				 direct_physical(cpus[i].gdt) | PTE_PRESENT | PTE_GLOBAL | PTE_NX);
		for (uint64_t at = PAGE_SIZE_BYTES; at <= 0xffff; at += PAGE_SIZE_BYTES)
			assert_int_equal(entry_at(cpus[i].gdtr_base + at), 0);
	}
}

/* No gate, no segment for ring 3 but the three meant for it; nothing that the CPU would have to mark as accessed. */
static void body_holds_only_the_table(void)
{
	static struct percpu cpu;
	unsigned for_ring_3 = 0;

	fake_pc_boot_simple(64 * FAKE_MIB);
	make(&cpu);
	for (unsigned i = 0; i < PAGE_SIZE_BYTES / 8; i++) {
		uint64_t descriptor = cpu.gdt[i];
		bool is_segment = (descriptor >> 44 & 1) != 0;

		if (i >= GDT_ENTRIES || i == 0)
			assert_int_equal(descriptor, 0);
		if (i == SELECTOR_TSS / 8 || i == SELECTOR_TSS / 8 + 1 || descriptor == 0)
			continue;
		assert_true(is_segment && (descriptor >> 40 & 1) != 0);
		for_ring_3 += (descriptor >> 45 & 3) == 3;
	}
	assert_int_equal(for_ring_3, 3);
	assert_int_equal(cpu.gdt[SELECTOR_TSS / 8] >> 45 & 3, 0);
}

#define PC_TEST(name)                                  \
	static void test_kernel_gdt_##name(void **state) \
	{                                              \
		(void)state;                           \
		fake_pc_run(body_##name);              \
	}
PC_TEST(reaches_one_page)
PC_TEST(holds_only_the_table)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_gdt_reaches_one_page),
		cmocka_unit_test(test_kernel_gdt_holds_only_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
