/* One CPU's view of locks: rising ranks only, no lock twice, and only what is held is released. */
#include "tests/fake/kernel_spinlock.h"

#include "kernel/panic.h"
#include "kernel/spinlock.h"

uint32_t fake_lock_ranks;

void spinlock_acquire(struct spinlock *lock)
{
	ASSERT(lock->rank >= RANK_HANDLES && lock->rank <= RANK_LOG);
	ASSERT(lock->next_ticket == lock->serving);
	ASSERT(fake_lock_ranks >> lock->rank == 0);
	fake_lock_ranks |= 1U << lock->rank;
	lock->next_ticket++;
}

void spinlock_release(struct spinlock *lock)
{
	ASSERT(lock->next_ticket == lock->serving + 1);
	ASSERT(fake_lock_ranks >> lock->rank & 1);
	fake_lock_ranks &= ~(1U << lock->rank);
	lock->serving++;
}
