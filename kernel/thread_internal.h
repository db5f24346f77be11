/* Between threads, the scheduler and the entry code. */
#pragma once
#include "abi/status.h"
#include "kernel/thread.h"

struct pool;
struct space;

/* A thread that is not yet runnable; space NULL: an idle thread (config NULL). The caller owns one reference. */
MUST_CHECK enum status thread_create(struct pool *pool, struct space *space, const struct thread_config *config,
				     struct percpu *home, struct thread **out);
_Noreturn void thread_exit_current(void);
#define THREADS_FREED_AT_ONCE 64U
/* Frees the first threads of a list linked by next_dead, with one TLB shootdown for all; returns how many. */
unsigned threads_free(struct object **dead);
/* Asks a thread to die at its next way out of ring 0. */
void thread_kill(struct thread *thread);
/* The thread before has left its stack: it, or one that waits, may go to another CPU. */
void scheduler_after_switch(struct percpu *cpu);
/* What a thread does first after it was switched to. */
void thread_after_switch(void);
