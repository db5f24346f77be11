/* Tick arithmetic of the device models. */
#include "drivers/virt/clock.h"

uint64_t clock_ticks(uint64_t ns, uint32_t hz)
{
	return time_ticks(ns, hz);
}

uint64_t clock_ns(uint64_t ticks, uint32_t hz)
{
	uint64_t seconds = ticks / hz;
	uint64_t rest_ns = (ticks % hz * NS_PER_SECOND + hz - 1) / hz;

	if (seconds >= UINT64_MAX / NS_PER_SECOND)
		return UINT64_MAX;
	return seconds * NS_PER_SECOND + rest_ns;
}
