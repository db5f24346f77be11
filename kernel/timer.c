/* A pairing heap of timers per CPU, and the one hardware deadline: the least of heap top, slice end and guest deadline. */
#include "kernel/timer.h"

#include <stddef.h>

#include "kernel/apic.h"
#include "kernel/cpu_insn.h"
#include "kernel/percpu.h"
#include "kernel/timer_internal.h"

static struct timer *meld(struct timer *a, struct timer *b)
{
	if (a == NULL)
		return b;
	if (b == NULL)
		return a;
	if (b->deadline_tsc < a->deadline_tsc) {
		struct timer *swap = a;

		a = b;
		b = swap;
	}
	b->parent = a;
	b->sibling = a->child;
	a->child = b;
	return a;
}

/* Melds a list of siblings in pairs, then the pairs: amortised O(log n). */
static struct timer *meld_siblings(struct timer *first)
{
	struct timer *pairs = NULL;
	struct timer *result = NULL;

	while (first != NULL) {
		struct timer *a = first;
		struct timer *b = a->sibling;

		first = b != NULL ? b->sibling : NULL;
		a->sibling = NULL;
		a->parent = NULL;
		if (b != NULL) {
			b->sibling = NULL;
			b->parent = NULL;
		}
		a = meld(a, b);
		a->sibling = pairs;
		pairs = a;
	}
	while (pairs != NULL) {
		struct timer *next = pairs->sibling;

		pairs->sibling = NULL;
		result = meld(result, pairs);
		pairs = next;
	}
	return result;
}

static void unlink_from_parent(struct timer *timer)
{
	struct timer **at = &timer->parent->child;

	while (*at != timer)
		at = &(*at)->sibling;
	*at = timer->sibling;
}

static void heap_remove(struct percpu *cpu, struct timer *timer)
{
	struct timer *below = meld_siblings(timer->child);

	if (cpu->timers == timer) {
		cpu->timers = below;
	} else {
		unlink_from_parent(timer);
		cpu->timers = meld(cpu->timers, below);
	}
	timer->child = NULL;
	timer->sibling = NULL;
	timer->parent = NULL;
	timer->armed = false;
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
		heap_remove(cpu, timer);
	timer->deadline_tsc = deadline_tsc;
	timer->armed = true;
	cpu->timers = meld(cpu->timers, timer);
	timer_program(cpu);
}

void timer_disarm(struct timer *timer)
{
	if (timer->armed)
		heap_remove(percpu_self(), timer);
	/* The hardware deadline stays: an interrupt that finds nothing due costs less than moving it each time. */
}

void timer_set_guest_deadline(uint64_t deadline_tsc)
{
	struct percpu *cpu = percpu_self();

	cpu->guest_deadline_tsc = deadline_tsc;
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

		heap_remove(cpu, due);
		due->expired(due);
	}
	if (cpu->slice_deadline_tsc <= now) {
		cpu->slice_deadline_tsc = UINT64_MAX;
		cpu->reschedule = true;
	}
	if (cpu->guest_deadline_tsc <= now)
		cpu->guest_deadline_tsc = UINT64_MAX;
	timer_program(cpu);
}
