/* One CPU's own registers and tables: features, control registers, GDT, TSS, IDT, system call entry. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct percpu;

/* What ring 0 itself uses; the same on every CPU after cpu_features_agree(). */
struct cpu_features {
	bool smep;
	bool smap;
	bool umip;
	bool x2apic;
	bool tsc_deadline;
	bool invariant_tsc;
	bool xsave;
	bool sysenter; /* SYSENTER works in 64-bit mode */
	uint32_t xsave_bytes; /* largest XSAVE area of this CPU */
	uint32_t physical_address_bits;
	char brand[49];
};

extern struct cpu_features cpu_features; /* constant after boot */

/* Reads the boot CPU's features. ERR_UNSUPPORTED names in *missing what ring 0 cannot do without. */
MUST_CHECK enum status cpu_features_read(const char **missing);

/* Loads GDT, TSS, IDT, control registers and system call entry of this CPU; its percpu, stacks and TSS exist. */
void cpu_load_tables(struct percpu *cpu);

/* Allocates a CPU's tables and exception stacks; ERR_NO_MEMORY. */
MUST_CHECK enum status cpu_tables_create(struct percpu *cpu);

/* The kernel stack for the next entry from ring 3. */
void cpu_set_entry_stack(struct percpu *cpu, uint64_t stack_top);
