/* Scenarios of time windows: who runs when, how late a window starts, who gets what it leaves. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/simulator/scenarios.h"
#include "tests/simulator/simulator.h"

#define CPUS    2U
#define FRAME   (10 * SIM_MS)
#define WINDOWS 3U

/* Window 0 for A; 1 for B and C; then a gap; 2 for A again, at the end of the frame. */
static const struct schedule_window windows[WINDOWS] = {
	{.start_ticks = 0, .end_ticks = 3 * SIM_MS, .index = 0},
	{.start_ticks = 3 * SIM_MS, .end_ticks = 7 * SIM_MS, .index = 1},
	{.start_ticks = 8 * SIM_MS, .end_ticks = 9 * SIM_MS, .index = 2},
};

struct watch {
	uint64_t epoch;
	struct schedule_group *host;
	uint64_t outside_longest;
	uint64_t window_of[CPUS];   /* the start of the window that this CPU saw last */
	uint64_t jitter;
	uint64_t starts;
	uint64_t starts_apart;      /* the same window on two CPUs */
	uint64_t started[CPUS];
};

/* The part of [from, to) outside the VM's windows. Both lie in one frame, or the stretch is cut in two. */
static uint64_t outside(uint64_t mask, uint64_t from, uint64_t to)
{
	uint64_t at = from % FRAME, end = at + (to - from), inside = 0;

	if (end > FRAME)
		return outside(mask, from, from - at + FRAME) + outside(mask, from - at + FRAME, to);
	for (unsigned i = 0; i < WINDOWS; i++) {
		uint64_t start = windows[i].start_ticks > at ? windows[i].start_ticks : at;
		uint64_t last = windows[i].end_ticks < end ? windows[i].end_ticks : end;

		if ((mask >> windows[i].index & 1) != 0 && start < last)
			inside += last - start;
	}
	return to - from - inside;
}

/* A stretch that begins in another window than the CPU's last one is that window's start. */
static void note_start(struct watch *watch, const struct sim_cpu *cpu, uint64_t mask, uint64_t from)
{
	uint64_t at = from % FRAME;

	for (unsigned i = 0; i < WINDOWS; i++) {
		uint64_t start = from - at + windows[i].start_ticks, late = from - start;
		uint64_t other = watch->started[1 - cpu->index];

		if (at < windows[i].start_ticks || at >= windows[i].end_ticks || (mask >> windows[i].index & 1) == 0 ||
		    watch->window_of[cpu->index] == start)
			continue;
		watch->window_of[cpu->index] = start;
		watch->starts++;
		if (late > watch->jitter)
			watch->jitter = late;
		watch->started[cpu->index] = from;
		if (watch->window_of[1 - cpu->index] == start && from - other > watch->starts_apart)
			watch->starts_apart = from - other;
	}
}

static void ran(struct sim *sim, struct sim_cpu *cpu, const struct sim_thread *thread, uint64_t from, uint64_t to)
{
	struct watch *watch = sim->context;
	uint64_t mask = thread != NULL ? thread->thread.schedule.group->windows : 0, ticks;

	if (mask == 0)
		return;
	ticks = outside(mask, from - watch->epoch, to - watch->epoch);
	if (ticks > watch->outside_longest)
		watch->outside_longest = ticks;
	note_start(watch, cpu, mask, from - watch->epoch);
}

static void set_rules(struct sim *sim, struct watch *watch, bool slack)
{
	struct schedule_cpu rules = {.mode = SCHEDULE_WINDOWS, .window_count = WINDOWS, .slack = slack, .frame_ticks = FRAME};

	rules.epoch_tsc = sim->now;
	watch->epoch = sim->now;
	rules.host_budget_ticks = SIM_MS / 4;
	rules.host_period_ticks = 10 * SIM_MS;
	for (unsigned i = 0; i < WINDOWS; i++)
		rules.windows[i] = windows[i];
	if (!schedule_rules_valid(&rules)) {
		fprintf(stderr, "simulator: rules that are not valid\n");
		exit(1);
	}
	for (unsigned i = 0; i < CPUS; i++)
		schedule_set_rules(&sim->cpus[i].schedule, &rules, sim->now);
}

static double percent_of(const struct sim *sim, const struct schedule_group *group, uint64_t ticks)
{
	return (double)sim_ran(sim, group) * 100 / (double)ticks;
}

/* A, with a vCPU a CPU, computes always; B half of its window; C a quarter; D is in no window; H is the host. */
static void show(const char *kind, bool slack, bool host, uint64_t factor)
{
	struct schedule_group a, b, c, d, h;
	struct watch watch = {.starts = 0};
	struct sim_thread *thread;
	struct sim sim;
	char name[64];
	uint64_t ticks = factor * 5 * SIM_SECOND;

	sim_init(&sim, CPUS);
	set_rules(&sim, &watch, slack);
	sim.ran = ran;
	sim.context = &watch;
	for (unsigned i = 0; i < CPUS; i++)
		watch.window_of[i] = SIM_NEVER;
	sim_group(&a, 100, 0, 1U << 0 | 1U << 2);
	sim_group(&b, 100, 0, 1U << 1);
	sim_group(&c, 100, 0, 1U << 1);
	sim_group(&d, SCHEDULE_WEIGHT_MAX, 0, 0);
	schedule_group_init(&h, true);
	for (unsigned i = 0; i < CPUS; i++) {
		sim_add(&sim, i, &a, NULL);
		thread = sim_add_sleeper(&sim, i, &b, behave_periodic, watch.epoch + 3 * SIM_MS);
		thread->burst = 2 * SIM_MS;
		thread->period = FRAME;
		thread = sim_add_sleeper(&sim, i, &c, behave_sleeper, watch.epoch + 5 * SIM_MS);
		thread->burst = 20 * SIM_US;
		thread->period = 100 * SIM_US;
		sim_add(&sim, i, &d, NULL);
		if (host)
			sim_add(&sim, i, &h, NULL);
	}
	sim_run(&sim, ticks);
	snprintf(name, sizeof(name), "sched_window_jitter%s_max_ticks", kind);
	print_ticks(name, watch.jitter);
	snprintf(name, sizeof(name), "sched_window_starts%s_count", kind);
	print_count(name, watch.starts);
	snprintf(name, sizeof(name), "sched_window_starts_apart%s_ticks", kind);
	print_ticks(name, watch.starts_apart);
	snprintf(name, sizeof(name), "sched_window_outside%s_max_ticks", kind);
	print_ticks(name, watch.outside_longest);
	printf("sched_window_share_a%s %.4f percent\n", kind, percent_of(&sim, &a, CPUS * ticks));
	printf("sched_window_share_b%s %.4f percent\n", kind, percent_of(&sim, &b, CPUS * ticks));
	printf("sched_window_share_fair%s %.4f percent\n", kind, percent_of(&sim, &d, CPUS * ticks));
	printf("sched_window_share_host%s %.4f percent\n", kind, percent_of(&sim, &h, CPUS * ticks));
	sim_free(&sim);
}

void scenario_windows(uint64_t factor)
{
	show("", false, false, factor);
	show("_slack", true, false, factor);
	show("_host", true, true, factor);
}
