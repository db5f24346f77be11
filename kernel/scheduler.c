/* Round robin with affinity. All queues are private to their CPU; other CPUs only add to the inbox. */
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

static void queue_add(struct percpu *cpu, struct thread *thread)
{
	thread->state = THREAD_RUNNABLE;
	thread->next_runnable = NULL;
	if (cpu->run_tail != NULL)
		cpu->run_tail->next_runnable = thread;
	else
		cpu->run_head = thread;
	cpu->run_tail = thread;
	cpu->run_count++;
	/* A lone thread has no slice; now that another waits, it gets one. */
	if (cpu->current != cpu->idle && cpu->slice_deadline_tsc == UINT64_MAX)
		timer_set_slice(cpu, rdtsc() + tsc_from_us(SLICE_US));
	if (cpu->current == cpu->idle)
		cpu->reschedule = true;
}

static struct thread *queue_take(struct percpu *cpu)
{
	struct thread *thread = cpu->run_head;

	if (thread == NULL)
		return NULL;
	cpu->run_head = thread->next_runnable;
	if (cpu->run_head == NULL)
		cpu->run_tail = NULL;
	cpu->run_count--;
	return thread;
}

void scheduler_make_runnable(struct thread *thread)
{
	struct percpu *home = thread->home;
	bool added = false;

	if (home == percpu_self()) {
		if (thread->state == THREAD_BLOCKED)
			queue_add(home, thread);
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
			queue_add(cpu, thread);
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

static void account(struct thread *previous, struct thread *next, uint64_t now)
{
	previous->run_ticks += now - previous->run_since_tsc;
	previous->run_since_tsc = now; /* for thread_run_ticks(), which may look at this moment */
	next->run_since_tsc = now;
}

void scheduler_switch(void)
{
	struct percpu *cpu = percpu_self();
	struct thread *previous = cpu->current;
	struct thread *next;
	uint64_t now = rdtsc();

	ASSERT(cpu->lock_ranks == 0);
	cpu->reschedule = false;
	if (previous->state == THREAD_RUNNING && previous != cpu->idle)
		queue_add(cpu, previous);
	next = queue_take(cpu);
	if (next == NULL)
		next = cpu->idle;
	timer_set_slice(cpu, cpu->run_count > 0 ? now + tsc_from_us(SLICE_US) : UINT64_MAX);
	next->state = THREAD_RUNNING;
	if (next == previous)
		return;
	account(previous, next, now);
	hypervisor_switch_out(previous, next);
	load_space(cpu, next);
	cpu_set_entry_stack(cpu, next->stack_top);
	cpu->current = next;
	switch_stacks(&previous->saved_rsp, next->saved_rsp);
	thread_after_switch();
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
		if (cpu->run_count > 0) {
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
