/* A lock between the threads of one program: spins a little, then gives the CPU away. Not recursive, not fair.
 * Device models: one lock per device, never two at once, none held over a blocking call. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

#include "user/calls.h"

#define LOCK_SPINS 64U

/* All zeros: free. */
struct lock {
	_Atomic bool held;
};

static inline void lock_acquire(struct lock *lock)
{
	while (atomic_exchange_explicit(&lock->held, true, memory_order_acquire)) {
		for (unsigned i = 0; i < LOCK_SPINS && atomic_load_explicit(&lock->held, memory_order_relaxed); i++)
			__builtin_ia32_pause();
		if (atomic_load_explicit(&lock->held, memory_order_relaxed))
			sys_thread_yield();
	}
}

static inline void lock_release(struct lock *lock)
{
	atomic_store_explicit(&lock->held, false, memory_order_release);
}
