/* A ticket lock between CPUs. Ring 0 runs with interrupts off and is never preempted, so no other state is saved.
 * Locks have ranks: a CPU takes them in rising order only, asserted in all builds. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

/* In the order in which they may be taken. */
enum lock_rank {
	RANK_HANDLES = 1,
	RANK_SPACE,
	RANK_GUEST_MAP,
	RANK_MEMORY,
	RANK_EVENT,
	RANK_IRQ,
	RANK_KERNEL_MAP,
	RANK_POOL,
	RANK_CHUNKS,
	RANK_INBOX,
	RANK_LOG,
};

struct spinlock {
	_Atomic uint32_t next_ticket;
	_Atomic uint32_t serving;
	uint32_t rank;
};

#define SPINLOCK(rank_) ((struct spinlock){.rank = (rank_)})

void spinlock_acquire(struct spinlock *lock);
void spinlock_release(struct spinlock *lock);
