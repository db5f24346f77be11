/* Which thread runs on this CPU: carries out what the policy (kernel/schedule/) decides, preemptive at the way out of ring 0. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct percpu;
struct schedule_cpu;
struct schedule_group;
struct schedule_place;
struct thread;

/* Makes the first thread of a CPU, its idle thread, out of the code that runs. ERR_NO_MEMORY. */
MUST_CHECK enum status scheduler_cpu_start(struct percpu *cpu, struct thread *idle);
/* The idle loop; never returns. */
_Noreturn void scheduler_idle(void);
/* What shares of the host the threads of ring 0 have. */
extern struct schedule_group scheduler_ring0_group;

/* Puts a new or woken thread into the queue of its home CPU. Any CPU. */
void scheduler_make_runnable(struct thread *thread);
/* Takes what other CPUs put into this CPU's inbox, threads and new rules. */
void scheduler_take_inbox(void);
/* Runs another thread if there is one; returns when the current one is chosen again, perhaps on another CPU. The current thread's
 * state says whether it goes back into the queue. */
void scheduler_switch(void);
/* The current thread lets another go first, at its way out of ring 0. */
void scheduler_yield(void);
/* ... and if another thread of its program is due on this CPU, that one: it may hold what the current one spins for. Where nobody
 * waits for this CPU, nothing: spinning costs no switches. */
void scheduler_yield_to_sibling(void);
/* Around what an interrupt does. Afterwards: whether a thread that it woke should run at once. One that the current thread wakes
 * by a call of its own waits a little: the current one may be about to wait too, or hold a lock that the woken one wants. */
void scheduler_before_interrupt(void);
void scheduler_after_interrupt(void);
/* The time that the policy asked for has come. From the timer interrupt. */
void scheduler_deadline_reached(uint64_t now_tsc);
/* On the way back to the program that an interrupt met: the same as scheduler_before_user(), but for a moment's grace. */
void scheduler_before_resume(void);
/* On the way to ring 3 or a guest: dies if it was killed, switches if another thread is due. */
void scheduler_before_user(void);
/* The home CPU for a new thread: the allowed one with the fewest threads; NULL: none is allowed. */
struct percpu *scheduler_choose_home(const struct thread *thread);

/* The current thread has its place and its reservation from now on. It returns on that CPU. ERR_OUT_OF_RANGE: no such CPU. */
MUST_CHECK enum status scheduler_place_current(const struct schedule_place *place);
/* New rules for a CPU, which takes them over soon: ERR_BUSY while it has not taken over the last ones. */
MUST_CHECK enum status scheduler_set_rules(struct percpu *cpu, const struct schedule_cpu *rules);
