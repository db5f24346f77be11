/* What the benchmarks share. A figure is the median of 2,000 rounds, RDTSC after minus before, minus that of nothing. For each
 * figure that is shown, an empty one too, MARKED_ROUNDS rounds more run between marks, in the order of the lines printed:
 * tools/bench.py counts what the host executes from one mark to the next. */
#pragma once
#include <stdint.h>

#define ROUNDS        2000U
#define MARKED_ROUNDS 3U
/* XCHG BX, BX, which does nothing. */
#define MARK          "xchgw %%bx, %%bx\n\t"

extern uint32_t ticks[ROUNDS];

/* Of ticks[]; leaves them sorted. */
uint32_t median(void);
/* Prints "bench NAME VALUE". */
void show(const char *name, uint32_t value);
/* Shows the median, which is the loop's own part of the figure that comes next. */
uint32_t empty_ticks(const char *name);

/* Exits by the local APIC, and interrupts; leaves the local APIC in x2APIC mode. */
void measure_local_apic(void);

/* An access to each kind of device: device_NAME_ticks. */
void measure_devices(void);

/* The instruction stands between two RDTSCs, with nothing of the compiler's between; then, a few times, between two marks. */
#define MEASURE(instruction, ...)                                                                              \
	do {                                                                                                   \
		for (unsigned round = 0; round < ROUNDS; round++) {                                            \
			uint32_t before, after;                                                                \
                                                                                                               \
			__asm__ volatile("rdtsc\n\tmovl %%eax, %0\n\t" instruction "\n\trdtsc\n\tmovl %%eax, %1" \
					 : "=&r"(before), "=&r"(after)                                          \
					 : __VA_ARGS__                                                          \
					 : "rax", "rbx", "rcx", "rdx", "memory");                              \
			ticks[round] = after - before;                                                         \
		}                                                                                              \
		for (unsigned round = 0; round < MARKED_ROUNDS; round++) {                                     \
			__asm__ volatile(MARK instruction "\n\t" MARK                                          \
					 :                                                                     \
					 : __VA_ARGS__                                                         \
					 : "rax", "rbx", "rcx", "rdx", "memory");                              \
		}                                                                                              \
	} while (0)
