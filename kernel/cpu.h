/* One CPU's own registers and tables: features, control registers, GDT, TSS, IDT, system call entry. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct percpu;

/* What ring 0 itself uses: the boot CPU's; a CPU that has less takes no part (cpu_features_lacking()). */
struct cpu_features {
	bool smep;
	bool smap;
	bool umip;
	bool x2apic;
	bool tsc_deadline;
	bool xsave;
	bool sysenter; /* SYSENTER works in 64-bit mode */
	uint32_t physical_address_bits;
};

extern struct cpu_features cpu_features; /* constant after boot */

/* Reads the boot CPU's features. The loader has checked what ring 0 cannot do without. */
void cpu_features_read(void);

/* In words, what of cpu_features this CPU lacks; NULL: nothing. */
const char *cpu_features_lacking(void);

/* Loads GDT, TSS and IDT of this CPU; its percpu, stacks and TSS exist. */
void cpu_load_tables(struct percpu *cpu);

/* Then: control registers and system call entry, for a CPU that lacks nothing. */
void cpu_load_registers(struct percpu *cpu);

/* The page attribute table that kernel_map.c's mappings mean; the same on all CPUs. */
void cpu_load_page_attributes(void);

/* Allocates a CPU's tables and exception stacks; ERR_NO_MEMORY. */
MUST_CHECK enum status cpu_tables_create(struct percpu *cpu);

/* The kernel stack for the next entry from ring 3. */
void cpu_set_entry_stack(struct percpu *cpu, uint64_t stack_top);
