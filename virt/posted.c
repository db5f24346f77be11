/* The posted-interrupt descriptor's protocol, in software. SDM Vol. 3C, "Posted-Interrupt Processing". Pure but for atomics. */
#include "virt/posted.h"

bool posted_post(struct posted_interrupts *posted, uint8_t vector)
{
	atomic_fetch_or(&posted->requests[vector / 64], UINT64_C(1) << (vector % 64));
	return (atomic_fetch_or(&posted->control, POSTED_OUTSTANDING) & POSTED_OUTSTANDING) == 0;
}

bool posted_take(struct posted_interrupts *posted, uint64_t taken[4])
{
	if ((atomic_load(&posted->control) & POSTED_OUTSTANDING) == 0)
		return false;
	/* ON goes first: who posts after this line notifies again, who posted before it is found below. */
	atomic_fetch_and(&posted->control, ~POSTED_OUTSTANDING);
	for (unsigned i = 0; i < 4; i++) /* looked at first: cheaper than a locked instruction */
		taken[i] = atomic_load(&posted->requests[i]) == 0 ? 0 : atomic_exchange(&posted->requests[i], 0);
	return true;
}
