/* Time: the TSC, and nanoseconds that count from its zero. Exact, without FPU and 128-bit division. */
#pragma once
#include <stdint.h>

#include "abi/syscall.h"
#include "lib/base/time.h"

#define NS_PER_MS 1000000ULL

static inline const struct program_info *program_info(void)
{
	return (const struct program_info *)PROGRAM_INFO; /* NOLINT: the kernel maps it there */
}

static inline uint64_t clock_now_ticks(void)
{
	return __builtin_ia32_rdtsc();
}

static inline uint64_t clock_now_ns(void)
{
	return time_ns(clock_now_ticks(), program_info()->tsc_hz);
}

/* A deadline for sys_event_wait(). */
static inline uint64_t clock_deadline_in_ms(uint64_t ms)
{
	return clock_now_ticks() + time_ticks(ms * NS_PER_MS, program_info()->tsc_hz);
}
