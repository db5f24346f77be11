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
	uint32_t cap_percent;           /* of one CPU; 0: none */
	uint64_t windows;
	bool is_host;
	_Atomic uint32_t ready_count;   /* entities that run or want to, on all CPUs */
	_Atomic int64_t cap_left_ticks; /* of this period; below 0: overdrawn */
	_Atomic uint64_t cap_end_tsc;   /* of this period */
	_Atomic bool cap_is_refilled;   /* at this moment, by some CPU */
};

/* A constant-bandwidth server: so many ticks of each period, by earliest deadline. Abeni and Buttazzo, "Integrating Multimedia
 * Applications in Hard Real-Time Systems". */
struct schedule_server {
	uint64_t budget_ticks, period_ticks; /* budget 0: none */
	int64_t left_ticks;                  /* below 0: it ran over, the next period pays */
	uint64_t deadline_tsc;               /* when the budget comes anew */
};

enum schedule_state {
	SCHEDULE_BLOCKED, /* in no queue */
	SCHEDULE_READY,   /* in the fair queue */
	SCHEDULE_URGENT,  /* among the reservations */
	SCHEDULE_CAPPED,  /* waits for its group's next period */
	SCHEDULE_RUNNING,
};

/* What the policy knows of a thread. Touched by the CPU that it is at home on only. */
struct schedule_entity {
	struct schedule_group *group;  /* constant */
	enum schedule_state state;
	struct timer node;             /* in one queue; its deadline: virtual start or finish, deadline, end of the cap's period */
	struct timer refill;           /* out of budget and not blocked: in the heap of refills */
	struct schedule_server server;
	uint32_t queue;                /* its fair queue on this CPU */
	bool is_eligible;              /* in that queue's heap by finish */
	bool is_woken;                 /* it goes before all that have not waited */
	uint64_t weight;               /* as it counts in the queue, in 1/1024 */
	uint64_t start, finish;        /* virtual times */
	uint64_t request_ticks;        /* the service for which `finish` stands */
	uint64_t served_ticks;         /* of it */
	uint64_t owed_ticks;           /* when it blocked: what it was behind */
	/* accounts */
	uint64_t since_tsc;            /* it waits or is blocked since */
	uint64_t arrived_tsc;          /* on this CPU */
	uint64_t run_ticks, wait_ticks, steal_ticks, halted_ticks;
	uint64_t switches, migrations;
};

/* Threads that share by weight: worst-case fair weighted fair queueing, as in Bennett and Zhang, "Hierarchical Packet Fair Queueing
 * Algorithms", and Stoica and Abdel-Wahab, "Earliest Eligible Virtual Deadline First". */
struct schedule_queue {
	struct timer *by_start, *by_finish; /* heaps: those whose turn has not come, those whose has */
	uint64_t virtual_now;
	int64_t lag;                   /* sum of weight * (start - virtual_now), nearly 0 */
	uint64_t weight;               /* of all in it, and of the one that runs by it */
	uint32_t count;                /* in the heaps */
	uint32_t first_window;         /* the window, counted up, of which it was the first */
	uint64_t windows;              /* of the VMs that wait here; constant */
	uint64_t served;               /* virtual: what it got, against other queues */
};

#define SCHEDULE_QUEUE_HOST   0U
#define SCHEDULE_QUEUE_COMMON 1U /* of VMs that are in no window */
#define SCHEDULE_QUEUES_MAX   64U /* a page; 62 different sets of windows on one CPU, the rest waits with the common ones */

struct schedule {
	struct schedule_cpu rules;
	uint64_t slice_ticks, wake_ticks, switch_ticks, grace_ticks, cap_period_ticks, cap_least_ticks;
	struct schedule_entity *running;  /* NULL: idle */
	bool is_urgent;                   /* it runs by a reservation: its own or the host's */
	bool had_grace;                   /* in this turn */
	bool is_alone;                    /* nobody waited when end_tsc was set */
	bool yields;                      /* another one of its queue goes first: */
	struct schedule_entity *prefers;  /* ... this one, if its turn has come; or NULL */
	uint64_t charged_tsc;             /* accounts are right up to here */
	uint64_t switch_owed_ticks;       /* ... but for what the switch to the running one cost, if it runs by its share */
	uint64_t end_tsc;                 /* when the running one's turn is over; UINT64_MAX: never */
	struct timer *urgent, *refills, *capped; /* heaps */
	struct schedule_server host;
	uint32_t window;                  /* position in rules.windows; window_count: between windows */
	uint64_t window_end_tsc;          /* UINT64_MAX: no windows here */
	uint64_t served_now;              /* of the queue chosen last, up to charged_tsc: others start there */
	uint32_t windows_past;
	bool is_fresh;                    /* nobody was chosen in this window */
	uint32_t queue_count;
	uint32_t ready_count;             /* in all queues: the running one is not */
	struct schedule_queue *queues;    /* SCHEDULE_QUEUES_MAX */
};

/* A CPU in mode SCHEDULE_FAIR, the host's programs with a reservation of 5 %. queues: SCHEDULE_QUEUES_MAX, zeroed, the caller's;
 * ticks_per_us: of the TSC. */
void schedule_init(struct schedule *schedule, struct schedule_queue *queues, uint64_t ticks_per_us, uint64_t now_tsc);
/* Takes over rules that are schedule_rules_valid(), as of the next schedule_next(). */
void schedule_set_rules(struct schedule *schedule, const struct schedule_cpu *rules, uint64_t now_tsc);
bool schedule_rules_valid(const struct schedule_cpu *rules);

/* Weight 100, no cap, no window. */
void schedule_group_init(struct schedule_group *group, bool is_host);
/* Rules that are schedule_space_valid(). Before the group's first entity. */
void schedule_group_set(struct schedule_group *group, const struct schedule_space *rules);
bool schedule_space_valid(const struct schedule_space *rules);

/* Blocked, without a reservation. The rest of the struct is zero. */
void schedule_entity_init(struct schedule_entity *entity, struct schedule_group *group, uint64_t now_tsc);
/* Gives a blocked one, or the one that runs, a reservation. */
void schedule_entity_reserve(struct schedule_entity *entity, uint64_t budget_ticks, uint64_t period_ticks, uint64_t now_tsc);

/* A blocked one wants to run. */
void schedule_wake(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc);
/* Takes a ready one out, for another CPU. It keeps what it is ahead or behind of others. */
void schedule_leave(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc);
/* One that left another CPU comes here. */
void schedule_arrive(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc);
/* What becomes of the one that runs. MOVES: it is for another CPU, as after schedule_leave(). */
enum schedule_leaves { SCHEDULE_STAYS_READY, SCHEDULE_BLOCKS, SCHEDULE_MOVES };
/* Who runs from now on; NULL: nobody. */
struct schedule_entity *schedule_next(struct schedule *schedule, enum schedule_leaves leaves, uint64_t now_tsc);
/* Another one of its queue goes before the running one at schedule_next(), whatever their accounts say: to, if it waits here
 * and its turn has come (NULL: any). */
void schedule_yield(struct schedule *schedule, struct schedule_entity *to);
/* The first of those that wait for their shares of which wanted() says true, SCHEDULE_LOOKS looked at. */
#define SCHEDULE_LOOKS 32U
typedef bool schedule_wanted(const struct schedule_entity *entity, void *context);
struct schedule_entity *schedule_find(const struct schedule *schedule, uint32_t queue, schedule_wanted *wanted,
				      void *context);
/* The weight of all that run and wait by shares here, in 1/1024. */
uint64_t schedule_load(const struct schedule *schedule);

/* The budget by which the running one runs is used up, and it is at work in ring 3, where it may hold a lock that others of its VM
 * need: it goes on for a moment, once, at the cost of its next period. False: it has had that, or its turn is over for another
 * reason. */
bool schedule_grace(struct schedule *schedule, uint64_t now_tsc);

/* Brings the running one's accounts up to now. */
void schedule_charge(struct schedule *schedule, uint64_t now_tsc);
/* Whether schedule_next() may choose another one: after a wake-up, or once schedule_deadline() was reached. */
bool schedule_is_due(struct schedule *schedule, uint64_t now_tsc);
/* When to ask schedule_is_due() again; UINT64_MAX: never, as for a lone thread. */
uint64_t schedule_deadline(const struct schedule *schedule);

/* How much of this time lay outside of the entity's windows. Any CPU: rules change before there are VMs. */
uint64_t schedule_outside_ticks(const struct schedule *schedule, const struct schedule_entity *entity, uint64_t from_tsc,
				uint64_t to_tsc);

/* deadline_tsc or, if it is later, the start of the next window in which the entity may run: a VM's timers wait for it, so that
 * they disturb nobody else's window. */
uint64_t schedule_timer_start(const struct schedule *schedule, const struct schedule_entity *entity, uint64_t deadline_tsc);

/* The weight that an entity of the group has now, in 1/1024. */
uint64_t schedule_weight(const struct schedule_group *group);
