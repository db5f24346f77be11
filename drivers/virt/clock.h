/* Conversion between guest time in nanoseconds and the ticks of a device's clock, exact and without drift. */
#pragma once
#include <stdint.h>

#include "lib/base/time.h"

/* Full ticks of a clock of hz (1 to 2^32 - 1) in the first ns of guest time: floor(ns * hz / 10^9). Pure. */
uint64_t clock_ticks(uint64_t ns, uint32_t hz);

/* The first nanosecond at which clock_ticks() is at least ticks; UINT64_MAX where that is past the end of time.
 * Pure. */
uint64_t clock_ns(uint64_t ticks, uint32_t hz);
