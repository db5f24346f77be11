/* Between kernel/smp.c and kernel/smp_trampoline.asm: what the low page holds besides the code. */
#pragma once
#include <stdint.h>

#define TRAMPOLINE_PARAMETERS 0xf00U /* where in the page */

struct trampoline_parameters {
	uint32_t ticket; /* 1: open; the CPU that comes first takes it */
	uint32_t cr3;
	uint16_t gdt_limit;
	uint16_t gdt_base_low; /* LGDT in 16-bit code: 32-bit base */
	uint16_t gdt_base_high;
	uint16_t reserved;
	uint32_t jump_offset;
	uint16_t jump_selector;
	uint16_t reserved2;
	uint64_t stack;
	uint64_t entry;
	uint64_t gdt[3];
};
