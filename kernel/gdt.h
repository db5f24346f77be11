/* A CPU's GDT, where ring 3 finds nothing behind it. A VM exit leaves GDTR with limit FFFFh whatever the table's size: every
 * selector up to that must be harmless. SDM Vol. 3C, "Loading Host Segment and Descriptor-Table Registers". */
#pragma once
#include <stdint.h>

#include "abi/status.h"

struct percpu;

/* What a GDTR of limit FFFFh reaches: the table's page, then pages that are never mapped. */
#define GDT_SLOT_BYTES 0x10000ULL
#define GDT_ENTRIES    9U /* 08h to 40h, of which the last is the TSS's second half */

/* Makes the table of a CPU whose TSS exists: cpu->gdt to write it, cpu->gdtr_base where ring 3 sees it, read-only. Context: boot,
 * one CPU at a time. ERR_NO_MEMORY. */
MUST_CHECK enum status gdt_create(struct percpu *cpu);
