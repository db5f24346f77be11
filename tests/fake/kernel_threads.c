/* Stands for thread.c and scheduler.c. No lock may be held where they say so. */
#include "tests/fake/kernel_threads.h"

#include <stddef.h>

#include "kernel/panic.h"
#include "kernel/scheduler.h"
#include "kernel/spinlock.h"
#include "kernel/thread_internal.h"
#include "tests/fake/kernel_spinlock.h"

struct thread *fake_current_thread;
void (*fake_while_blocked)(void);
void (*fake_on_made_runnable)(struct thread *thread);
unsigned fake_wakes, fake_kills, fake_made_runnable;

struct thread *thread_current(void)
{
	return fake_current_thread;
}

void thread_block(uint64_t deadline_tsc)
{
	(void)deadline_tsc;
	ASSERT(fake_lock_ranks == 0);
	if (fake_while_blocked != NULL)
		fake_while_blocked();
}

void thread_wake(struct thread *thread)
{
	ASSERT(thread != NULL && fake_lock_ranks >> RANK_INBOX == 0);
	fake_wakes++;
}

void thread_kill(struct thread *thread)
{
	ASSERT(fake_lock_ranks >> RANK_INBOX == 0);
	thread->kill_pending = true;
	fake_kills++;
}

void scheduler_make_runnable(struct thread *thread)
{
	ASSERT(thread != NULL && fake_lock_ranks >> RANK_INBOX == 0);
	fake_made_runnable++;
	if (fake_on_made_runnable != NULL)
		fake_on_made_runnable(thread);
}
