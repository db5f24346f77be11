/* Whose turn it is: reservations by deadline, then shares. Pure. */
#include <stddef.h>

#include "kernel/schedule/internal.h"
#include "kernel/timer_heap.h"

enum queue_rank queue_rank(const struct schedule *schedule, uint32_t index)
{
	const struct schedule_cpu *rules = &schedule->rules;

	if (rules->mode != SCHEDULE_WINDOWS)
		return QUEUE_FIRST;
	if (index == SCHEDULE_QUEUE_HOST)
		return QUEUE_SLACK;
	if (index == SCHEDULE_QUEUE_COMMON)
		return rules->slack != 0 ? QUEUE_SLACK : QUEUE_CLOSED;
	if (schedule->window < rules->window_count &&
	    (schedule->queues[index].windows >> rules->windows[schedule->window].index & 1) != 0)
		return QUEUE_FIRST;
	return QUEUE_CLOSED;
}

/* Where a window is shorter than two turns, it is not always the same queue that comes first. */
static bool is_before(const struct schedule_queue *a, const struct schedule_queue *b)
{
	return a->served != b->served ? (int64_t)(a->served - b->served) < 0 : (int32_t)(a->first_window - b->first_window) < 0;
}

struct schedule_queue *choose_queue(struct schedule *schedule, enum queue_rank *rank)
{
	struct schedule_queue *best = NULL;

	for (uint32_t i = 0; i < schedule->queue_count; i++) {
		struct schedule_queue *queue = &schedule->queues[i];
		enum queue_rank this_rank;

		if (queue->count == 0)
			continue;
		this_rank = queue_rank(schedule, i);
		if (this_rank == QUEUE_CLOSED)
			continue;
		if (best == NULL || this_rank < *rank || (this_rank == *rank && is_before(queue, best))) {
			best = queue;
			*rank = this_rank;
		}
	}
	return best;
}

/* The host's programs have budget and want to run. */
static bool host_is_urgent(const struct schedule *schedule)
{
	return schedule->queues[SCHEDULE_QUEUE_HOST].count > 0 && has_budget(&schedule->host);
}

const uint64_t *first_deadline(const struct schedule *schedule, bool *is_host)
{
	*is_host = host_is_urgent(schedule) && (schedule->urgent == NULL || (int64_t)(schedule->host.deadline_tsc -
									       schedule->urgent->deadline_tsc) <= 0);
	if (*is_host)
		return &schedule->host.deadline_tsc;
	return schedule->urgent != NULL ? &schedule->urgent->deadline_tsc : NULL;
}

struct schedule_entity *take_urgent(struct schedule *schedule, const struct schedule_entity *other_than)
{
	struct schedule_entity *entity;
	bool is_host;

	if (first_deadline(schedule, &is_host) == NULL)
		return NULL;
	if (is_host) {
		entity = fair_take(&schedule->queues[SCHEDULE_QUEUE_HOST], other_than, NULL);
		fair_stop(schedule, entity);
		return entity;
	}
	entity = entity_of_node(schedule->urgent);
	schedule->urgent = timer_heap_remove(schedule->urgent, &entity->node);
	return entity;
}

/* The one that the running one yields to, if it waits in this queue. */
static struct schedule_entity *preferred(struct schedule *schedule, const struct schedule_queue *queue)
{
	struct schedule_entity *prefers = schedule->prefers;

	schedule->prefers = NULL;
	return prefers != NULL && prefers->state == SCHEDULE_READY && &schedule->queues[prefers->queue] == queue ? prefers : NULL;
}

/* Its VM has used up its cap. */
static void park(struct schedule *schedule, struct schedule_entity *entity, uint64_t now_tsc)
{
	entity->steal_ticks += now_tsc - entity->since_tsc;
	entity->since_tsc = now_tsc;
	entity->state = SCHEDULE_CAPPED;
	entity->node.deadline_tsc = atomic_load(&entity->group->cap_end_tsc);
	schedule->capped = timer_heap_insert(schedule->capped, &entity->node);
}

struct schedule_entity *take_fair(struct schedule *schedule, const struct schedule_entity *other_than, uint64_t now_tsc)
{
	struct schedule_queue *queue;
	enum queue_rank rank = QUEUE_CLOSED;

	while ((queue = choose_queue(schedule, &rank)) != NULL) {
		struct schedule_entity *entity = fair_take(queue, other_than, preferred(schedule, queue));

		if (group_cap_left(schedule, entity->group, now_tsc) > 0) {
			schedule->served_now = queue->served;
			if (schedule->is_fresh && rank == QUEUE_FIRST) {
				schedule->is_fresh = false;
				queue->first_window = schedule->windows_past;
			}
			return entity;
		}
		fair_stop(schedule, entity);
		park(schedule, entity, now_tsc);
	}
	return NULL;
}

bool is_contended(struct schedule *schedule, const struct schedule_entity *running)
{
	enum queue_rank rank = QUEUE_CLOSED;

	if (schedule->ready_count == 0)
		return false;
	if (schedule->urgent != NULL || host_is_urgent(schedule))
		return true;
	return choose_queue(schedule, &rank) != NULL && (schedule->is_urgent || rank <= queue_rank(schedule, running->queue));
}

/* The one after node in a walk through its heap; NULL: it was the last. */
static struct timer *walk(struct timer *node)
{
	if (node->child != NULL)
		return node->child;
	while (node != NULL && node->sibling == NULL)
		node = node->parent;
	return node != NULL ? node->sibling : NULL;
}

struct schedule_entity *schedule_find(const struct schedule *schedule, uint32_t queue, schedule_wanted *wanted,
				      void *context)
{
	struct timer *heaps[] = {schedule->queues[queue].by_finish, schedule->queues[queue].by_start};
	unsigned looks = 0;

	for (unsigned i = 0; i < 2; i++) {
		for (struct timer *node = heaps[i]; node != NULL && looks < SCHEDULE_LOOKS; node = walk(node), looks++) {
			if (wanted(entity_of_node(node), context))
				return entity_of_node(node);
		}
	}
	return NULL;
}

uint64_t schedule_load(const struct schedule *schedule)
{
	uint64_t weight = 0;

	for (uint32_t i = 0; i < schedule->queue_count; i++)
		weight += schedule->queues[i].weight;
	return weight;
}
