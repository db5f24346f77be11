/* Which of what the processor and the PC say about the TSC's frequency is believed. Pure. SDM Vol. 3B, "Determining the Processor
 * Base Frequency". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct clock_evidence {
	uint32_t numerator, denominator; /* CPUID 15H: TSC / crystal; 0: not said */
	uint64_t crystal_hz;             /* CPUID 15H; 0: not said */
	uint64_t base_hz;                /* CPUID 16H, rounded to 1 MHz or worse; 0: not said */
	uint64_t measured_hz;            /* against another timer of the PC; 0: none there */
};

struct clock_choice {
	uint64_t hz; /* 0: nothing is known */
	bool measured_otherwise; /* by more than 1 % */
};

struct clock_choice clock_choose(const struct clock_evidence *evidence);
