/* The virtual local APIC's timer: one-shot, periodic, TSC-deadline. Its clock is the crystal of CPUID leaf 15H.
 * SDM Vol. 3A, "APIC Timer". Pure. */
#include "virt/local_apic.h"

/* A shorter period is stretched to this: it would only keep the CPU from running the guest. */
#define PERIOD_MIN_TICKS  10000U

/* "Divide Configuration Register": 000b is 2, ..., 110b is 128, 111b is 1. */
static unsigned divide_shift(const struct local_apic *apic)
{
	uint32_t code = (apic->divide & 3) | (apic->divide >> 1 & 4);

	return (code + 1) & 7;
}

static bool is_periodic(const struct local_apic *apic)
{
	return (apic->lvt[0] & APIC_TIMER_MODE) == APIC_TIMER_PERIODIC;
}

static uint64_t period_tsc(const struct local_apic *apic)
{
	uint64_t ticks = (uint64_t)apic->initial_count << divide_shift(apic);

	if (is_periodic(apic) && ticks < PERIOD_MIN_TICKS)
		ticks = PERIOD_MIN_TICKS;
	return ticks * apic->clock.tsc_per_tick;
}

void local_apic_timer_start(struct local_apic *apic, uint32_t count, uint64_t now_tsc)
{
	if (local_apic_in_deadline_mode(apic))
		return;
	apic->initial_count = count;
	apic->start_tsc = now_tsc;
	apic->counting = count != 0;
}

uint32_t local_apic_timer_count(const struct local_apic *apic, uint64_t now_tsc)
{
	uint64_t elapsed;

	if (!apic->counting || local_apic_in_deadline_mode(apic))
		return 0;
	elapsed = (now_tsc - apic->start_tsc) / apic->clock.tsc_per_tick >> divide_shift(apic);
	return elapsed < apic->initial_count ? apic->initial_count - (uint32_t)elapsed : 0;
}

void local_apic_timer_set_divide(struct local_apic *apic, uint32_t divide, uint64_t now_tsc)
{
	uint64_t passed = apic->initial_count - local_apic_timer_count(apic, now_tsc);

	apic->divide = divide;
	if (apic->counting)
		apic->start_tsc = now_tsc - (passed << divide_shift(apic)) * apic->clock.tsc_per_tick;
}

/* Going into or out of TSC-deadline mode disarms the timer. */
void local_apic_timer_lvt_changed(struct local_apic *apic, uint32_t old_lvt)
{
	bool was_deadline = (old_lvt & APIC_TIMER_MODE) == APIC_TIMER_TSC_DEADLINE;

	if (was_deadline == local_apic_in_deadline_mode(apic))
		return;
	apic->counting = false;
	apic->initial_count = 0;
	apic->tsc_deadline = 0;
}

uint64_t local_apic_count_deadline(const struct local_apic *apic)
{
	return apic->counting ? apic->start_tsc + period_tsc(apic) : UINT64_MAX;
}

bool local_apic_timer_expire(struct local_apic *apic, uint64_t now_tsc, uint64_t tsc_offset)
{
	uint64_t deadline = local_apic_timer_deadline(apic, tsc_offset);

	if (deadline == UINT64_MAX || now_tsc < deadline)
		return false;
	if (local_apic_in_deadline_mode(apic)) {
		apic->tsc_deadline = 0;
	} else if (is_periodic(apic)) {
		uint64_t period = period_tsc(apic);

		/* Missed periods give one interrupt, as a real APIC's IRR would. */
		apic->start_tsc += (now_tsc - apic->start_tsc) / period * period;
	} else {
		apic->counting = false;
	}
	if ((apic->lvt[0] & APIC_LVT_MASKED) == 0)
		local_apic_post(apic, (uint8_t)apic->lvt[0]);
	return true;
}
