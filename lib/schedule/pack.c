/* Places vCPUs with reservations on CPUs: bin packing, by first fit in decreasing order (which needs at most 11/9 of the best,
 * and a bit), then by a search with a bound. */
#include "lib/schedule/pack.h"

#include "lib/base/string.h"

/* What one attempt works with. */
struct attempt {
	struct pack_group *groups;
	uint32_t group_count;
	uint32_t cpu_count; /* behind them none has anything left */
	uint64_t left[MANIFEST_CPUS_MAX];
};

static void sort_by_share(struct pack_group *groups, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		struct pack_group group = groups[i];
		uint32_t at = i;

		for (; at > 0 && groups[at - 1].share < group.share; at--)
			groups[at] = groups[at - 1];
		groups[at] = group;
	}
}

static bool fits(const struct attempt *attempt, const struct pack_group *group, uint32_t cpu)
{
	return manifest_has_cpu(group->cpus, cpu) && attempt->left[cpu] >= group->share;
}

static uint32_t count_on(const struct pack_group *group, uint32_t placed, uint32_t cpu)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < placed; i++)
		count += group->places[i] == cpu;
	return count;
}

/* The first CPU with room, among those with the fewest vCPUs of the group where spread; MANIFEST_CPUS_MAX: none. */
static uint32_t choose_cpu(const struct attempt *attempt, const struct pack_group *group, uint32_t placed, bool spread)
{
	uint32_t best = MANIFEST_CPUS_MAX;
	uint32_t least = UINT32_MAX;

	for (uint32_t cpu = 0; cpu < MANIFEST_CPUS_MAX && least > 0; cpu++) {
		uint32_t siblings;

		if (!fits(attempt, group, cpu))
			continue;
		siblings = spread ? count_on(group, placed, cpu) : 0;
		if (siblings < least) {
			least = siblings;
			best = cpu;
		}
	}
	return best;
}

static bool place_first_fit(struct attempt *attempt, bool spread)
{
	for (uint32_t g = 0; g < attempt->group_count; g++) {
		struct pack_group *group = &attempt->groups[g];

		for (uint32_t i = 0; i < group->count; i++) {
			uint32_t cpu = choose_cpu(attempt, group, i, spread);

			if (cpu == MANIFEST_CPUS_MAX)
				return false;
			group->places[i] = (uint16_t)cpu;
			attempt->left[cpu] -= group->share;
		}
	}
	return true;
}

/* Where the search stands: before vCPU number index of a group. */
struct position {
	uint32_t group, index;
};

static bool step_back(struct attempt *attempt, struct position *at)
{
	struct pack_group *group;

	if (at->index == 0) {
		if (at->group == 0)
			return false;
		at->group--;
		at->index = attempt->groups[at->group].count;
	}
	at->index--;
	group = &attempt->groups[at->group];
	attempt->left[group->places[at->index]] += group->share;
	return true;
}

/* Depth first. The vCPUs of a group are alike, so each goes to no lower CPU than the one before it. */
static enum pack_result search(struct attempt *attempt)
{
	struct position at = {0, 0};
	uint32_t cpu = 0;

	for (uint32_t steps = 0; steps < PACK_STEPS_MAX; steps++) {
		struct pack_group *group = &attempt->groups[at.group];

		if (cpu < attempt->cpu_count && !fits(attempt, group, cpu)) {
			cpu++;
		} else if (cpu < attempt->cpu_count) {
			group->places[at.index++] = (uint16_t)cpu;
			attempt->left[cpu] -= group->share;
			if (at.index < group->count)
				continue;
			at = (struct position){.group = at.group + 1};
			cpu = 0;
			if (at.group == attempt->group_count)
				return PACK_PLACED;
		} else if (step_back(attempt, &at)) {
			cpu = attempt->groups[at.group].places[at.index] + 1U;
		} else {
			return PACK_IMPOSSIBLE;
		}
	}
	return PACK_GAVE_UP;
}

enum pack_result pack_place(struct pack_group *groups, uint32_t count, uint64_t left[MANIFEST_CPUS_MAX])
{
	struct attempt attempt = {.groups = groups, .group_count = count};
	enum pack_result result = PACK_PLACED;

	for (uint32_t cpu = 0; cpu < MANIFEST_CPUS_MAX; cpu++) {
		if (left[cpu] > 0)
			attempt.cpu_count = cpu + 1;
	}
	sort_by_share(groups, count);
	memcpy(attempt.left, left, sizeof(attempt.left));
	if (count > 0 && !place_first_fit(&attempt, true)) {
		memcpy(attempt.left, left, sizeof(attempt.left));
		if (!place_first_fit(&attempt, false)) {
			memcpy(attempt.left, left, sizeof(attempt.left));
			result = search(&attempt);
		}
	}
	if (result == PACK_PLACED)
		memcpy(left, attempt.left, sizeof(attempt.left));
	return result;
}
