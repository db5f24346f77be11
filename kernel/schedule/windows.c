/* Time windows: a frame that repeats, in which each window is for some VMs. Pure. */
#include "kernel/schedule/internal.h"

bool schedule_rules_valid(const struct schedule_cpu *rules)
{
	uint64_t last_end = 0;

	if (rules->mode >= SCHEDULE_MODE_COUNT || rules->slack > 1 || rules->host_budget_ticks > rules->host_period_ticks ||
	    rules->host_period_ticks > SCHEDULE_PERIOD_MAX_TICKS)
		return false;
	if (rules->mode != SCHEDULE_WINDOWS)
		return rules->window_count == 0;
	if (rules->window_count == 0 || rules->window_count > SCHEDULE_WINDOWS_MAX || rules->frame_ticks == 0 ||
	    rules->frame_ticks > SCHEDULE_PERIOD_MAX_TICKS)
		return false;
	for (uint32_t i = 0; i < rules->window_count; i++) {
		const struct schedule_window *window = &rules->windows[i];

		if (window->start_ticks < last_end || window->end_ticks <= window->start_ticks || window->index >= 64 ||
		    window->end_ticks > rules->frame_ticks)
			return false;
		last_end = window->end_ticks;
	}
	return true;
}

static uint64_t phase(const struct schedule_cpu *rules, uint64_t at_tsc)
{
	return (at_tsc - rules->epoch_tsc) % rules->frame_ticks;
}

void windows_update(struct schedule *schedule, uint64_t now_tsc)
{
	const struct schedule_cpu *rules = &schedule->rules;
	uint64_t frame_tsc, at;
	uint32_t i = 0;

	schedule->window = rules->window_count;
	schedule->window_end_tsc = UINT64_MAX;
	if (rules->mode != SCHEDULE_WINDOWS)
		return;
	/* Who was served in other windows is not held back in this one. */
	for (uint32_t q = 0; q < schedule->queue_count; q++)
		schedule->queues[q].served = schedule->served_now;
	schedule->is_fresh = true;
	schedule->windows_past++;
	at = phase(rules, now_tsc);
	frame_tsc = now_tsc - at;
	while (i < rules->window_count && at >= rules->windows[i].end_ticks)
		i++;
	if (i == rules->window_count) {
		schedule->window_end_tsc = frame_tsc + rules->frame_ticks;
	} else if (at < rules->windows[i].start_ticks) {
		schedule->window_end_tsc = frame_tsc + rules->windows[i].start_ticks;
	} else {
		schedule->window = i;
		schedule->window_end_tsc = frame_tsc + rules->windows[i].end_ticks;
	}
}

static uint64_t inside_of_frame(const struct schedule_cpu *rules, uint64_t mask, uint64_t from, uint64_t to)
{
	uint64_t ticks = 0;

	for (uint32_t i = 0; i < rules->window_count; i++) {
		const struct schedule_window *window = &rules->windows[i];
		uint64_t start = window->start_ticks > from ? window->start_ticks : from;
		uint64_t end = window->end_ticks < to ? window->end_ticks : to;

		if ((mask >> window->index & 1) != 0 && start < end)
			ticks += end - start;
	}
	return ticks;
}

uint64_t windows_outside(const struct schedule_cpu *rules, uint64_t mask, uint64_t from_tsc, uint64_t to_tsc)
{
	uint64_t from, length, frames, inside;

	if (rules->mode != SCHEDULE_WINDOWS || mask == 0 || to_tsc <= from_tsc)
		return 0;
	from = phase(rules, from_tsc);
	length = from + (to_tsc - from_tsc); /* from the start of the frame that from_tsc lies in */
	frames = length / rules->frame_ticks;
	inside = frames * inside_of_frame(rules, mask, 0, rules->frame_ticks) +
		 inside_of_frame(rules, mask, 0, length % rules->frame_ticks) - inside_of_frame(rules, mask, 0, from);
	return to_tsc - from_tsc - inside;
}

uint64_t schedule_outside_ticks(const struct schedule *schedule, const struct schedule_entity *entity, uint64_t from_tsc,
				uint64_t to_tsc)
{
	/* Rules that are being written have no frame yet. */
	return schedule->rules.frame_ticks != 0 ? windows_outside(&schedule->rules, entity->group->windows, from_tsc, to_tsc) : 0;
}

uint64_t schedule_timer_start(const struct schedule *schedule, const struct schedule_entity *entity, uint64_t deadline_tsc)
{
	const struct schedule_cpu *rules = &schedule->rules;
	uint64_t mask = entity->group->windows, first = UINT64_MAX, at;

	/* Far away: the next frames are not worth a look. */
	if (rules->mode != SCHEDULE_WINDOWS || mask == 0 || deadline_tsc >= UINT64_MAX / 2)
		return deadline_tsc;
	at = phase(rules, deadline_tsc);
	for (uint32_t i = 0; i < rules->window_count; i++) {
		const struct schedule_window *window = &rules->windows[i];

		if ((mask >> window->index & 1) == 0)
			continue;
		if (at >= window->start_ticks && at < window->end_ticks)
			return deadline_tsc;
		if (window->start_ticks > at)
			return deadline_tsc - at + window->start_ticks;
		if (first == UINT64_MAX)
			first = window->start_ticks;
	}
	return first == UINT64_MAX ? deadline_tsc : deadline_tsc - at + rules->frame_ticks + first;
}
