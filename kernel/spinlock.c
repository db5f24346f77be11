/* Ticket locks with ranks. A CPU that waits keeps answering TLB shootdowns: the lock's holder may be waiting for them. */
#include "kernel/spinlock.h"

#include "kernel/cpu_insn.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/shootdown.h"

void spinlock_acquire(struct spinlock *lock)
{
	struct percpu *cpu = percpu_self();
	uint32_t ticket;

	ASSERT(!(cpu->lock_ranks >> lock->rank));
	cpu->lock_ranks |= 1U << lock->rank;
	ticket = atomic_fetch_add_explicit(&lock->next_ticket, 1, memory_order_relaxed);
	while (atomic_load_explicit(&lock->serving, memory_order_acquire) != ticket) {
		shootdown_poll();
		pause();
	}
}

void spinlock_release(struct spinlock *lock)
{
	percpu_self()->lock_ranks &= ~(1U << lock->rank);
	atomic_fetch_add_explicit(&lock->serving, 1, memory_order_release);
}
