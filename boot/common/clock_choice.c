/* Exact beats measured, measured beats rounded: CPUID 16H is off by 0.2 % on processors whose TSC is no multiple of 100 MHz. */
#include "boot/common/clock_choice.h"

#include <stddef.h>

#define WARN_PARTS    100U  /* 1 % */
#define ROUNDED_PARTS 2000U /* 0.05 %: so near to the measured value, the rounded one is meant */

/* Those that Intel's processors have: SDM Vol. 3B, table "Nominal Core Crystal Clock Frequency"; 25 MHz: Xeon; 38.4 MHz: since
 * Ice Lake, in CPUID. */
static const uint64_t crystals_hz[] = {24000000, 25000000, 19200000, 38400000};

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static bool is_near(uint64_t hz, uint64_t measured_hz, uint64_t parts)
{
	return hz != 0 && difference(hz, measured_hz) <= measured_hz / parts;
}

/* CPUID gives the ratio only: the crystal that fits what was measured. 0: none does. */
static uint64_t by_crystal(const struct clock_evidence *evidence)
{
	uint64_t best = 0;

	for (size_t i = 0; i < sizeof(crystals_hz) / sizeof(crystals_hz[0]); i++) {
		uint64_t hz = crystals_hz[i] * evidence->numerator / evidence->denominator;

		if (is_near(hz, evidence->measured_hz, WARN_PARTS) &&
		    (best == 0 || difference(hz, evidence->measured_hz) < difference(best, evidence->measured_hz)))
			best = hz;
	}
	return best;
}

struct clock_choice clock_choose(const struct clock_evidence *evidence)
{
	struct clock_choice choice = {.hz = 0};
	bool has_ratio = evidence->numerator != 0 && evidence->denominator != 0;

	if (has_ratio && evidence->crystal_hz != 0)
		choice.hz = evidence->crystal_hz * evidence->numerator / evidence->denominator;
	else if (has_ratio && evidence->measured_hz != 0)
		choice.hz = by_crystal(evidence);
	if (choice.hz == 0 && (evidence->measured_hz == 0 || is_near(evidence->base_hz, evidence->measured_hz, ROUNDED_PARTS)))
		choice.hz = evidence->base_hz;
	if (choice.hz == 0)
		choice.hz = evidence->measured_hz;
	choice.measured_otherwise =
		evidence->measured_hz != 0 && !is_near(choice.hz, evidence->measured_hz, WARN_PARTS);
	return choice;
}
