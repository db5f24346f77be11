/* A PC with any number of CPUs that runs the scheduler's own source (kernel/schedule/), in ticks of a simulated TSC, without
 * guests: threads are what they do with their time. The part of kernel/scheduler.c that calls the policy is modelled here: a
 * wake-up or a timer is an interrupt of the thread's CPU, after which another thread runs if one is due. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernel/percpu.h"
#include "kernel/schedule/schedule.h"
#include "kernel/thread.h"

#define SIM_TICKS_PER_US 2000ULL /* 2.0 GHz */
#define SIM_US           SIM_TICKS_PER_US
#define SIM_MS           (1000 * SIM_US)
#define SIM_SECOND       (1000 * SIM_MS)
#define SIM_NEVER        UINT64_MAX
#define SIM_SWITCH_TICKS 500U    /* from one thread to another */
#define SIM_TIMER_TICKS  100U    /* from a deadline to its interrupt */

struct sim_thread;
struct sim;

/* What a thread does when it has computed what it wanted. */
enum sim_action { SIM_GO_ON, SIM_SLEEP, SIM_YIELD };

struct sim_cpu {
	struct percpu percpu;        /* for kernel/balance.c */
	struct schedule schedule;
	struct schedule_queue *queues;
	uint32_t index;
	struct sim_thread *running; /* NULL: idle */
	uint64_t works_from;        /* the switch is over */
	bool acts;                  /* it is in next() */
	uint64_t idle_ticks, switches, last_tsc;
};

/* Times of something that happens again and again, for percentiles. */
struct sim_samples {
	uint64_t *values;
	uint64_t count, room;
};

struct sim_thread {
	struct thread thread;        /* its `schedule`, and the CPUs that it may use */
	struct sim_cpu *cpu;
	struct timer wake;           /* armed: sleeps until then */
	bool sleeps;
	/* what it is: called when `left` is used up; says what comes next, having set left and, for SIM_SLEEP, wake_at */
	enum sim_action (*next)(struct sim *sim, struct sim_thread *thread);
	uint64_t burst, period, phase; /* meaning: next()'s */
	struct sim_thread *friend;
	uint64_t left;               /* to compute until next() */
	uint64_t wake_at;            /* SIM_NEVER: when another wakes it */
	/* what became of it */
	uint64_t ran;                /* with the CPU, switches included */
	uint64_t ready_since, longest_wait; /* since it last had the CPU, ready */
	uint64_t woke_at;            /* SIM_NEVER: it has run since */
	uint64_t jobs, misses, worst_lateness;
	int64_t worst_margin;
	uint64_t release;            /* of this job */
	struct sim_samples *latencies;
};

struct sim {
	uint64_t now;
	uint64_t switch_ticks, timer_ticks;
	uint32_t cpu_count;
	struct sim_cpu *cpus;
	bool balances;               /* threads move between CPUs */
	struct timer *sleepers;
	struct sim_thread **threads;
	uint32_t thread_count;
	/* called for each stretch of time for which a thread (NULL: none) had a CPU */
	void (*ran)(struct sim *sim, struct sim_cpu *cpu, const struct sim_thread *thread, uint64_t from, uint64_t to);
	void *context;
};

void sim_init(struct sim *sim, uint32_t cpus);
void sim_free(struct sim *sim);
/* A thread that starts at once. next NULL: it computes for ever. */
struct sim_thread *sim_add(struct sim *sim, uint32_t cpu, struct schedule_group *group,
			   enum sim_action (*next)(struct sim *sim, struct sim_thread *thread));
/* A thread whose first event is at thread->wake_at. */
struct sim_thread *sim_add_sleeper(struct sim *sim, uint32_t cpu, struct schedule_group *group,
				   enum sim_action (*next)(struct sim *sim, struct sim_thread *thread), uint64_t wake_at);
void sim_run(struct sim *sim, uint64_t ticks);
/* A thread that sleeps goes on; nothing else otherwise. From next() of another. */
void sim_wake(struct sim *sim, struct sim_thread *thread);
/* CPU time of all threads of a group since sim_clear(). */
uint64_t sim_ran(const struct sim *sim, const struct schedule_group *group);
void sim_clear(struct sim *sim);
void sim_group(struct schedule_group *group, uint32_t weight, uint32_t cap_percent, uint64_t windows);
uint64_t sim_random(uint64_t bound);

void sim_sample(struct sim_samples *samples, uint64_t value);
/* per_mille of the samples are at most so much; 1000: the greatest. */
uint64_t sim_percentile(struct sim_samples *samples, unsigned per_mille);

/* tests/simulator/behaviour.c: values for next(). */
/* Computes `burst` in each `period`, from `phase` on; a job must end before the next is released. */
enum sim_action behave_periodic(struct sim *sim, struct sim_thread *thread);
/* Sleeps until `period` after its last wake-up (or after it went to sleep: behave_sleeper), computes `burst`. */
enum sim_action behave_waker(struct sim *sim, struct sim_thread *thread);
enum sim_action behave_sleeper(struct sim *sim, struct sim_thread *thread);
/* Computes until `burst` before the CPU would be taken from it, sleeps for `period`. */
enum sim_action behave_dodger(struct sim *sim, struct sim_thread *thread);
/* Yields after each burst. */
enum sim_action behave_yielder(struct sim *sim, struct sim_thread *thread);
/* Computes `burst`, wakes its friend, sleeps until it is woken. */
enum sim_action behave_ring(struct sim *sim, struct sim_thread *thread);
/* Computes and sleeps for random times, up to 2 * burst and 2 * period. */
enum sim_action behave_random(struct sim *sim, struct sim_thread *thread);
