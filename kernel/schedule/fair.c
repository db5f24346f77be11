/* Shares by weight. Each thread has a virtual start, which grows by what it was served over its weight, and a virtual finish,
 * when its present request should be done. The queue's virtual time is the mean of all starts, by weight. Of those whose start
 * is not ahead of it, the one with the earliest finish runs: nobody gets more than his share and a request ahead, nor less and
 * a request behind. Who wakes and is not ahead goes before all others, for a short request: that others may be owed more
 * cannot matter for long, since he is served no more often than his share allows. His start is in the past by no more than
 * what he was owed when he went to wait, a short request at most: waiting earns nothing. Virtual times wrap: only differences
 * count. Pure. */
#include <stddef.h>

#include "kernel/schedule/internal.h"
#include "kernel/timer_heap.h"

#define VIRTUAL_SHIFT  22 /* a tick at weight 100 is 41 of virtual time */
#define WEIGHT_USUAL   (SCHEDULE_WEIGHT_USUAL * UINT64_C(1024))
#define TURNS_MOST     4U
#define TICKS_MOST     (UINT64_C(1) << 40) /* at once: minutes, after which nobody's share is remembered */

static uint64_t lesser(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool is_after(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

uint64_t fair_virtual(uint64_t ticks, uint64_t weight)
{
	return ((ticks < TICKS_MOST ? ticks : TICKS_MOST) << VIRTUAL_SHIFT) / weight;
}

static void new_request(struct schedule_entity *entity, uint64_t ticks)
{
	entity->request_ticks = ticks;
	entity->served_ticks = 0;
	entity->is_woken = false;
	entity->finish = entity->start + fair_virtual(ticks, entity->weight);
}

/* Virtual time is where the lags add up to nothing, but for the remainder of a division. */
static void settle(struct schedule_queue *queue)
{
	int64_t shift = queue->weight != 0 ? queue->lag / (int64_t)queue->weight : 0;

	queue->virtual_now += (uint64_t)shift;
	queue->lag = queue->weight != 0 ? queue->lag - shift * (int64_t)queue->weight : 0;
}

static int64_t lag_of(const struct schedule_queue *queue, const struct schedule_entity *entity)
{
	return (int64_t)entity->weight * (int64_t)(entity->start - queue->virtual_now);
}

static void join(struct schedule_queue *queue, const struct schedule_entity *entity)
{
	queue->weight += entity->weight;
	queue->lag += lag_of(queue, entity);
	settle(queue);
}

static void part(struct schedule_queue *queue, const struct schedule_entity *entity)
{
	queue->weight -= entity->weight;
	queue->lag -= lag_of(queue, entity);
	settle(queue);
}

static uint64_t serve(const struct schedule *schedule, struct schedule_entity *entity, uint64_t ticks)
{
	uint64_t part_served = fair_virtual(ticks, entity->weight);

	entity->start += part_served;
	entity->served_ticks += ticks;
	if (entity->served_ticks >= entity->request_ticks)
		new_request(entity, schedule->slice_ticks);
	return part_served;
}

void fair_charge_apart(const struct schedule *schedule, struct schedule_entity *entity, uint64_t ticks)
{
	(void)serve(schedule, entity, ticks);
}

void fair_charge(struct schedule *schedule, struct schedule_entity *entity, uint64_t ticks)
{
	struct schedule_queue *queue = &schedule->queues[entity->queue];
	uint64_t part_served = serve(schedule, entity, ticks);

	queue->lag += (int64_t)(part_served * entity->weight);
	settle(queue);
	queue->served += fair_virtual(ticks, queue->weight);
	schedule->served_now = queue->served;
}

/* The same as a distance of at most fair_virtual(ticks, weight), without its division. */
static bool is_within(uint64_t distance, uint64_t ticks, uint64_t weight)
{
	uint64_t product;

	return !__builtin_mul_overflow(distance, weight, &product) && product <= ticks << VIRTUAL_SHIFT;
}

/* Nobody is further ahead or behind than some turns: who comes from elsewhere, or from a time when virtual times were others. */
static void keep_near(const struct schedule *schedule, struct schedule_entity *entity, bool may_be_behind)
{
	uint64_t now = schedule->queues[entity->queue].virtual_now, most = TURNS_MOST * schedule->slice_ticks;
	bool is_ahead = is_after(entity->start, now);

	if (!is_ahead && !may_be_behind)
		entity->start = now;
	else if (!is_within(is_ahead ? entity->start - now : now - entity->start, most, entity->weight))
		entity->start = is_ahead ? now + fair_virtual(most, entity->weight) : now - fair_virtual(most, entity->weight);
}

void fair_wake(struct schedule *schedule, struct schedule_entity *entity)
{
	const struct schedule_queue *queue = &schedule->queues[entity->queue];

	entity->weight = schedule_weight(entity->group);
	keep_near(schedule, entity, false);
	/* A reservation is there for those who need to be early. */
	if (entity->start == queue->virtual_now && entity->owed_ticks != 0 && entity->server.budget_ticks == 0)
		entity->start -= fair_virtual(entity->owed_ticks, entity->weight);
	if (entity->run_ticks == 0) /* new: as if it had had a turn, so that many new ones gain nothing */
		entity->start = queue->virtual_now + fair_virtual(schedule->slice_ticks, entity->weight);
	new_request(entity, schedule->wake_ticks);
	entity->is_woken = !is_after(entity->start, queue->virtual_now);
	if (entity->is_woken)
		entity->finish -= fair_virtual(2 * TURNS_MOST * schedule->slice_ticks, lesser(entity->weight, WEIGHT_USUAL));
}

static void insert(struct schedule_queue *queue, struct schedule_entity *entity)
{
	entity->is_eligible = !is_after(entity->start, queue->virtual_now);
	entity->node.deadline_tsc = entity->is_eligible ? entity->finish : entity->start;
	if (entity->is_eligible)
		queue->by_finish = timer_heap_insert(queue->by_finish, &entity->node);
	else
		queue->by_start = timer_heap_insert(queue->by_start, &entity->node);
}

static void take_out(struct schedule_queue *queue, struct schedule_entity *entity)
{
	if (entity->is_eligible)
		queue->by_finish = timer_heap_remove(queue->by_finish, &entity->node);
	else
		queue->by_start = timer_heap_remove(queue->by_start, &entity->node);
}

/* Its weight is that of this moment: the VM's, divided among those of its threads that want to run. */
static void weigh(struct schedule_entity *entity)
{
	uint64_t weight = schedule_weight(entity->group);

	if (weight == entity->weight)
		return;
	entity->weight = weight;
	entity->finish = entity->start + fair_virtual(entity->request_ticks - entity->served_ticks, weight);
}

void fair_adapt(const struct schedule *schedule, struct schedule_entity *entity)
{
	keep_near(schedule, entity, entity->server.budget_ticks == 0);
	weigh(entity);
}

void fair_add(struct schedule *schedule, struct schedule_entity *entity)
{
	struct schedule_queue *queue = &schedule->queues[entity->queue];

	if (queue->weight == 0 && is_after(schedule->served_now, queue->served))
		queue->served = schedule->served_now;
	join(queue, entity);
	queue->count++;
	insert(queue, entity);
}

/* In one step: the mean is that of all, also between. */
void fair_put_back(struct schedule *schedule, struct schedule_entity *entity)
{
	struct schedule_queue *queue = &schedule->queues[entity->queue];

	queue->weight -= entity->weight;
	queue->lag -= lag_of(queue, entity);
	weigh(entity);
	join(queue, entity);
	queue->count++;
	insert(queue, entity);
}

void fair_remove(struct schedule *schedule, struct schedule_entity *entity)
{
	struct schedule_queue *queue = &schedule->queues[entity->queue];

	take_out(queue, entity);
	queue->count--;
	part(queue, entity);
}

void fair_stop(struct schedule *schedule, struct schedule_entity *entity)
{
	const struct schedule_queue *queue = &schedule->queues[entity->queue];
	uint64_t owed = is_after(queue->virtual_now, entity->start) ? queue->virtual_now - entity->start : 0;

	entity->owed_ticks = lesser(owed * entity->weight >> VIRTUAL_SHIFT, schedule->wake_ticks);
	part(&schedule->queues[entity->queue], entity);
}

/* Those whose turn has come by now move to the other heap. */
static void promote(struct schedule_queue *queue)
{
	while (queue->by_start != NULL && !is_after(queue->by_start->deadline_tsc, queue->virtual_now)) {
		struct schedule_entity *entity = entity_of_node(queue->by_start);

		queue->by_start = timer_heap_remove(queue->by_start, &entity->node);
		insert(queue, entity);
	}
}

static struct schedule_entity *first(struct schedule_queue *queue)
{
	struct timer *node;

	promote(queue);
	/* By rounding, the only one may seem to be ahead. */
	node = queue->by_finish != NULL ? queue->by_finish : queue->by_start;
	return node != NULL ? entity_of_node(node) : NULL;
}

struct schedule_entity *fair_take(struct schedule_queue *queue, const struct schedule_entity *other_than,
				  struct schedule_entity *prefers)
{
	struct schedule_entity *entity = first(queue);

	if (entity == NULL)
		return NULL;
	if (prefers != NULL && prefers->is_eligible)
		entity = prefers;
	take_out(queue, entity);
	if (entity == other_than && queue->count > 1) {
		/* The others may not be eligible yet: time does not go forward for them, they are served ahead. */
		struct schedule_entity *other = entity_of_node(queue->by_finish != NULL ? queue->by_finish : queue->by_start);

		take_out(queue, other);
		insert(queue, entity);
		entity = other;
	}
	queue->count--;
	return entity;
}

bool fair_preempts(struct schedule_queue *queue, const struct schedule_entity *running)
{
	promote(queue);
	return queue->by_finish != NULL && entity_of_node(queue->by_finish)->is_woken &&
	       is_after(running->finish, queue->by_finish->deadline_tsc);
}

uint32_t fair_queue_of(struct schedule *schedule, const struct schedule_group *group)
{
	uint32_t index = SCHEDULE_QUEUE_COMMON + 1;

	if (group->is_host)
		return SCHEDULE_QUEUE_HOST;
	if (group->windows == 0)
		return SCHEDULE_QUEUE_COMMON;
	while (index < schedule->queue_count && schedule->queues[index].windows != group->windows)
		index++;
	if (index == SCHEDULE_QUEUES_MAX)
		return SCHEDULE_QUEUE_COMMON;
	if (index == schedule->queue_count) {
		schedule->queues[index].windows = group->windows;
		schedule->queue_count++;
	}
	return index;
}
