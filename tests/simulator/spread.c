/* Scenarios of the balance between CPUs: kernel/balance.c on a simulated PC. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/simulator/scenarios.h"
#include "tests/simulator/simulator.h"

#define GROUPS_MAX 64U

/* VMs of one vCPU each that compute and weigh the same, all started on CPU 0. */
static void show_equal(const char *kind, uint32_t cpus, uint32_t vms, uint64_t factor)
{
	static struct schedule_group groups[GROUPS_MAX];
	uint64_t ticks = factor * 20 * SIM_SECOND, idle = 0, moves = 0;
	double wanted = (double)ticks * cpus / vms, worst = 0;
	struct sim sim;
	char name[64];

	sim_init(&sim, cpus);
	sim.balances = true;
	for (uint32_t i = 0; i < vms; i++) {
		sim_group(&groups[i], SCHEDULE_WEIGHT_USUAL, 0, 0);
		sim_add(&sim, 0, &groups[i], NULL);
	}
	sim_run(&sim, SIM_SECOND);
	for (uint32_t i = 0; i < vms; i++)
		moves -= sim.threads[i]->thread.schedule.migrations;
	sim_clear(&sim);
	sim_run(&sim, ticks);
	for (uint32_t i = 0; i < vms; i++) {
		double error = ((double)sim.threads[i]->ran - wanted) / wanted * 100;

		worst = error > worst ? error : -error > worst ? -error : worst;
		moves += sim.threads[i]->thread.schedule.migrations;
	}
	for (uint32_t i = 0; i < cpus; i++)
		idle += sim.cpus[i].idle_ticks;
	snprintf(name, sizeof(name), "sched_balance_%s_error_percent", kind);
	print_percent(name, worst);
	snprintf(name, sizeof(name), "sched_balance_%s_idle_percent", kind);
	print_percent(name, (double)idle * 100 / (double)(cpus * ticks));
	snprintf(name, sizeof(name), "sched_balance_%s_moves_per_second_count", kind);
	print_count(name, moves / (20 * factor));
	sim_free(&sim);
}

/* Three VMs may use CPUs 0 and 1 only, and start on 0; a light one keeps CPU 2 busy, where they must not go. */
static void show_masks(uint64_t factor)
{
	struct schedule_group groups[3], light;
	uint64_t ticks = factor * 20 * SIM_SECOND, least = SIM_NEVER;
	struct sim sim;

	sim_init(&sim, 3);
	sim.balances = true;
	sim_group(&light, 10, 0, 0);
	sim_add(&sim, 2, &light, NULL);
	sim.threads[0]->thread.cpu_mask[0] = 4;
	for (uint32_t i = 0; i < 3; i++) {
		struct sim_thread *thread;

		sim_group(&groups[i], SCHEDULE_WEIGHT_USUAL, 0, 0);
		thread = sim_add_sleeper(&sim, 0, &groups[i], NULL, sim.now + SIM_MS);
		thread->left = SIM_NEVER;
		thread->thread.cpu_mask[0] = 3;
	}
	sim_run(&sim, SIM_SECOND);
	sim_clear(&sim);
	sim_run(&sim, ticks);
	for (uint32_t i = 1; i < 4; i++)
		least = sim.threads[i]->ran < least ? sim.threads[i]->ran : least;
	print_percent("sched_balance_masks_least_percent", (double)least * 100 / (double)ticks);
	print_percent("sched_balance_masks_light_percent", (double)sim.threads[0]->ran * 100 / (double)ticks);
	sim_free(&sim);
}

/* One whose window is the whole frame computes on CPU 1, where one without windows starts; two more of these are on CPU 0. */
static void show_left_out(uint64_t factor)
{
	struct schedule_cpu rules = {.mode = SCHEDULE_WINDOWS, .slack = 1, .frame_ticks = 10 * SIM_MS, .window_count = 1,
				     .windows = {{.end_ticks = 10 * SIM_MS}}};
	struct schedule_group control, groups[3];
	uint64_t ticks = factor * 20 * SIM_SECOND;
	struct sim sim;

	sim_init(&sim, 2);
	sim.balances = true;
	schedule_set_rules(&sim.cpus[1].schedule, &rules, 0);
	sim.cpus[1].percpu.mode = SCHEDULE_WINDOWS;
	sim_group(&control, SCHEDULE_WEIGHT_USUAL, 0, 1);
	sim_add(&sim, 1, &control, NULL)->thread.cpu_mask[0] = 2;
	for (uint32_t i = 0; i < 3; i++) {
		sim_group(&groups[i], SCHEDULE_WEIGHT_USUAL, 0, 0);
		sim_add_sleeper(&sim, i / 2, &groups[i], NULL, SIM_MS + i)->left = SIM_NEVER;
	}
	sim_run(&sim, SIM_SECOND);
	sim_clear(&sim);
	sim_run(&sim, ticks);
	print_percent("sched_balance_left_out_percent", (double)sim_ran(&sim, &groups[2]) * 100 / (double)ticks);
	print_percent("sched_balance_left_out_window_percent", (double)sim_ran(&sim, &control) * 100 / (double)ticks);
	sim_free(&sim);
}

/* Threads that compute and sleep for random times, more than there are CPUs: the time for which a CPU was idle though one
 * waited. */
static uint64_t wasted, waited;

static void ran(struct sim *sim, struct sim_cpu *cpu, const struct sim_thread *thread, uint64_t from, uint64_t to)
{
	uint32_t ready = 0;

	for (uint32_t i = 0; i < sim->cpu_count; i++)
		ready += sim->cpus[i].schedule.ready_count;
	(void)cpu;
	waited += ready > 0 ? to - from : 0;
	wasted += thread == NULL && ready > 0 ? to - from : 0;
}

static void show_random(uint64_t factor)
{
	struct schedule_group group;
	struct sim sim;

	srandom(5);
	sim_init(&sim, 4);
	sim.balances = true;
	sim_group(&group, SCHEDULE_WEIGHT_USUAL, 0, 0);
	for (uint32_t i = 0; i < 12; i++) {
		struct sim_thread *thread = sim_add(&sim, i % 4, &group, behave_random);

		thread->burst = 500 * SIM_US;
		thread->period = SIM_MS;
	}
	sim_run(&sim, SIM_SECOND);
	sim.ran = ran;
	wasted = waited = 0;
	sim_run(&sim, factor * 10 * SIM_SECOND);
	print_percent("sched_balance_random_wasted_percent", (double)wasted * 100 / (double)(4 * factor * 10 * SIM_SECOND));
	print_percent("sched_balance_random_contended_percent", (double)waited * 100 / (double)(4 * factor * 10 * SIM_SECOND));
	sim_free(&sim);
}

void scenario_balance(uint64_t factor)
{
	show_equal("3_on_2", 2, 3, factor);
	show_equal("5_on_4", 4, 5, factor);
	show_equal("8_on_8", 8, 8, factor);
	show_equal("64_on_8", 8, 64, factor);
	show_masks(factor);
	show_left_out(factor);
	show_random(factor);
}
