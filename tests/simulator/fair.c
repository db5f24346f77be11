/* Scenarios of the fair queues: shares, caps, the longest wait, wake-ups, neighbours that cheat. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/simulator/scenarios.h"
#include "tests/simulator/simulator.h"

#define VMS 3U

struct vm {
	struct schedule_group group;
	uint32_t weight;
	uint32_t vcpus;
};

/* Of each VM's share, the greatest difference from what its weight is worth, in percent of that. */
static double worst_share_error(struct sim *sim, const struct vm *vms, unsigned count)
{
	double total = 0, weights = 0, worst = 0;

	for (unsigned i = 0; i < count; i++) {
		total += (double)sim_ran(sim, &vms[i].group);
		weights += vms[i].weight;
	}
	for (unsigned i = 0; i < count; i++) {
		double wanted = total * vms[i].weight / weights;
		double error = ((double)sim_ran(sim, &vms[i].group) - wanted) / wanted * 100;

		if (error < 0)
			error = -error;
		if (error > worst)
			worst = error;
	}
	return worst;
}

/* VMs that compute, their vCPUs spread over the CPUs. */
static void show_shares(const char *name, uint32_t cpus, const uint32_t vcpus[VMS], uint64_t factor)
{
	struct vm vms[VMS];
	struct sim sim;

	sim_init(&sim, cpus);
	for (unsigned i = 0; i < VMS; i++) {
		vms[i].weight = 100U << i;
		vms[i].vcpus = vcpus[i];
		sim_group(&vms[i].group, vms[i].weight, 0, 0);
		for (uint32_t n = 0; n < vcpus[i]; n++)
			sim_add(&sim, n % cpus, &vms[i].group, NULL);
	}
	sim_run(&sim, SIM_SECOND); /* a new thread begins as if it had had a turn */
	sim_clear(&sim);
	sim_run(&sim, factor * SIM_SECOND);
	print_percent(name, worst_share_error(&sim, vms, VMS));
	sim_free(&sim);
}

void scenario_shares(uint64_t factor)
{
	show_shares("sched_share_error_percent", 1, (const uint32_t[]){1, 1, 1}, factor);
	show_shares("sched_share_error_many_vcpus_percent", 1, (const uint32_t[]){7, 3, 2}, factor);
	show_shares("sched_share_error_4_cpus_percent", 4, (const uint32_t[]){16, 8, 4}, factor);
}

/* A capped VM beside one that computes on each CPU, if `beside`. */
static void show_cap(const char *name, uint32_t cap_percent, uint32_t cpus, bool beside, uint64_t factor)
{
	struct schedule_group capped, other;
	struct sim sim;
	double wanted = (double)(factor * SIM_SECOND) * cap_percent / 100;
	double error;

	sim_init(&sim, cpus);
	sim_group(&capped, SCHEDULE_WEIGHT_MAX, cap_percent, 0); /* its cap alone bounds it */
	sim_group(&other, SCHEDULE_WEIGHT_USUAL, 0, 0);
	for (uint32_t i = 0; i < 2 * cpus; i++)
		sim_add(&sim, i % cpus, &capped, NULL);
	for (uint32_t i = 0; i < cpus && beside; i++)
		sim_add(&sim, i, &other, NULL);
	sim_run(&sim, factor * SIM_SECOND);
	error = ((double)sim_ran(&sim, &capped) - wanted) / wanted * 100;
	print_percent(name, error < 0 ? -error : error);
	sim_free(&sim);
}

void scenario_caps(uint64_t factor)
{
	show_cap("sched_cap_10_error_percent", 10, 1, false, factor);
	show_cap("sched_cap_50_error_percent", 50, 1, true, factor);
	show_cap("sched_cap_150_error_percent", 150, 2, false, factor);
	show_cap("sched_cap_150_beside_error_percent", 150, 2, true, factor);
}

#define STARVED_VMS   16U
#define STARVED_VCPUS 16U

/* 256 vCPUs on 2 CPUs. Nobody is further ahead of his share than a slice, nor further behind: so between two turns the others have
 * at most two slices each, and one is under way. */
void scenario_starvation(uint64_t factor)
{
	static struct schedule_group groups[STARVED_VMS];
	struct sim sim;
	uint64_t longest = 0, least = SIM_NEVER;

	sim_init(&sim, 2);
	for (uint32_t i = 0; i < STARVED_VMS; i++) {
		sim_group(&groups[i], SCHEDULE_WEIGHT_USUAL, 0, 0);
		for (uint32_t n = 0; n < STARVED_VCPUS; n++)
			sim_add(&sim, n % 2, &groups[i], NULL);
	}
	sim_run(&sim, factor * 20 * SIM_SECOND);
	for (uint32_t i = 0; i < sim.thread_count; i++) {
		const struct sim_thread *thread = sim.threads[i];
		uint64_t wait = thread->cpu->running == thread ? 0 : sim.now - thread->ready_since;

		if (thread->longest_wait > wait)
			wait = thread->longest_wait;
		if (wait > longest)
			longest = wait;
		if (thread->ran < least)
			least = thread->ran;
	}
	print_ticks("sched_wait_256_vcpus_max_ticks", longest);
	print_ticks("sched_wait_256_vcpus_bound_ticks",
		    (2 * STARVED_VMS * STARVED_VCPUS / 2 + 1) * (sim.cpus[0].schedule.slice_ticks + sim.timer_ticks));
	print_ticks("sched_run_256_vcpus_least_ticks", least / factor);
	sim_free(&sim);
}

/* A thread that computes 50 us each ms beside so many VMs of its weight that compute. */
static void show_wakeup(const char *kind, uint32_t spinners, uint64_t factor)
{
	static struct schedule_group groups[17];
	struct sim_samples latencies = {.count = 0};
	struct sim sim;
	struct sim_thread *waker;
	char name[64];

	sim_init(&sim, 1);
	for (uint32_t i = 0; i < spinners; i++) {
		sim_group(&groups[i], SCHEDULE_WEIGHT_USUAL, 0, 0);
		sim_add(&sim, 0, &groups[i], NULL);
	}
	sim_group(&groups[spinners], SCHEDULE_WEIGHT_USUAL, 0, 0);
	sim_run(&sim, SIM_SECOND);
	waker = sim_add_sleeper(&sim, 0, &groups[spinners], behave_waker, sim.now + SIM_MS);
	waker->burst = 50 * SIM_US;
	waker->period = SIM_MS;
	waker->release = sim.now + SIM_MS;
	sim_run(&sim, SIM_SECOND); /* its first turn is a new thread's, and has no hurry */
	waker->latencies = &latencies;
	sim_run(&sim, factor * 10 * SIM_SECOND);
	snprintf(name, sizeof(name), "sched_wakeup%s_p50_ticks", kind);
	print_ticks(name, sim_percentile(&latencies, 500));
	snprintf(name, sizeof(name), "sched_wakeup%s_p99_ticks", kind);
	print_ticks(name, sim_percentile(&latencies, 990));
	snprintf(name, sizeof(name), "sched_wakeup%s_max_ticks", kind);
	print_ticks(name, sim_percentile(&latencies, 1000));
	snprintf(name, sizeof(name), "sched_wakeup%s_count", kind);
	print_count(name, latencies.count);
	free(latencies.values);
	sim_free(&sim);
}

void scenario_wakeup(uint64_t factor)
{
	show_wakeup("_idle", 0, factor);
	show_wakeup("", 16, factor);
}

/* A VM that computes beside one of the same weight with `threads` vCPUs that try for more: the first one's share. */
static void show_hostile(const char *kind, enum sim_action (*next)(struct sim *sim, struct sim_thread *thread), uint64_t burst,
			 uint64_t period, uint32_t threads, uint64_t factor)
{
	struct schedule_group victim, hostile;
	struct sim_thread *first = NULL, *last = NULL;
	struct sim sim;
	char name[64];

	sim_init(&sim, 1);
	sim_group(&victim, SCHEDULE_WEIGHT_USUAL, 0, 0);
	sim_group(&hostile, SCHEDULE_WEIGHT_USUAL, 0, 0);
	sim_add(&sim, 0, &victim, NULL);
	for (uint32_t i = 0; i < threads; i++) {
		struct sim_thread *thread = sim_add(&sim, 0, &hostile, next);

		thread->burst = burst;
		thread->period = period;
		thread->friend = last;
		last = thread;
		if (first == NULL)
			first = thread;
	}
	first->friend = last;
	sim_run(&sim, factor * 4 * SIM_SECOND);
	snprintf(name, sizeof(name), "sched_share_beside_%s_percent", kind);
	print_percent(name, (double)sim_ran(&sim, &victim) * 100 / (double)(factor * 4 * SIM_SECOND));
	snprintf(name, sizeof(name), "sched_switches_beside_%s_count", kind);
	print_count(name, sim.cpus[0].switches / (4 * factor));
	sim_free(&sim);
}

void scenario_hostile(uint64_t factor)
{
	show_hostile("dodger", behave_dodger, 2 * SIM_US, 2 * SIM_US, 1, factor);
	show_hostile("dodgers", behave_dodger, 2 * SIM_US, 2 * SIM_US, 8, factor);
	show_hostile("yielder", behave_yielder, SIM_US, 0, 1, factor);
	show_hostile("yielders", behave_yielder, SIM_US, 0, 8, factor);
	show_hostile("ring", behave_ring, 20 * SIM_US, 0, 2, factor);
	show_hostile("rings", behave_ring, 5 * SIM_US, 0, 8, factor);
	show_hostile("sleepers", behave_sleeper, 100 * SIM_US, 10 * SIM_US, 8, factor);
	show_hostile("random", behave_random, 300 * SIM_US, 300 * SIM_US, 16, factor);
}
