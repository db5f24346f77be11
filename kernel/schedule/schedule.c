/* Puts reservations, windows, shares and caps together into one answer: who runs on this CPU, and until when. One file because each
 * step of that answer needs the others. Pure. */
#include "kernel/schedule/schedule.h"

#include <stddef.h>

#include "kernel/schedule/internal.h"
#include "kernel/timer_heap.h"

#define SLICE_US        1000U  /* how long a thread runs while others wait */
#define WAKE_US         300U   /* ... where it has just woken */
#define SWITCH_US       2U     /* what a switch costs; the thread switched to pays */
#define GRACE_US        50U
#define CAP_PERIOD_US   10000U
#define CAP_LEAST_US    50U    /* no shorter turns for the sake of a cap: what is too much comes off the next period */
#define HOST_BUDGET_US  500U   /* until the manager says otherwise */
#define HOST_PERIOD_US  10000U

static bool is_reached(uint64_t time_tsc, uint64_t now_tsc)
{
	return (int64_t)(now_tsc - time_tsc) >= 0;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void schedule_init(struct schedule *schedule, struct schedule_queue *queues, uint64_t ticks_per_us, uint64_t now_tsc)
{
	const struct schedule_cpu rules = {.mode = SCHEDULE_FAIR,
					   .host_budget_ticks = HOST_BUDGET_US * ticks_per_us,
					   .host_period_ticks = HOST_PERIOD_US * ticks_per_us};

	*schedule = (struct schedule){
		.slice_ticks = SLICE_US * ticks_per_us,
		.wake_ticks = WAKE_US * ticks_per_us,
		.switch_ticks = SWITCH_US * ticks_per_us,
		.grace_ticks = GRACE_US * ticks_per_us,
		.cap_period_ticks = CAP_PERIOD_US * ticks_per_us,
		.cap_least_ticks = CAP_LEAST_US * ticks_per_us,
		.charged_tsc = now_tsc,
		.queues = queues,
		.queue_count = SCHEDULE_QUEUE_COMMON + 1,
	};
	schedule_set_rules(schedule, &rules, now_tsc);
}

void schedule_set_rules(struct schedule *schedule, const struct schedule_cpu *rules, uint64_t now_tsc)
{
	schedule->rules = *rules;
	schedule->host.budget_ticks = rules->host_budget_ticks;
	schedule->host.period_ticks = rules->host_period_ticks;
	schedule->host.left_ticks = (int64_t)rules->host_budget_ticks;
	schedule->host.deadline_tsc = now_tsc + rules->host_period_ticks;
	schedule->is_alone = false;
	schedule->end_tsc = now_tsc;
	windows_update(schedule, now_tsc);
}

void schedule_entity_init(struct schedule_entity *entity, struct schedule_group *group, uint64_t now_tsc)
{
	entity->group = group;
	entity->state = SCHEDULE_BLOCKED;
	entity->since_tsc = now_tsc;
	entity->weight = schedule_weight(group);
}

void schedule_entity_reserve(struct schedule_entity *entity, uint64_t budget_ticks, uint64_t period_ticks, uint64_t now_tsc)
{
	entity->server = (struct schedule_server){.budget_ticks = budget_ticks,
						  .period_ticks = period_ticks,
						  .left_ticks = (int64_t)budget_ticks,
						  .deadline_tsc = now_tsc + period_ticks};
}

static void await_refill(struct schedule *schedule, struct schedule_entity *entity)
{
	if (entity->server.budget_ticks == 0 || entity->refill.armed)
		return;
	entity->refill.deadline_tsc = entity->server.deadline_tsc;
	schedule->refills = timer_heap_insert(schedule->refills, &entity->refill);
}

/* Into the queue in which it waits; not yet counted. Its weight is that of this moment. */
static void enqueue(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc)
{
	/* It ran on past its period, since nobody else was there. */
	if (entity->server.budget_ticks != 0 && is_reached(entity->server.deadline_tsc, now_tsc))
		server_refill(&entity->server, now_tsc);
	if (has_budget(&entity->server)) {
		entity->state = SCHEDULE_URGENT;
		entity->node.deadline_tsc = entity->server.deadline_tsc;
		schedule->urgent = timer_heap_insert(schedule->urgent, &entity->node);
		return;
	}
	await_refill(schedule, entity);
	entity->state = SCHEDULE_READY;
	fair_add(schedule, entity);
}

/* Out of the queue in which it waits, perhaps into another one. */
static void dequeue(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc)
{
	switch (entity->state) {
	case SCHEDULE_READY: fair_remove(schedule, entity); break;
	case SCHEDULE_URGENT: schedule->urgent = timer_heap_remove(schedule->urgent, &entity->node); break;
	case SCHEDULE_CAPPED:
		schedule->capped = timer_heap_remove(schedule->capped, &entity->node);
		entity->wait_ticks += now_tsc - entity->since_tsc;
		entity->since_tsc = now_tsc;
		break;
	case SCHEDULE_BLOCKED:
	case SCHEDULE_RUNNING: break;
	}
	fair_adapt(schedule, entity);
}

static void drop_refill(struct schedule *schedule, struct schedule_entity *entity)
{
	if (entity->refill.armed)
		schedule->refills = timer_heap_remove(schedule->refills, &entity->refill);
}

/* By whose reservation it runs: its own, or the host's. */
static struct schedule_server *server_of(struct schedule *schedule, struct schedule_entity *entity)
{
	return entity->queue == SCHEDULE_QUEUE_HOST ? &schedule->host : &entity->server;
}

/* Time for which nobody else wanted the CPU is no debt. */
static void charge_server(const struct schedule *schedule, struct schedule_server *server, uint64_t ticks)
{
	server->left_ticks -= (int64_t)ticks;
	if (server->left_ticks < 0 && schedule->is_alone)
		server->left_ticks = 0;
}

void schedule_charge(struct schedule *schedule, uint64_t now_tsc)
{
	struct schedule_entity *running = schedule->running;
	uint64_t ticks = now_tsc - schedule->charged_tsc;

	if ((int64_t)ticks <= 0)
		return;
	schedule->charged_tsc = now_tsc;
	if (running == NULL)
		return;
	running->run_ticks += ticks;
	group_cap_charge(running->group, ticks);
	if (!schedule->is_urgent) {
		fair_charge(schedule, running, ticks + schedule->switch_owed_ticks);
		schedule->switch_owed_ticks = 0;
		return;
	}
	charge_server(schedule, server_of(schedule, running), ticks);
	if (running->queue == SCHEDULE_QUEUE_HOST) /* all of them have one budget, and share it */
		fair_charge_apart(schedule, running, ticks);
}

/* A program of the host runs or waits here. */
static bool host_wants(const struct schedule *schedule)
{
	return schedule->queues[SCHEDULE_QUEUE_HOST].weight != 0 ||
	       (schedule->running != NULL && schedule->running->queue == SCHEDULE_QUEUE_HOST);
}

void schedule_wake(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc)
{
	entity->halted_ticks += now_tsc - entity->since_tsc;
	entity->since_tsc = now_tsc;
	atomic_fetch_add_explicit(&entity->group->ready_count, 1, memory_order_relaxed);
	entity->queue = fair_queue_of(schedule, entity->group);
	schedule_charge(schedule, now_tsc);
	if (entity->queue == SCHEDULE_QUEUE_HOST && !host_wants(schedule))
		server_wake(&schedule->host, now_tsc);
	if (entity->server.budget_ticks != 0)
		server_wake(&entity->server, now_tsc);
	fair_wake(schedule, entity);
	enqueue(schedule, entity, now_tsc);
	schedule->ready_count++;
}

void schedule_leave(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc)
{
	dequeue(schedule, entity, now_tsc);
	drop_refill(schedule, entity);
	schedule->ready_count--;
	entity->start -= schedule->queues[entity->queue].virtual_now;
	entity->state = SCHEDULE_BLOCKED;
}

void schedule_arrive(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc)
{
	schedule_charge(schedule, now_tsc);
	entity->queue = fair_queue_of(schedule, entity->group);
	entity->start += schedule->queues[entity->queue].virtual_now;
	entity->finish = entity->start + fair_virtual(entity->request_ticks - entity->served_ticks, entity->weight);
	entity->migrations++;
	entity->arrived_tsc = now_tsc;
	fair_adapt(schedule, entity);
	enqueue(schedule, entity, now_tsc);
	schedule->ready_count++;
}

/* The running one's budget came anew while it ran by its share. */
static void become_urgent(struct schedule *schedule, struct schedule_entity *running, uint64_t now_tsc)
{
	fair_stop(schedule, running);
	schedule->is_urgent = true;
	schedule->is_alone = false;
	schedule->end_tsc = now_tsc + (uint64_t)running->server.left_ticks;
}

static void refill(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc)
{
	drop_refill(schedule, entity);
	server_refill(&entity->server, now_tsc);
	if (entity->state == SCHEDULE_RUNNING) {
		if (!has_budget(&entity->server)) {
			await_refill(schedule, entity);
		} else if (!schedule->is_urgent) {
			become_urgent(schedule, entity, now_tsc);
		}
		return;
	}
	dequeue(schedule, entity, now_tsc);
	enqueue(schedule, entity, now_tsc);
}

/* What time alone brings: budgets, the next period of a cap, the next window. */
static void expire(struct schedule *schedule, uint64_t now_tsc)
{
	struct timer *due;

	while ((due = schedule->refills) != NULL && is_reached(due->deadline_tsc, now_tsc))
		refill(schedule, (struct schedule_entity *)((char *)due - offsetof(struct schedule_entity, refill)), now_tsc);
	while ((due = schedule->capped) != NULL && is_reached(due->deadline_tsc, now_tsc)) {
		dequeue(schedule, entity_of_node(due), now_tsc);
		enqueue(schedule, entity_of_node(due), now_tsc);
	}
	if (schedule->host.budget_ticks != 0 && is_reached(schedule->host.deadline_tsc, now_tsc))
		server_refill(&schedule->host, now_tsc);
	if (is_reached(schedule->window_end_tsc, now_tsc) && schedule->window_end_tsc != UINT64_MAX)
		windows_update(schedule, now_tsc);
}

static uint64_t end_of_turn(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc)
{
	/* Beyond its budget a capped one goes by its cap, alone or not. */
	bool contended = is_contended(schedule, entity) || (schedule->is_urgent && entity->group->cap_percent != 0);
	int64_t cap_left;
	uint64_t ticks;

	schedule->is_alone = !contended;
	if (schedule->is_urgent)
		return contended ? now_tsc + (uint64_t)server_of(schedule, entity)->left_ticks : UINT64_MAX;
	cap_left = group_cap_left(schedule, entity->group, now_tsc);
	ticks = contended ? entity->request_ticks - entity->served_ticks : UINT64_MAX;
	if (cap_left != INT64_MAX)
		ticks = earlier(ticks, cap_left > (int64_t)schedule->cap_least_ticks ? (uint64_t)cap_left
										     : schedule->cap_least_ticks);
	return ticks == UINT64_MAX ? UINT64_MAX : now_tsc + ticks;
}

/* The one that ran goes where it belongs. */
static void put_back(struct schedule *schedule, struct schedule_entity *entity, enum schedule_leaves leaves, uint64_t now_tsc)
{
	bool ran_by_share = !schedule->is_urgent;

	entity->since_tsc = now_tsc;
	if (leaves == SCHEDULE_STAYS_READY) {
		schedule->ready_count++;
		if (!ran_by_share || has_budget(&entity->server)) {
			if (ran_by_share)
				fair_stop(schedule, entity);
			fair_adapt(schedule, entity);
			enqueue(schedule, entity, now_tsc);
			return;
		}
		await_refill(schedule, entity);
		entity->state = SCHEDULE_READY;
		fair_put_back(schedule, entity);
		return;
	}
	if (ran_by_share)
		fair_stop(schedule, entity);
	drop_refill(schedule, entity);
	entity->state = SCHEDULE_BLOCKED;
	if (leaves == SCHEDULE_MOVES)
		entity->start -= schedule->queues[entity->queue].virtual_now;
	else
		atomic_fetch_sub_explicit(&entity->group->ready_count, 1, memory_order_relaxed);
}

static void account_wait(const struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc)
{
	uint64_t outside = windows_outside(&schedule->rules, entity->group->windows, entity->since_tsc, now_tsc);

	entity->wait_ticks += outside;
	entity->steal_ticks += now_tsc - entity->since_tsc - outside;
}

struct schedule_entity *schedule_next(struct schedule *schedule, enum schedule_leaves leaves, uint64_t now_tsc)
{
	struct schedule_entity *previous = schedule->running, *next;
	const struct schedule_entity *yields = schedule->yields ? previous : NULL;

	schedule_charge(schedule, now_tsc);
	expire(schedule, now_tsc);
	schedule->yields = false;
	schedule->had_grace = false;
	if (previous != NULL)
		put_back(schedule, previous, leaves, now_tsc);
	next = take_urgent(schedule, yields);
	schedule->is_urgent = next != NULL;
	if (next == NULL)
		next = take_fair(schedule, yields, now_tsc);
	schedule->running = next;
	schedule->prefers = NULL;
	schedule->end_tsc = UINT64_MAX;
	if (next == NULL)
		return NULL;
	schedule->ready_count--;
	account_wait(schedule, next, now_tsc);
	next->state = SCHEDULE_RUNNING;
	if (next != previous) {
		next->switches++;
		schedule->switch_owed_ticks = schedule->is_urgent ? 0 : schedule->switch_ticks;
	}
	schedule->end_tsc = end_of_turn(schedule, next, now_tsc);
	return next;
}

void schedule_yield(struct schedule *schedule, struct schedule_entity *to)
{
	schedule->yields = true;
	schedule->prefers = to;
	schedule->end_tsc = schedule->charged_tsc;
}

/* What the running one would have to make room for before its turn is over. */
static bool is_preempted(struct schedule *schedule, struct schedule_entity *running)
{
	bool is_host;
	const uint64_t *deadline = first_deadline(schedule, &is_host);
	enum queue_rank rank = QUEUE_CLOSED, own = queue_rank(schedule, running->queue);
	struct schedule_queue *queue;

	if (schedule->is_urgent)
		return deadline != NULL &&
		       (int64_t)(*deadline - server_of(schedule, running)->deadline_tsc) < 0;
	if (deadline != NULL || own == QUEUE_CLOSED)
		return true;
	queue = choose_queue(schedule, &rank);
	if (queue == NULL || rank > own)
		return false;
	return rank < own || fair_preempts(&schedule->queues[running->queue], running);
}

bool schedule_is_due(struct schedule *schedule, uint64_t now_tsc)
{
	uint32_t window = schedule->windows_past;

	schedule_charge(schedule, now_tsc);
	expire(schedule, now_tsc);
	if (schedule->running == NULL)
		return schedule->ready_count > 0;
	/* The one whose window lasts goes on, but who waits beside it may have to go elsewhere. */
	if (schedule->windows_past != window && schedule->ready_count > 0)
		return true;
	/* A lone one had no end but by its cap; now that others wait, it gets one. */
	if (schedule->is_alone && !schedule->yields)
		schedule->end_tsc = earlier(schedule->end_tsc, end_of_turn(schedule, schedule->running, now_tsc));
	return (schedule->end_tsc != UINT64_MAX && is_reached(schedule->end_tsc, now_tsc)) ||
	       is_preempted(schedule, schedule->running);
}

bool schedule_grace(struct schedule *schedule, uint64_t now_tsc)
{
	schedule_charge(schedule, now_tsc);
	if (schedule->running == NULL || !schedule->is_urgent || schedule->had_grace || schedule->yields ||
	    has_budget(server_of(schedule, schedule->running)) || is_preempted(schedule, schedule->running))
		return false;
	schedule->had_grace = true;
	schedule->end_tsc = now_tsc + schedule->grace_ticks;
	return true;
}

uint64_t schedule_deadline(const struct schedule *schedule)
{
	uint64_t deadline = schedule->end_tsc;

	if (schedule->running == NULL && schedule->ready_count == 0)
		return UINT64_MAX;
	deadline = earlier(deadline, schedule->window_end_tsc);
	if (schedule->ready_count == 0)
		return deadline;
	if (schedule->refills != NULL)
		deadline = earlier(deadline, schedule->refills->deadline_tsc);
	if (schedule->capped != NULL)
		deadline = earlier(deadline, schedule->capped->deadline_tsc);
	if (schedule->queues[SCHEDULE_QUEUE_HOST].count > 0 && !has_budget(&schedule->host) && schedule->host.budget_ticks != 0)
		deadline = earlier(deadline, schedule->host.deadline_tsc);
	return deadline;
}
