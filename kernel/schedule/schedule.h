/* The policy of the scheduler: which of the threads at home on a CPU runs, and until when. Pure: the TSC comes in as now_tsc, so
 * that tests and the simulator run the same source. Who calls it: kernel/scheduler.c. The rules: docs/scheduling.md.
 *
 * A CPU's ready threads wait in fair queues: one for the host's programs, one for VMs that are in no window, one for each set of
 * windows that some VM has. Before these come the reservations, by earliest deadline; the host's programs have one together. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/schedule.h"
#include "kernel/timer.h"

struct schedule_entity;

/* What shares a weight and a cap: a VM with its VMM, or a program of the host. Any CPU. */
struct schedule_group {
	uint32_t weight;
	uint32_t cap_percent;             /* 0: none */
	uint64_t windows;
	bool is_host;
	_Atomic uint32_t ready_count;     /* entities that run or want to, on all CPUs */
	_Atomic int64_t cap_left_ticks;   /* of this period; below 0: overdrawn */
	_Atomic uint64_t cap_end_tsc;     /* of this period */
};

/* A constant-bandwidth server: so many ticks of each period, by earliest deadline. Abeni and Buttazzo, "Integrating Multimedia
 * Applications in Hard Real-Time Systems". */
struct schedule_server {
	uint64_t budget_ticks, period_ticks; /* budget 0: none */
	int64_t left_ticks;
	uint64_t deadline_tsc; /* when the budget comes anew */
};

enum schedule_state {
	SCHEDULE_BLOCKED, /* in no queue */
	SCHEDULE_READY,   /* in the fair queue */
	SCHEDULE_URGENT,  /* in the queue of reservations */
	SCHEDULE_CAPPED,  /* waits for its group's next period */
	SCHEDULE_RUNNING,
};

/* What of a thread the policy knows. The CPU that it is at home on only. */
struct schedule_entity {
	struct schedule_group *group;  /* constant */
	enum schedule_state state;
	struct timer node;             /* in one queue; its deadline: virtual start or finish, deadline, end of the cap's period */
	struct timer refill;           /* out of budget: in the heap of refills */
	struct schedule_server server;
	uint32_t queue;                /* index of its fair queue on this CPU */
	bool is_eligible;              /* in its fair queue's heap by finish */
	uint64_t weight;               /* as it counts in the queue, in 1/1024 */
	uint64_t start, finish;        /* virtual times */
	uint64_t request_ticks;        /* the service that `finish` stands for */
	uint64_t served_ticks;         /* of it */
	/* accounts */
	uint64_t since_tsc;            /* of the state */
	uint64_t run_ticks, wait_ticks, steal_ticks, halted_ticks;
	uint64_t switches, migrations;
};

/* Threads that share by weight. */
struct schedule_queue {
	struct timer *by_start, *by_finish; /* heaps: those whose turn has not come, those whose has */
	uint64_t virtual_now;
	uint64_t weight;               /* of all in it, and of the one that runs */
	uint32_t count;                /* in the heaps */
	uint64_t windows;              /* which VMs wait here; constant once made */
	uint64_t served;               /* virtual, against other queues of the same window */
};

#define SCHEDULE_QUEUE_HOST   0U
#define SCHEDULE_QUEUE_COMMON 1U
#define SCHEDULE_QUEUES_MAX   (2U + SCHEDULE_WINDOWS_MAX)

struct schedule {
	struct schedule_cpu rules;
	uint64_t slice_ticks, wake_ticks; /* how long one runs while others wait; one that has just woken */
	struct schedule_entity *running;  /* NULL: idle */
	bool runs_urgent;                 /* ... by its server, or the host's */
	uint64_t charged_tsc;             /* up to here */
	uint64_t end_tsc;                 /* when the running one must be looked at; UINT64_MAX: never */
	struct timer *urgent, *refills, *capped; /* heaps */
	struct schedule_server host;
	uint32_t window;                  /* position in rules.windows; window_count: between windows */
	uint64_t window_end_tsc;
	uint32_t queue_count;
	uint64_t served_now;
	struct schedule_queue queues[SCHEDULE_QUEUES_MAX];
	uint32_t ready_count;             /* in all queues, the running one not counted */
};

/* A CPU in mode SCHEDULE_FAIR, the host's programs with a reservation of 5 %. ticks_per_us: of the TSC. */
void schedule_init(struct schedule *schedule, uint64_t ticks_per_us, uint64_t now_tsc);
/* Takes over rules that schedule_rules_valid(). A change takes effect at the next schedule_next(). */
void schedule_set_rules(struct schedule *schedule, const struct schedule_cpu *rules, uint64_t now_tsc);
bool schedule_rules_valid(const struct schedule_cpu *rules);

/* weight 100, no cap, no window. */
void schedule_group_init(struct schedule_group *group, bool is_host);
/* ERR-free: the values were checked with schedule_space_valid(). Before its first entity. */
void schedule_group_set(struct schedule_group *group, const struct schedule_space *rules);
bool schedule_space_valid(const struct schedule_space *rules);

void schedule_entity_init(struct schedule_entity *entity, struct schedule_group *group, uint64_t now_tsc);
/* Gives the running or blocked entity a reservation, from now on. budget 0: none. */
void schedule_entity_reserve(struct schedule_entity *entity, uint64_t budget_ticks, uint64_t period_ticks, uint64_t now_tsc);

/* A blocked one wants to run. */
void schedule_wake(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc);
/* One that left another CPU with schedule_leave() comes here; it keeps what it was ahead or behind. */
void schedule_arrive(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc);
/* Takes a ready one out, for another CPU. */
void schedule_leave(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc);
/* Who runs from now on; NULL: nobody. blocks: the one that runs does not go back into a queue. */
struct schedule_entity *schedule_next(struct schedule *schedule, bool blocks, uint64_t now_tsc);
/* The running one is to let others go first at schedule_next(). */
void schedule_yield(struct schedule *schedule, uint64_t now_tsc);

/* Brings the running one's account up to now. */
void schedule_charge(struct schedule *schedule, uint64_t now_tsc);
/* Whether schedule_next() would choose another one than runs: after a wake-up, or when the deadline was reached. */
bool schedule_is_due(struct schedule *schedule, uint64_t now_tsc);
/* The next time at which schedule_is_due() must be asked; UINT64_MAX: never. A lone thread has none. */
uint64_t schedule_deadline(const struct schedule *schedule);

/* deadline_tsc, or the start of the next window in which the entity may run, if that is later: a timer of a VM outside its windows
 * waits for them, and disturbs nobody. */
uint64_t schedule_timer_start(const struct schedule *schedule, const struct schedule_entity *entity, uint64_t deadline_tsc);

/* The first ready entity for which wanted() says true, of at most 64 looked at; NULL: none. For the balance between CPUs and for a
 * sibling that a spinning vCPU waits for. */
struct schedule_entity *schedule_find_ready(const struct schedule *schedule,
					    bool (*wanted)(const struct schedule_entity *entity, const void *context),
					    const void *context);
