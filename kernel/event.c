/* Events and the threads that wait for them. */
#include "kernel/event.h"

#include <stddef.h>

#include "kernel/config.h"
#include "kernel/cpu_insn.h"
#include "kernel/pool.h"
#include "kernel/spinlock.h"
#include "kernel/thread.h"

struct event {
	struct object object;
	struct pool *pool;
	struct spinlock lock;
	uint64_t bits;
	struct thread *waiters;
	uint32_t waiter_count;
};

struct event *event_from_object(struct object *object)
{
	return (struct event *)object;
}

struct object *event_object(struct event *event)
{
	return &event->object;
}

static bool event_release(struct object *object)
{
	struct event *event = event_from_object(object);
	struct pool *pool = event->pool;

	pool_free(pool, event, sizeof(*event));
	object_put(pool_object(pool));
	return true;
}

enum status event_create(struct pool *pool, struct event **out)
{
	struct event *event = pool_alloc(pool, sizeof(*event));

	if (event == NULL)
		return ERR_NO_MEMORY;
	object_init(&event->object, OBJECT_EVENT, event_release);
	object_get(pool_object(pool));
	event->pool = pool;
	event->lock = SPINLOCK(RANK_EVENT);
	*out = event;
	return OK;
}

uint64_t event_bits(uint64_t bits, uint64_t badge)
{
	return bits & badge & ~(1ULL << 63);
}

void event_signal(struct event *event, uint64_t bits)
{
	spinlock_acquire(&event->lock);
	event->bits |= bits;
	for (struct thread *thread = event->waiters; thread != NULL; thread = thread->next_waiter)
		thread_wake(thread);
	spinlock_release(&event->lock);
}

static void remove_waiter(struct event *event, const struct thread *self)
{
	for (struct thread **at = &event->waiters; *at != NULL; at = &(*at)->next_waiter) {
		if (*at == self) {
			*at = self->next_waiter;
			event->waiter_count--;
			return;
		}
	}
}

/* Takes the bits if there are any; else lists the thread as waiting: ERR_AGAIN, or ERR_BUSY when too many are. */
static enum status take_or_wait(struct event *event, struct thread *self, uint64_t *bits)
{
	enum status status = OK;

	spinlock_acquire(&event->lock);
	remove_waiter(event, self);
	if (event->bits != 0) {
		*bits = event->bits;
		event->bits = 0;
	} else if (event->waiter_count == WAITERS_MAX) {
		status = ERR_BUSY;
	} else {
		self->next_waiter = event->waiters;
		event->waiters = self;
		event->waiter_count++;
		status = ERR_AGAIN;
	}
	spinlock_release(&event->lock);
	return status;
}

static void stop_waiting(struct event *event, const struct thread *self)
{
	spinlock_acquire(&event->lock);
	remove_waiter(event, self);
	spinlock_release(&event->lock);
}

enum status event_wait(struct event *event, uint64_t deadline_tsc, uint64_t *bits)
{
	struct thread *self = thread_current();
	enum status status;

	while ((status = take_or_wait(event, self, bits)) == ERR_AGAIN) {
		if (self->kill_pending)
			status = ERR_DEAD;
		else if (deadline_tsc <= rdtsc())
			status = ERR_TIMED_OUT;
		if (status != ERR_AGAIN) {
			stop_waiting(event, self);
			break;
		}
		thread_block(deadline_tsc);
	}
	return status;
}
