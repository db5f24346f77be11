/* The list of the dead, first in, first out, and the thread that works it off. */
#include "kernel/reaper.h"

#include <stdatomic.h>
#include <stddef.h>

#include "kernel/cpu_insn.h"
#include "kernel/object.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/spinlock.h"
#include "kernel/thread_internal.h"
#include "kernel/timer.h"

/* Freeing stacks disturbs all CPUs: once for many threads, and not more often than this. */
#define THREADS_PAUSE_US 1000U

static struct {
	struct spinlock lock;
	struct object *first, *last;
	_Atomic uint32_t count;   /* objects that were added and are not freed yet, and threads that are ending */
	/* the reaper's thread only */
	struct object *in_work;
	struct object *threads;   /* dead ones, collected */
	uint64_t threads_due_tsc;
	_Atomic(struct thread *) thread;
} reaper = {.lock = {.rank = RANK_DYING}};

void reaper_add(struct object *object)
{
	struct thread *thread;

	object->next_dead = NULL;
	reaper.count++;
	spinlock_acquire(&reaper.lock);
	if (reaper.first == NULL)
		reaper.first = object;
	else
		reaper.last->next_dead = object;
	reaper.last = object;
	spinlock_release(&reaper.lock);
	thread = atomic_load(&reaper.thread);
	if (thread != NULL)
		thread_wake(thread);
}

static struct object *take(void)
{
	struct object *object;

	spinlock_acquire(&reaper.lock);
	object = reaper.first;
	if (object != NULL)
		reaper.first = object->next_dead;
	spinlock_release(&reaper.lock);
	return object;
}

static uint64_t free_threads(void)
{
	uint64_t now = rdtsc();

	if (reaper.threads == NULL)
		return UINT64_MAX;
	if (now < reaper.threads_due_tsc)
		return reaper.threads_due_tsc;
	reaper.count -= threads_free(&reaper.threads);
	reaper.threads_due_tsc = now + tsc_from_us(THREADS_PAUSE_US);
	return REAPER_WORK_NOW;
}

uint64_t reaper_step(void)
{
	struct object *object = reaper.in_work != NULL ? reaper.in_work : take();

	if (object == NULL)
		return free_threads();
	reaper.in_work = NULL;
	if (object->kind == OBJECT_THREAD) {
		object->next_dead = reaper.threads;
		reaper.threads = object;
	} else if (object->release(object)) {
		reaper.count--;
	} else {
		reaper.in_work = object;
	}
	return REAPER_WORK_NOW;
}

void reaper_thread_ends(void)
{
	reaper.count++;
}

void reaper_thread_ended(void)
{
	reaper.count--;
}

bool reaper_is_behind(void)
{
	return reaper.count != 0;
}

static _Noreturn void run(void)
{
	for (;;) {
		uint64_t again_tsc = reaper_step();

		if (again_tsc != REAPER_WORK_NOW) {
			thread_block(again_tsc);
			continue;
		}
		take_waiting_interrupts();
		if (thread_should_yield())
			thread_yield();
	}
}

enum status reaper_start(void)
{
	struct thread *thread;
	enum status status = thread_create(root_pool, NULL, NULL, percpu_self(), &thread);

	if (status != OK)
		return status;
	thread->kernel_entry = run;
	atomic_store(&reaper.thread, thread);
	thread_wake(thread);
	return OK;
}
