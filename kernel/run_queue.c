/* Fair shares of one CPU. Each thread's account holds the CPU time it has had; the least account runs next, so threads that
 * always compute alternate, and one that mostly waits, like the console, runs as soon as it wakes. Nobody saves up by waiting:
 * a woken thread's account is raised to within bonus_ticks of the others'. That bounds what any number of wake-ups can take from
 * a thread that computes: its equal share, but for one bonus each. A new thread has no bonus, so making threads gains nothing.
 * Pure, so that the host tests it. */
#include "kernel/run_queue.h"

#include <stddef.h>

#include "kernel/timer_heap.h"

static uint64_t *account(struct thread *thread)
{
	return &thread->turn.deadline_tsc;
}

void run_queue_init(struct run_queue *queue, uint64_t bonus_ticks, uint64_t margin_ticks)
{
	*queue = (struct run_queue){.bonus_ticks = bonus_ticks, .margin_ticks = margin_ticks};
}

void run_queue_charge(struct thread *thread, uint64_t ticks)
{
	*account(thread) += ticks;
}

void run_queue_advance(struct run_queue *queue, const struct thread *running)
{
	uint64_t least = running != NULL ? running->turn.deadline_tsc : UINT64_MAX;

	if (queue->first != NULL && queue->first->deadline_tsc < least)
		least = queue->first->deadline_tsc;
	if (least != UINT64_MAX && least > queue->least_ticks)
		queue->least_ticks = least;
}

void run_queue_put(struct run_queue *queue, struct thread *thread)
{
	queue->first = timer_heap_insert(queue->first, &thread->turn);
	queue->count++;
}

void run_queue_wake(struct run_queue *queue, struct thread *thread)
{
	bool is_new = *account(thread) == 0;
	uint64_t least = queue->least_ticks;
	uint64_t floor = is_new ? least + 1 : least > queue->bonus_ticks ? least - queue->bonus_ticks : 1;

	if (*account(thread) < floor)
		*account(thread) = floor;
	run_queue_put(queue, thread);
}

struct thread *run_queue_take(struct run_queue *queue)
{
	struct timer *turn = queue->first;

	if (turn == NULL)
		return NULL;
	queue->first = timer_heap_remove(queue->first, turn);
	queue->count--;
	return (struct thread *)((char *)turn - offsetof(struct thread, turn));
}

bool run_queue_preempts(const struct run_queue *queue, const struct thread *running)
{
	uint64_t had = running->turn.deadline_tsc;

	return queue->first != NULL && had >= queue->margin_ticks && queue->first->deadline_tsc <= had - queue->margin_ticks;
}

void run_queue_give_way(const struct run_queue *queue, struct thread *running)
{
	if (queue->first != NULL && *account(running) <= queue->first->deadline_tsc)
		*account(running) = queue->first->deadline_tsc + 1;
}
