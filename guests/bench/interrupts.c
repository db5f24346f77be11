/* The benchmarks' entries. */
#include "guests/bench/interrupts.h"

#include "guests/flat/apic.h"

void bench_interrupts_install(void)
{
	for (unsigned vector = BENCH_VECTOR; vector < BENCH_VECTOR_END; vector++)
		interrupt_handle((uint8_t)vector, (interrupt_handler *)(uintptr_t)bench_entries[vector - BENCH_VECTOR]);
}
