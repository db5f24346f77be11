/* Which thread runs on this CPU: fair shares among the threads at home here (kernel/run_queue.c), preemptive at the way out of
 * ring 0. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct percpu;
struct thread;

/* Makes the first thread of a CPU, its idle thread, out of the code that runs. */
void scheduler_cpu_start(struct percpu *cpu, struct thread *idle);
/* The idle loop; never returns. */
_Noreturn void scheduler_idle(void);

/* Puts a new or woken thread into the queue of its home CPU. Any CPU. */
void scheduler_make_runnable(struct thread *thread);
/* Takes what other CPUs put into this CPU's inbox. */
void scheduler_take_inbox(void);
/* Runs another thread if there is one; returns when the current one is chosen again. The current thread's state says whether it
 * goes back into the queue. */
void scheduler_switch(void);
/* The current thread lets another go first, at its way out of ring 0. */
void scheduler_yield(void);
/* The same, when the current one is a vCPU that spins: better one of its own VM, for which it may be waiting. */
void scheduler_yield_to_sibling(void);
/* After an interrupt was dealt with: whether a thread that it woke should run at once. One that the current thread wakes by a
 * call of its own waits a little: the current one may be about to wait too, or hold a lock that the woken one wants. */
void scheduler_after_interrupt(void);
/* On the way to ring 3 or a guest: dies if it was killed, switches if another thread is due. */
void scheduler_before_user(void);
/* The home CPU for a new thread: the allowed one with the fewest threads. */
struct percpu *scheduler_choose_home(const struct thread *thread);
