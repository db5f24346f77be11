/* What the threads of one VM share: its weight and its cap. Pure but for atomics. */
#include "kernel/schedule/internal.h"

#define WEIGHT_UNIT  1024U
#define WEIGHT_LEAST 16U

void schedule_group_init(struct schedule_group *group, bool is_host)
{
	*group = (struct schedule_group){.weight = SCHEDULE_WEIGHT_USUAL, .is_host = is_host};
}

bool schedule_space_valid(const struct schedule_space *rules)
{
	if (rules->weight == 0 || rules->weight > SCHEDULE_WEIGHT_MAX || rules->cap_percent > SCHEDULE_CAP_MAX)
		return false;
	for (unsigned i = 0; i < SCHEDULE_VCPUS_MAX; i++) {
		const struct schedule_place *place = &rules->vcpus[i];

		if (place->budget_ticks != 0 && (place->cpu == SCHEDULE_CPU_ANY || place->budget_ticks > place->period_ticks))
			return false;
		if (place->period_ticks > SCHEDULE_PERIOD_MAX_TICKS)
			return false;
	}
	return true;
}

void schedule_group_set(struct schedule_group *group, const struct schedule_space *rules)
{
	group->weight = rules->weight;
	group->cap_percent = rules->cap_percent;
	group->windows = rules->windows;
}

uint64_t schedule_weight(const struct schedule_group *group)
{
	uint32_t count = atomic_load_explicit(&group->ready_count, memory_order_relaxed);
	uint64_t weight = (uint64_t)group->weight * WEIGHT_UNIT / (count != 0 ? count : 1);

	return weight > WEIGHT_LEAST ? weight : WEIGHT_LEAST;
}

/* Debts are paid by as many quotas as there were periods; nobody saves up more than one. */
static int64_t refilled(int64_t left, int64_t quota, uint64_t periods)
{
	int64_t most = left < 0 ? -left / quota + 1 : 0; /* that many quotas pay any debt */

	left = periods <= (uint64_t)most ? left + quota * (int64_t)periods : quota;
	return left < quota ? left : quota;
}

/* Whoever sees first that the period is over gives the next one's quota; others wait for those few instructions, since all
 * that are parked come at the same time and would find nothing left. What was overdrawn is paid back, by a quota for each
 * period that passed. */
static void cap_refill(const struct schedule *schedule, struct schedule_group *group, uint64_t now_tsc)
{
	uint64_t period = schedule->cap_period_ticks, end;
	int64_t quota = (int64_t)(period * group->cap_percent / 100), left;

	while ((int64_t)(now_tsc - (end = atomic_load(&group->cap_end_tsc))) >= 0) {
		uint64_t periods = (now_tsc - end) / period + 1;

		if (atomic_exchange(&group->cap_is_refilled, true))
			continue;
		if (atomic_load(&group->cap_end_tsc) == end) {
			left = atomic_load(&group->cap_left_ticks);
			while (!atomic_compare_exchange_weak(&group->cap_left_ticks, &left, refilled(left, quota, periods)))
				continue;
			atomic_store(&group->cap_end_tsc, end + periods * period);
		}
		atomic_store(&group->cap_is_refilled, false);
	}
}

int64_t group_cap_left(const struct schedule *schedule, struct schedule_group *group, uint64_t now_tsc)
{
	if (group->cap_percent == 0)
		return INT64_MAX;
	cap_refill(schedule, group, now_tsc);
	return atomic_load(&group->cap_left_ticks);
}

void group_cap_charge(struct schedule_group *group, uint64_t ticks)
{
	if (group->cap_percent != 0)
		atomic_fetch_sub(&group->cap_left_ticks, (int64_t)ticks);
}
