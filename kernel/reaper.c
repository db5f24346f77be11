/* Each CPU's list of the dead, and the thread that works it off. */
#include "kernel/reaper.h"

#include <stdatomic.h>
#include <stddef.h>

#include "kernel/cpu_insn.h"
#include "kernel/object.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/thread_internal.h"
#include "kernel/timer.h"

/* Freeing stacks disturbs all CPUs: once for many threads, and not more often than this. */
#define THREADS_PAUSE_US 1000U

/* Of all CPUs: objects that were added and are not freed yet, and threads that are ending; when stacks may be freed again. */
static _Atomic uint32_t unfreed_count;
static _Atomic uint64_t threads_due_tsc;

/* No lock: ring 0 takes interrupts only where it says so. */
void reaper_add(struct object *object)
{
	struct reaper *self = &percpu_self()->reaper;

	object->next_dead = NULL;
	unfreed_count++;
	if (self->first == NULL)
		self->first = object;
	else
		self->last->next_dead = object;
	self->last = object;
	if (self->thread != NULL)
		thread_wake(self->thread);
}

static struct object *take(struct reaper *self)
{
	struct object *object = self->in_work != NULL ? self->in_work : self->first;

	if (self->in_work == NULL && object != NULL)
		self->first = object->next_dead;
	self->in_work = NULL;
	return object;
}

static uint64_t free_threads(struct reaper *self)
{
	uint64_t now = rdtsc(), due = threads_due_tsc;

	if (self->threads == NULL)
		return UINT64_MAX;
	if (now < due)
		return due;
	threads_due_tsc = now + tsc_from_us(THREADS_PAUSE_US);
	unfreed_count -= threads_free(&self->threads);
	return REAPER_WORK_NOW;
}

uint64_t reaper_step(void)
{
	struct reaper *self = &percpu_self()->reaper;
	uint64_t now = rdtsc();
	struct object *object;

	/* A program may see to it that objects never end; another's threads, and with them its pool, do not wait for that. */
	if (self->threads != NULL && now >= self->threads_late_tsc && now >= threads_due_tsc)
		return free_threads(self);
	object = take(self);
	if (object == NULL)
		return free_threads(self);
	if (object->kind == OBJECT_THREAD) {
		if (self->threads == NULL)
			self->threads_late_tsc = now + tsc_from_us(THREADS_PAUSE_US);
		object->next_dead = self->threads;
		self->threads = object;
	} else if (object->release(object)) {
		unfreed_count--;
	} else {
		self->in_work = object;
	}
	return REAPER_WORK_NOW;
}

void reaper_thread_ends(void)
{
	unfreed_count++;
}

void reaper_thread_ended(void)
{
	unfreed_count--;
}

bool reaper_is_behind(void)
{
	return unfreed_count != 0;
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
	enum status status = OK;

	for (uint32_t i = 0; status == OK && i < percpu_count; i++) {
		struct thread *thread;

		status = thread_create(root_pool, NULL, NULL, percpus[i], &thread);
		if (status != OK)
			break;
		thread->kernel_entry = run;
		percpus[i]->reaper.thread = thread;
		thread_wake(thread);
	}
	return status;
}
