/* Fair shares of each CPU, with affinity. All queues are private to their CPU; other CPUs only add to the inbox. */
#include "kernel/scheduler.h"

#include <stddef.h>

#include "kernel/cpu.h"
#include "kernel/cpu_insn.h"
#include "kernel/hypervisor.h"
#include "kernel/interrupt.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/shootdown.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "kernel/thread_internal.h"
#include "kernel/timer_internal.h"

extern void switch_stacks(uint64_t *save_rsp, uint64_t load_rsp);

/* Brings the running thread's account of CPU time up to now. */
static void charge(struct percpu *cpu, uint64_t now)
{
	struct thread *running = cpu->current;

	if (running == cpu->idle)
		return;
	run_queue_charge(running, now - running->run_since_tsc);
	running->run_ticks += now - running->run_since_tsc;
	running->run_since_tsc = now; /* for thread_run_ticks() too, which may look at this moment */
}

static void advance(struct percpu *cpu)
{
	run_queue_advance(&cpu->run_queue, cpu->current != cpu->idle ? cpu->current : NULL);
}

static void wake(struct percpu *cpu, struct thread *thread)
{
	uint64_t now = rdtsc();
	uint64_t end_tsc;

	charge(cpu, now);
	advance(cpu);
	thread->state = THREAD_RUNNABLE;
	thread->ready_since_tsc = now;
	run_queue_wake(&cpu->run_queue, thread);
	if (cpu->current == cpu->idle) {
		cpu->reschedule = true;
		return;
	}
	/* A lone thread has no slice; now that another waits, it gets one. */
	end_tsc = now + tsc_from_us(run_queue_preempts(&cpu->run_queue, cpu->current) ? WAKE_SOON_US : SLICE_US);
	if (end_tsc < cpu->slice_deadline_tsc)
		timer_set_slice(cpu, end_tsc);
}

void scheduler_make_runnable(struct thread *thread)
{
	struct percpu *home = thread->home;
	bool added = false;

	if (home == percpu_self()) {
		if (thread->state == THREAD_BLOCKED)
			wake(home, thread);
		return;
	}
	spinlock_acquire(&home->inbox_lock);
	if (!thread->in_inbox) {
		thread->in_inbox = true;
		thread->inbox_next = home->inbox;
		home->inbox = thread;
		object_get(&thread->object);
		added = true;
	}
	spinlock_release(&home->inbox_lock);
	if (added)
		interrupt_send(home->apic_id, VECTOR_RESCHEDULE);
}

void scheduler_take_inbox(void)
{
	struct percpu *cpu = percpu_self();

	for (;;) {
		struct thread *thread;

		spinlock_acquire(&cpu->inbox_lock);
		thread = cpu->inbox;
		if (thread != NULL) {
			cpu->inbox = thread->inbox_next;
			thread->in_inbox = false;
		}
		spinlock_release(&cpu->inbox_lock);
		if (thread == NULL)
			return;
		if (thread->state == THREAD_BLOCKED)
			wake(cpu, thread);
		object_put(&thread->object);
	}
}

struct percpu *scheduler_choose_home(const struct thread *thread)
{
	struct percpu *best = NULL;

	for (uint32_t i = 0; i < percpu_count; i++) {
		bool allowed = thread->cpu_mask[i / 64] >> (i % 64) & 1;

		if (allowed && percpus[i]->online && (best == NULL || percpus[i]->thread_count < best->thread_count))
			best = percpus[i];
	}
	return best;
}

static void load_space(struct percpu *cpu, const struct thread *next)
{
	uint64_t cr3 = next->space != NULL ? space_cr3(next->space) : kernel_map_cr3();

	if (cr3 != read_cr3())
		shootdown_load_cr3(cpu, cr3);
}

/* The least account is next, which may be that of the thread that runs already. */
static struct thread *choose_next(struct percpu *cpu, struct thread *previous, uint64_t now)
{
	struct thread *next;

	if (previous->state == THREAD_RUNNING && previous != cpu->idle) {
		previous->state = THREAD_RUNNABLE;
		previous->ready_since_tsc = now;
		run_queue_put(&cpu->run_queue, previous);
	}
	next = run_queue_take(&cpu->run_queue);
	return next != NULL ? next : cpu->idle;
}

void scheduler_switch(void)
{
	struct percpu *cpu = percpu_self();
	struct thread *previous = cpu->current;
	struct thread *next;
	uint64_t now = rdtsc();

	ASSERT(cpu->lock_ranks == 0);
	cpu->reschedule = false;
	charge(cpu, now);
	advance(cpu);
	next = choose_next(cpu, previous, now);
	timer_set_slice(cpu, cpu->run_queue.count > 0 ? now + tsc_from_us(SLICE_US) : UINT64_MAX);
	next->state = THREAD_RUNNING;
	if (next == previous)
		return;
	next->run_since_tsc = now;
	next->steal_ticks += now - next->ready_since_tsc;
	if (next != cpu->idle)
		run_queue_charge(next, tsc_from_us(SWITCH_US));
	hypervisor_switch_out(previous, next);
	load_space(cpu, next);
	cpu_set_entry_stack(cpu, next->stack_top);
	cpu->current = next;
	switch_stacks(&previous->saved_rsp, next->saved_rsp);
	thread_after_switch();
}

void scheduler_yield(void)
{
	struct percpu *cpu = percpu_self();

	charge(cpu, rdtsc());
	run_queue_give_way(&cpu->run_queue, cpu->current);
	cpu->reschedule = true;
}

void scheduler_yield_to_sibling(void)
{
	scheduler_yield();
}

void scheduler_after_interrupt(void)
{
	struct percpu *cpu = percpu_self();

	if (cpu->run_queue.count == 0 || cpu->current == cpu->idle)
		return;
	charge(cpu, rdtsc());
	if (run_queue_preempts(&cpu->run_queue, cpu->current))
		cpu->reschedule = true;
}

void scheduler_before_user(void)
{
	struct percpu *cpu = percpu_self();

	if (cpu->reschedule)
		scheduler_switch();
	if (thread_current()->kill_pending)
		thread_exit_current();
}

void scheduler_cpu_start(struct percpu *cpu, struct thread *idle)
{
	run_queue_init(&cpu->run_queue, tsc_from_us(SLICE_US), tsc_from_us(WAKE_MARGIN_US));
	cpu->idle = idle;
	cpu->current = idle;
	cpu->slice_deadline_tsc = UINT64_MAX;
	cpu->guest_deadline_tsc = UINT64_MAX;
	cpu->armed_deadline_tsc = UINT64_MAX;
}

void scheduler_idle(void)
{
	struct percpu *cpu = percpu_self();

	for (;;) {
		if (cpu->run_queue.count > 0) {
			scheduler_switch();
			continue;
		}
		if (log_echo_step() != LOG_ALL_SHOWN) {
			take_waiting_interrupts();
			continue;
		}
		cpu->is_idle = true;
		/* STI takes effect after HLT has begun: no wake-up is lost between. SDM Vol. 2B, "STI". */
		wait_for_interrupt();
		cpu->is_idle = false;
	}
}
