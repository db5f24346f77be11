/* Between nanoseconds and ticks of a clock of hz. Whole seconds and the rest apart: for clocks below 18 GHz no product exceeds 64
 * bits, and nothing is rounded but the last tick. Pure. */
#pragma once
#include <stdint.h>

#define NS_PER_SECOND UINT64_C(1000000000)

/* Rounded down. */
static inline uint64_t time_ns(uint64_t ticks, uint64_t hz)
{
	return ticks / hz * NS_PER_SECOND + ticks % hz * NS_PER_SECOND / hz;
}

/* Rounded down. */
static inline uint64_t time_ticks(uint64_t ns, uint64_t hz)
{
	return ns / NS_PER_SECOND * hz + ns % NS_PER_SECOND * hz / NS_PER_SECOND;
}

static inline uint64_t time_ticks_up(uint64_t ns, uint64_t hz)
{
	return ns / NS_PER_SECOND * hz + (ns % NS_PER_SECOND * hz + NS_PER_SECOND - 1) / NS_PER_SECOND;
}
