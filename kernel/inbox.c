/* Waking and moving threads between CPUs. A thread changes its home only while it is ready, by its home CPU, under that CPU's inbox
 * lock: who wakes it takes the lock of the home that he read and looks again. tests/models/ proves the protocol. */
#include "kernel/inbox.h"

#include <stddef.h>

#include "kernel/hypervisor.h"
#include "kernel/interrupt.h"
#include "kernel/percpu.h"
#include "kernel/scheduler.h"
#include "kernel/spinlock.h"
#include "kernel/thread.h"

/* Links a thread that is `in_inbox`, or becomes so, into the inbox of its home. */
static void link(struct percpu *home, struct thread *thread)
{
	thread->inbox_next = atomic_load_explicit(&home->inbox, memory_order_relaxed);
	atomic_store_explicit(&home->inbox, thread, memory_order_relaxed);
}

static void put_into_inbox(struct percpu *home, struct thread *thread)
{
	spinlock_acquire(&home->inbox_lock);
	link(home, thread);
	spinlock_release(&home->inbox_lock);
	interrupt_send(home->apic_id, VECTOR_RESCHEDULE);
}

/* If it is in this CPU's inbox, it goes on from there. */
void inbox_send(struct percpu *cpu, struct thread *thread, struct percpu *target)
{
	bool was_listed;

	timer_disarm(&thread->wait_timer);
	hypervisor_leave_cpu(thread);
	cpu->thread_count--;
	target->thread_count++;
	thread->arrives = true;
	spinlock_acquire(&cpu->inbox_lock);
	was_listed = thread->in_inbox;
	thread->in_inbox = true;
	atomic_store(&thread->home, target);
	spinlock_release(&cpu->inbox_lock);
	if (was_listed)
		return;
	object_get(&thread->object);
	put_into_inbox(target, thread);
}

void scheduler_make_runnable(struct thread *thread)
{
	for (;;) {
		struct percpu *home = atomic_load(&thread->home);
		bool added = false, is_home;

		if (home == percpu_self()) {
			if (thread->state == THREAD_BLOCKED)
				scheduler_wake_here(home, thread);
			return;
		}
		spinlock_acquire(&home->inbox_lock);
		is_home = atomic_load(&thread->home) == home;
		if (is_home && !thread->in_inbox) {
			thread->in_inbox = true;
			link(home, thread);
			object_get(&thread->object);
			added = true;
		}
		spinlock_release(&home->inbox_lock);
		if (added)
			interrupt_send(home->apic_id, VECTOR_RESCHEDULE);
		if (is_home)
			return;
	}
}

void scheduler_take_inbox(void)
{
	struct percpu *cpu = percpu_self();

	scheduler_take_rules(cpu);
	/* Whoever puts something in after this look sends the interrupt after that; only this CPU takes out. */
	while (atomic_load(&cpu->inbox) != NULL) {
		struct thread *thread;
		struct percpu *home;

		spinlock_acquire(&cpu->inbox_lock);
		thread = atomic_load_explicit(&cpu->inbox, memory_order_relaxed);
		atomic_store_explicit(&cpu->inbox, thread->inbox_next, memory_order_relaxed);
		home = atomic_load(&thread->home);
		if (home == cpu)
			thread->in_inbox = false;
		spinlock_release(&cpu->inbox_lock);
		if (home != cpu) {
			put_into_inbox(home, thread);
			continue;
		}
		if (thread->arrives)
			scheduler_welcome(cpu, thread);
		else if (thread->state == THREAD_BLOCKED)
			scheduler_wake_here(cpu, thread);
		object_put(&thread->object);
	}
}
