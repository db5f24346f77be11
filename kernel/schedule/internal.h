/* Between the files of the policy. */
#pragma once
#include "kernel/schedule/schedule.h"

/* fair.c */
void fair_charge(struct schedule *schedule, struct schedule_entity *entity, uint64_t ticks);
/* The same for one that runs, but not by its share: its weight is not in the queue. */
void fair_charge_apart(const struct schedule *schedule, struct schedule_entity *entity, uint64_t ticks);
/* It has waited: no credit, but a short request, served soon. */
void fair_wake(struct schedule *schedule, struct schedule_entity *entity);
void fair_add(struct schedule *schedule, struct schedule_entity *entity);
/* Before fair_add(), for one that has not just woken: its weight is another one by now, and its start may be far away. */
void fair_adapt(const struct schedule *schedule, struct schedule_entity *entity);
/* The one that ran, its weight still in the queue. */
void fair_put_back(struct schedule *schedule, struct schedule_entity *entity);
void fair_remove(struct schedule *schedule, struct schedule_entity *entity);
/* The one whose turn it is, out of the heaps but with its weight in the queue; not `other_than` if there is another; `prefers`
 * if it waits in this queue and its turn has come. */
struct schedule_entity *fair_take(struct schedule_queue *queue, const struct schedule_entity *other_than,
				  struct schedule_entity *prefers);
/* The running one's weight leaves its queue. */
void fair_stop(struct schedule *schedule, struct schedule_entity *entity);
/* Whether one that has just woken should be served before the running one's turn is over. */
bool fair_preempts(struct schedule_queue *queue, const struct schedule_entity *running);
uint64_t fair_virtual(uint64_t ticks, uint64_t weight);
uint32_t fair_queue_of(struct schedule *schedule, const struct schedule_group *group);

/* server.c */
void server_wake(struct schedule_server *server, uint64_t now_tsc);
/* Its deadline was reached: the next period's budget. */
void server_refill(struct schedule_server *server, uint64_t now_tsc);

/* windows.c */
/* Finds the window of now_tsc. */
void windows_update(struct schedule *schedule, uint64_t now_tsc);
/* Of [from_tsc, to_tsc), the ticks outside the windows in `mask`. */
uint64_t windows_outside(const struct schedule_cpu *rules, uint64_t mask, uint64_t from_tsc, uint64_t to_tsc);

/* group.c */
/* What the group's cap leaves of this period; INT64_MAX: no cap. */
int64_t group_cap_left(const struct schedule *schedule, struct schedule_group *group, uint64_t now_tsc);
void group_cap_charge(struct schedule_group *group, uint64_t ticks);

/* choose.c. Those of the window come before those that use what it leaves. */
enum queue_rank { QUEUE_FIRST, QUEUE_SLACK, QUEUE_CLOSED };
enum queue_rank queue_rank(const struct schedule *schedule, uint32_t index);
/* The queue that was served least, of the first rank in which somebody waits; NULL: nobody. */
struct schedule_queue *choose_queue(struct schedule *schedule, enum queue_rank *rank);
/* The earliest deadline of those that wait with a budget; NULL: none. */
const uint64_t *first_deadline(const struct schedule *schedule, bool *is_host);
struct schedule_entity *take_urgent(struct schedule *schedule, const struct schedule_entity *other_than);
/* By shares; those whose VM has used up its cap are put aside. */
struct schedule_entity *take_fair(struct schedule *schedule, const struct schedule_entity *other_than, uint64_t now_tsc);
/* Whether somebody waits to whom the running one must make room when its turn is over. */
bool is_contended(struct schedule *schedule, const struct schedule_entity *running);

static inline bool has_budget(const struct schedule_server *server)
{
	return server->budget_ticks != 0 && server->left_ticks > 0;
}

static inline struct schedule_entity *entity_of_node(struct timer *node)
{
	return (struct schedule_entity *)((char *)node - __builtin_offsetof(struct schedule_entity, node));
}
