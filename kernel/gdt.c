/* The GDT's contents and place. */
#include "kernel/gdt.h"

#include <stddef.h>

#include "abi/layout.h"
#include "kernel/kernel_map.h"
#include "kernel/page_table.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"

/* All code and data descriptors are marked accessed: the CPU never has a reason to write to the table. */
static void fill(const struct percpu *cpu)
{
	uint64_t base = (uintptr_t)cpu->tss;
	uint64_t limit = sizeof(struct tss64) - 1;

	cpu->gdt[1] = 0x00af9b000000ffffULL; /* 08: ring 0 code */
	cpu->gdt[2] = 0x00cf93000000ffffULL; /* 10: ring 0 data */
	cpu->gdt[3] = 0;                     /* 18: SYSRET's base, SYSEXIT's 32-bit code: unused */
	cpu->gdt[4] = 0x00cff3000000ffffULL; /* 20: ring 3 data, for SYSRET */
	cpu->gdt[5] = 0x00affb000000ffffULL; /* 28: ring 3 code */
	cpu->gdt[6] = 0x00cff3000000ffffULL; /* 30: ring 3 data, for SYSEXIT */
	cpu->gdt[7] = limit | (base & 0xffffff) << 16 | 0x89ULL << 40 | (base >> 24 & 0xff) << 56; /* 38: TSS, available */
	cpu->gdt[8] = base >> 32;
}

enum status gdt_create(struct percpu *cpu)
{
	static uint64_t next_slot = KERNEL_GDTS_BASE;
	uint64_t *root = direct_pointer(kernel_map_cr3());
	uint64_t *entry = page_table_entry(root, next_slot, 1, root_pool, PTE_PRESENT | PTE_WRITE);

	cpu->gdt = pool_page_alloc(root_pool);
	if (entry == NULL || cpu->gdt == NULL)
		return ERR_NO_MEMORY;
	fill(cpu);
	*entry = direct_physical(cpu->gdt) | PTE_PRESENT | PTE_GLOBAL | PTE_NX;
	cpu->gdtr_base = next_slot;
	next_slot += GDT_SLOT_BYTES;
	return OK;
}
