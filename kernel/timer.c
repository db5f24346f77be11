/* The timers of each CPU and its one hardware deadline: the least of heap top, slice end and guest deadline. */
#include "kernel/timer.h"

#include <stddef.h>

#include "kernel/apic.h"
#include "kernel/cpu_insn.h"
#include "kernel/percpu.h"
#include "kernel/scheduler.h"
#include "kernel/timer_heap.h"
#include "kernel/timer_internal.h"

/* No TSC comes so far; the heap compares by differences. */
#define FAR_TSC (UINT64_C(1) << 62)

uint64_t tsc_hz;

uint64_t tsc_from_us(uint64_t us)
{
	return us / 1000000 * tsc_hz + us % 1000000 * tsc_hz / 1000000;
}

void timer_wait_us(uint64_t us)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < tsc_from_us(us))
		pause();
}

void timer_program(struct percpu *cpu)
{
	uint64_t deadline = cpu->slice_deadline_tsc;

	if (cpu->guest_deadline_tsc < deadline)
		deadline = cpu->guest_deadline_tsc;
	if (cpu->timers != NULL && cpu->timers->deadline_tsc < deadline)
		deadline = cpu->timers->deadline_tsc;
	if (deadline != cpu->armed_deadline_tsc) {
		cpu->armed_deadline_tsc = deadline;
		apic_set_deadline(deadline);
	}
}

void timer_arm(struct timer *timer, uint64_t deadline_tsc)
{
	struct percpu *cpu = percpu_self();

	if (timer->armed)
		cpu->timers = timer_heap_remove(cpu->timers, timer);
	timer->deadline_tsc = deadline_tsc < FAR_TSC ? deadline_tsc : FAR_TSC;
	cpu->timers = timer_heap_insert(cpu->timers, timer);
	timer_program(cpu);
}

void timer_disarm(struct timer *timer)
{
	if (timer->armed)
		percpu_self()->timers = timer_heap_remove(percpu_self()->timers, timer);
	/* The hardware deadline stays: an interrupt that finds nothing due costs less than moving it each time. */
}

void timer_set_guest_deadline(uint64_t deadline_tsc)
{
	struct percpu *cpu = percpu_self();
	uint64_t old = cpu->guest_deadline_tsc, armed = cpu->armed_deadline_tsc;

	cpu->guest_deadline_tsc = deadline_tsc;
	/* The usual case: something else is due first, as before. */
	if (old > armed && deadline_tsc >= armed)
		return;
	timer_program(cpu);
}

void timer_set_slice(struct percpu *cpu, uint64_t deadline_tsc)
{
	cpu->slice_deadline_tsc = deadline_tsc;
	timer_program(cpu);
}

void timer_interrupt(void)
{
	struct percpu *cpu = percpu_self();
	uint64_t now = rdtsc();

	cpu->armed_deadline_tsc = UINT64_MAX;
	while (cpu->timers != NULL && cpu->timers->deadline_tsc <= now) {
		struct timer *due = cpu->timers;

		cpu->timers = timer_heap_remove(cpu->timers, due);
		due->expired(due);
	}
	if (cpu->slice_deadline_tsc <= now)
		scheduler_deadline_reached(now);
	if (cpu->guest_deadline_tsc <= now)
		cpu->guest_deadline_tsc = UINT64_MAX;
	/* Else the scheduler does, which changes its own deadline presently. */
	if (!cpu->reschedule && !cpu->somebody_woke)
		timer_program(cpu);
}
