/* Scenarios of reservations: deadlines that must all be met, whatever else wants the CPU. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/simulator/scenarios.h"
#include "tests/simulator/simulator.h"

#define SPINNERS 16U
#define TASKS    8U
/* What a job's switches may cost: its own, and one for each time that a nearer deadline, a timer or the host interrupts it. */
#define OVERHEAD_TICKS (20 * SIM_US)

static struct sim_thread *add_reserved(struct sim *sim, struct schedule_group *group, uint64_t budget, uint64_t period,
				       uint64_t burst)
{
	struct sim_thread *thread = sim_add_sleeper(sim, 0, group, behave_periodic, sim->now + SIM_MS);

	schedule_entity_reserve(&thread->thread.schedule, budget, period, sim->now);
	thread->burst = burst;
	thread->period = period;
	return thread;
}

static void add_spinners(struct sim *sim, struct schedule_group *groups, uint32_t count, uint32_t weight)
{
	for (uint32_t i = 0; i < count; i++) {
		sim_group(&groups[i], weight, 0, 0);
		sim_add(sim, 0, &groups[i], NULL);
	}
}

/* 2 ms of each 10 ms beside 16 vCPUs that compute and a program of the host that does. */
void scenario_reserved(uint64_t factor)
{
	struct schedule_group groups[SPINNERS], mine, host;
	const struct sim_thread *thread;
	struct sim sim;
	uint64_t periods = 10000 * factor;

	sim_init(&sim, 1);
	add_spinners(&sim, groups, SPINNERS, SCHEDULE_WEIGHT_MAX);
	schedule_group_init(&host, true);
	sim_add(&sim, 0, &host, NULL);
	sim_run(&sim, 3 * SIM_SECOND);
	sim_group(&mine, 1, 0, 0);
	thread = add_reserved(&sim, &mine, 2 * SIM_MS, 10 * SIM_MS, 2 * SIM_MS - OVERHEAD_TICKS);
	sim_run(&sim, periods * 10 * SIM_MS + 2 * SIM_MS);
	print_count("sched_reserved_periods", thread->jobs);
	print_count("sched_reserved_misses", thread->misses);
	print_ticks("sched_reserved_lateness_max_ticks", thread->worst_lateness - thread->burst);
	print_ticks("sched_reserved_margin_min_ticks", thread->worst_margin < 0 ? 0 : (uint64_t)thread->worst_margin);
	sim_free(&sim);
}

/* Periods from 1 to 100 ms; budgets that use `share` of the CPU. */
static void draw_set(uint64_t *budgets, uint64_t *periods, uint32_t count, double share)
{
	double parts[TASKS], total = 0;

	for (uint32_t i = 0; i < count; i++) {
		parts[i] = 10 + (double)sim_random(90);
		total += parts[i];
		periods[i] = (1 + sim_random(100)) * SIM_MS;
	}
	for (uint32_t i = 0; i < count; i++)
		budgets[i] = (uint64_t)(parts[i] / total * share * (double)periods[i]);
}

/* Whether the sets miss, with switches that cost nothing (budgets used up to the last tick) or what they cost. */
static void show_sets(const char *kind, uint64_t switch_ticks, uint64_t overhead, uint64_t sets)
{
	uint64_t jobs = 0, misses = 0, missing_sets = 0, budgets[TASKS], periods[TASKS];
	struct schedule_group groups[SPINNERS], mine, host;
	char name[64];

	for (uint64_t set = 0; set < sets; set++) {
		uint32_t count = 2 + (uint32_t)sim_random(TASKS - 1);
		uint64_t before = misses;
		struct sim sim;

		sim_init(&sim, 1);
		sim.switch_ticks = switch_ticks;
		sim.timer_ticks = switch_ticks / 5;
		add_spinners(&sim, groups, set % 4, SCHEDULE_WEIGHT_MAX);
		schedule_group_init(&host, true);
		sim_add(&sim, 0, &host, NULL);
		sim_group(&mine, 1, 0, 0);
		draw_set(budgets, periods, count, 0.95);
		for (uint32_t i = 0; i < count; i++) {
			uint64_t burst = budgets[i] - budgets[i] / 100 * overhead - 4 * switch_ticks;

			(void)add_reserved(&sim, &mine, budgets[i], periods[i], burst);
		}
		sim_run(&sim, 3 * SIM_SECOND);
		for (uint32_t i = 0; i < sim.thread_count; i++) {
			const struct sim_thread *thread = sim.threads[i];

			jobs += thread->jobs;
			misses += thread->misses;
			if (thread->period != 0 && sim.now > thread->release + thread->period)
				misses++; /* the last job is late, and not ready yet */
		}
		missing_sets += misses != before;
		sim_free(&sim);
	}
	snprintf(name, sizeof(name), "sched_reserved_sets%s_jobs", kind);
	print_count(name, jobs);
	snprintf(name, sizeof(name), "sched_reserved_sets%s_misses", kind);
	print_count(name, misses);
	snprintf(name, sizeof(name), "sched_reserved_sets%s_missing", kind);
	print_count(name, missing_sets);
}

/* Random sets of reservations for 95 % of the CPU, beside the host's 5 %: 100 % in all. */
void scenario_reserved_sets(uint64_t factor)
{
	srandom(11);
	show_sets("", 0, 0, 100 * factor);
	show_sets("_with_costs", SIM_SWITCH_TICKS, 10, 100 * factor);
}

/* One wants more than it reserved, all the time; the others' deadlines hold, and it gets what it reserved. */
void scenario_reserved_overrun(uint64_t factor)
{
	struct schedule_group groups[SPINNERS], mine, greedy;
	struct sim_thread *hog, *threads[3];
	struct sim sim;
	uint64_t misses = 0;

	sim_init(&sim, 1);
	sim_group(&greedy, 1, 0, 0);
	hog = sim_add(&sim, 0, &greedy, NULL);
	schedule_entity_reserve(&hog->thread.schedule, 3 * SIM_MS, 10 * SIM_MS, sim.now);
	sim_run(&sim, SIM_SECOND); /* alone: what it used then is held against nobody */
	add_spinners(&sim, groups, SPINNERS, SCHEDULE_WEIGHT_MAX);
	sim_group(&mine, 1, 0, 0);
	threads[0] = add_reserved(&sim, &mine, 2 * SIM_MS, 10 * SIM_MS, 2 * SIM_MS - OVERHEAD_TICKS);
	threads[1] = add_reserved(&sim, &mine, SIM_MS, 5 * SIM_MS, SIM_MS - OVERHEAD_TICKS);
	threads[2] = add_reserved(&sim, &mine, 5 * SIM_MS, 25 * SIM_MS, 5 * SIM_MS - OVERHEAD_TICKS);
	sim_clear(&sim);
	sim_run(&sim, factor * 10 * SIM_SECOND);
	for (unsigned i = 0; i < 3; i++)
		misses += threads[i]->misses;
	print_count("sched_overrun_neighbour_misses", misses);
	print_count("sched_overrun_neighbour_jobs", threads[0]->jobs + threads[1]->jobs + threads[2]->jobs);
	print_percent("sched_overrun_share_percent", (double)hog->ran * 100 / (double)(factor * 10 * SIM_SECOND));
	sim_free(&sim);
}
