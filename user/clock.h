/* Time: the TSC, and nanoseconds that count from its zero. Exact, without FPU and 128-bit division. */
#pragma once
#include <stdint.h>

#include "abi/syscall.h"

#define NS_PER_SECOND 1000000000ULL
#define NS_PER_MS     1000000ULL

static inline const struct program_info *program_info(void)
{
	return (const struct program_info *)PROGRAM_INFO; /* NOLINT: the kernel maps it there */
}

static inline uint64_t clock_now_ticks(void)
{
	return __builtin_ia32_rdtsc();
}

/* Frequencies are below 18 GHz, so that a second's ticks times 10^9 fit 64 bits. */
static inline uint64_t clock_ticks_to_ns(uint64_t ticks, uint64_t tsc_hz)
{
	return ticks / tsc_hz * NS_PER_SECOND + ticks % tsc_hz * NS_PER_SECOND / tsc_hz;
}

static inline uint64_t clock_ns_to_ticks(uint64_t ns, uint64_t tsc_hz)
{
	return ns / NS_PER_SECOND * tsc_hz + ns % NS_PER_SECOND * tsc_hz / NS_PER_SECOND;
}

static inline uint64_t clock_now_ns(void)
{
	return clock_ticks_to_ns(clock_now_ticks(), program_info()->tsc_hz);
}

/* A deadline for sys_event_wait(). */
static inline uint64_t clock_deadline_in_ms(uint64_t ms)
{
	return clock_now_ticks() + clock_ns_to_ticks(ms * NS_PER_MS, program_info()->tsc_hz);
}
