/* The threads of a CPU that wait for it, by the CPU time that each has had: who had least is next. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernel/thread.h"

struct run_queue {
	struct timer *first; /* heap of the threads' `turn`s */
	uint32_t count;
	uint64_t least_ticks; /* no runnable thread has had less than this, but for what waiting earned it; only grows */
	uint64_t bonus_ticks; /* what waiting earns at most */
	uint64_t margin_ticks;
};

/* bonus_ticks: by how much CPU time a thread that has waited may be ahead of the others' turn; margin_ticks: how much less than
 * the running one it must have had to take its place at once. */
void run_queue_init(struct run_queue *queue, uint64_t bonus_ticks, uint64_t margin_ticks);

/* thread has had the CPU for so long. It is in no queue. */
void run_queue_charge(struct thread *thread, uint64_t ticks);

/* Notes how far the CPU's threads have come. running: the thread that has the CPU or leaves it, charged up to now; NULL: idle. */
void run_queue_advance(struct run_queue *queue, const struct thread *running);

/* A thread that can go on, without having waited. */
void run_queue_put(struct run_queue *queue, struct thread *thread);
/* One that is new or has waited; after run_queue_advance(). */
void run_queue_wake(struct run_queue *queue, struct thread *thread);
/* Whose turn it is, taken out; NULL: nobody's. */
struct thread *run_queue_take(struct run_queue *queue);

/* Whether a waiting thread should have the CPU at once, not only when running's slice ends. */
bool run_queue_preempts(const struct run_queue *queue, const struct thread *running);
/* running lets the next one go first. */
void run_queue_give_way(const struct run_queue *queue, struct thread *running);
