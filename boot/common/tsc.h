/* How fast the time stamp counter runs. */
#pragma once
#include <stdint.h>

#include "boot/common/clock_choice.h"

/* Ticks a second: what CPUID says, against the ACPI PM timer (its port, 0: none), else against the 8254. Takes 30 ms or so. What is
 * in doubt is reported (E515); the answer is never 0.
 * Context: loader, no interrupts of channel 2 of the 8254.
 * Source: SDM Vol. 3B, "Determining the Processor Base Frequency"; ACPI Specification, "Power Management Timer"; 82C54 data
 * sheet. */
uint64_t tsc_measure(uint16_t pm_timer_port);

/* The part of it that decides and reports. timer: what the measurement was made against, in words. */
uint64_t tsc_decide(const struct clock_evidence *evidence, const char *timer);
