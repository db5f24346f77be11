/* The posted-interrupt descriptor's protocol, in software. SDM Vol. 3C, "Posted-Interrupt Processing". Pure but for atomics. */
#include "virt/posted.h"

bool posted_post(struct posted_interrupts *posted, uint8_t vector)
{
	atomic_fetch_or(&posted->requests[vector / 64], UINT64_C(1) << (vector % 64));
	return (atomic_fetch_or(&posted->control, POSTED_OUTSTANDING) & POSTED_OUTSTANDING) == 0;
}

void posted_take(struct posted_interrupts *posted, uint32_t irr[8])
{
	if ((atomic_load(&posted->control) & POSTED_OUTSTANDING) == 0)
		return;
	/* ON goes first: who posts after this line notifies again, who posted before it is found below. */
	atomic_fetch_and(&posted->control, ~POSTED_OUTSTANDING);
	for (unsigned i = 0; i < 4; i++) {
		uint64_t requests;

		if (atomic_load(&posted->requests[i]) == 0) /* cheaper than a locked instruction */
			continue;
		requests = atomic_exchange(&posted->requests[i], 0);
		irr[2 * i] |= (uint32_t)requests;
		irr[2 * i + 1] |= (uint32_t)(requests >> 32);
	}
}
