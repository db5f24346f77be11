/* An IDT with the benchmarks' entries behind those of guests/flat. SDM Vol. 3A, "64-Bit Mode IDT". */
#include "guests/bench/interrupts.h"

#define GATE_WORDS     2U
#define CODE_SELECTOR  0x10ULL /* docs/guest-flat.md */
#define INTERRUPT_GATE 0x8e00ULL

struct idt_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static uint64_t idt[GATE_WORDS * BENCH_VECTOR_END];

static void set_gate(unsigned vector, uint64_t entry)
{
	idt[GATE_WORDS * vector] = (entry & 0xffff) | CODE_SELECTOR << 16 | INTERRUPT_GATE << 32 | (entry >> 16 & 0xffff) << 48;
	idt[GATE_WORDS * vector + 1] = entry >> 32;
}

void bench_interrupts_install(void)
{
	const struct idt_register own = {.limit = sizeof(idt) - 1, .base = (uint64_t)(uintptr_t)idt};
	struct idt_register flat;
	const uint64_t *from;

	__asm__ volatile("sidt %0" : "=m"(flat));
	from = (const uint64_t *)(uintptr_t)flat.base;
	for (unsigned i = 0; flat.base != own.base && i < GATE_WORDS * BENCH_VECTOR; i++)
		idt[i] = from[i];
	for (unsigned vector = BENCH_VECTOR; vector < BENCH_VECTOR_END; vector++)
		set_gate(vector, bench_entries[vector - BENCH_VECTOR]);
	__asm__ volatile("lidt %0" : : "m"(own));
}
