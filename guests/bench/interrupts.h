/* The benchmarks' interrupts. */
#pragma once
#include <stdint.h>

/* By vector from BENCH_VECTOR on: entries.asm. All change RAX, RCX and RDX. The MARKED ones mark where the others stamp. */
enum bench_vector {
	BENCH_VECTOR = 0x40,
	BENCH_STAMP = BENCH_VECTOR, /* the TSC of the handler's first instruction goes to bench_stamp; x2APIC */
	BENCH_STAMP_MARKED,
	BENCH_EOI,                  /* the ticks of an EOI go to bench_stamp; xAPIC */
	BENCH_EOI_MARKED,
	BENCH_ECHO,                 /* sends BENCH_STAMP to processor 0; x2APIC */
	BENCH_ECHO_MARKED,          /* sends BENCH_STAMP_MARKED there */
	BENCH_VECTOR_END
};
extern const uint64_t bench_entries[BENCH_VECTOR_END - BENCH_VECTOR];
extern volatile uint64_t bench_stamp;

/* After exceptions_install(). */
void bench_interrupts_install(void);
