/* Threads and their states. A thread belongs to its home CPU: only that CPU changes its scheduling state, its home too; others
 * put it into the home CPU's inbox and send VECTOR_RESCHEDULE. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/syscall.h"
#include "kernel/config.h"
#include "kernel/object.h"
#include "kernel/schedule/schedule.h"
#include "kernel/timer.h"

struct percpu;
struct space;
struct vcpu;

enum thread_state { THREAD_RUNNABLE, THREAD_RUNNING, THREAD_BLOCKED, THREAD_DEAD };

struct thread {
	struct object object;
	/* constant after thread_create() */
	struct space *space; /* NULL: a thread of ring 0 */
	void (*kernel_entry)(void); /* of a thread of ring 0; NULL: the idle thread */
	struct pool *pool;
	uint64_t stack_top;  /* address of its struct stack_head; the stack grows down from there */
	uint64_t user_entry, user_stack, user_argument;
	char name[16];
	uint64_t cpu_mask[CPUS_MAX / 64]; /* a place of its own narrows it (SCHEDULE_SPACE) */
	_Atomic(struct percpu *) home; /* changed by itself, while the thread is ready, under its inbox lock */
	/* home CPU only */
	enum thread_state state;
	bool arrives; /* from another CPU */
	struct schedule_entity schedule;
	uint64_t saved_rsp;
	struct timer wait_timer;
	struct vcpu *vcpu; /* whose VCPU_RUN this thread is in, else the last one; owned by virt/ */
	/* any CPU */
	_Atomic bool wake_pending; /* a wake-up that came while not yet blocked */
	_Atomic bool kill_pending;
	struct thread *inbox_next; /* guarded by the home CPU's inbox lock */
	_Atomic bool in_inbox; /* of its home, or on its way there */
	/* the event it waits for: guarded by that event's lock */
	struct thread *next_waiter;
	struct thread *next_in_space; /* space lock */
};

struct thread *thread_current(void);

/* Gives the CPU away until thread_wake() or until the TSC reaches deadline_tsc (UINT64_MAX: never). Returns at once when a
 * wake-up is already pending. The caller looks at its condition again: wake-ups may be spurious.
 * Context: the thread itself, no lock held. */
void thread_block(uint64_t deadline_tsc);

/* Ends one wait of thread, now or the next. From any CPU; no lock above RANK_INBOX held. */
void thread_wake(struct thread *thread);

/* Makes a thread that runs on another CPU enter ring 0 soon (a guest exits), without ending a wait. */
void thread_kick(struct thread *thread);
/* The CPU that it is the current thread of; NULL: it waits, or is on its way to another CPU. A thread looks at what was stored with
 * sequential consistency before this call once it is current anywhere later. */
const struct percpu *thread_runs_on(const struct thread *thread);

/* TSC ticks for which it had a CPU. For reports: a switch on its home CPU at this moment may be missed. Context: any CPU, the
 * caller knows that the thread lives. */
uint64_t thread_run_ticks(const struct thread *thread);

/* TSC ticks for which it was ready and had no CPU, up to its last turn. Context: the CPU it is at home on. */
uint64_t thread_steal_ticks(const struct thread *thread);
struct vcpu_status;

/* What became of its time, where it is and in which state: READY, RUNNING or HALTED (it waits for something). Same context; a
 * switch at this moment may be missed. */
void thread_times(const struct thread *thread, struct vcpu_status *out);

/* True when the current thread should return from a long stay in ring 0 or the guest: its slice ended with another thread
 * ready, or it is to die. */
bool thread_should_yield(void);
void thread_yield(void);
/* Waits until the log is shown, where ring 0 shows it: others run meanwhile. No lock held. */
void thread_show_log(void);
