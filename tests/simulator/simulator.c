/* The simulated PC: events in the order of their time. One file because each event may lead to any other. */
#include "tests/simulator/simulator.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/balance.h"
#include "kernel/timer_heap.h"

/* What kernel/balance.c asks for. */
struct percpu *percpus[CPUS_MAX];
uint32_t percpu_count;

uint64_t tsc_from_us(uint64_t us)
{
	return us * SIM_US;
}

static void fail(const char *what)
{
	fprintf(stderr, "simulator: %s\n", what);
	abort();
}

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	if (memory == NULL)
		fail("no memory");
	return memory;
}

void sim_init(struct sim *sim, uint32_t cpus)
{
	*sim = (struct sim){.switch_ticks = SIM_SWITCH_TICKS, .timer_ticks = SIM_TIMER_TICKS, .cpu_count = cpus, .now = SIM_SECOND};
	sim->cpus = zeroed(cpus, sizeof(*sim->cpus));
	percpu_count = cpus;
	for (uint32_t i = 0; i < cpus; i++) {
		percpus[i] = &sim->cpus[i].percpu;
		percpus[i]->index = i;
		percpus[i]->online = true;
		percpus[i]->schedule = &sim->cpus[i].schedule;
		balance_set_idle(percpus[i], true);
		sim->cpus[i].index = i;
		sim->cpus[i].last_tsc = sim->now;
		sim->cpus[i].queues = zeroed(SCHEDULE_QUEUES_MAX, sizeof(struct schedule_queue));
		schedule_init(&sim->cpus[i].schedule, sim->cpus[i].queues, SIM_TICKS_PER_US, sim->now);
	}
}

void sim_free(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->thread_count; i++)
		free(sim->threads[i]);
	for (uint32_t i = 0; i < sim->cpu_count; i++) {
		balance_set_idle(percpus[i], false);
		free(sim->cpus[i].queues);
	}
	free(sim->threads);
	free(sim->cpus);
}

/* --- A CPU, as kernel/scheduler.c drives the policy */

static struct sim_thread *thread_of(struct schedule_entity *entity)
{
	return (struct sim_thread *)((char *)entity - offsetof(struct sim_thread, thread.schedule));
}

/* Brings the accounts of a CPU up to now. */
static void account(struct sim *sim, struct sim_cpu *cpu)
{
	struct sim_thread *thread = cpu->running;
	uint64_t from = cpu->last_tsc;

	if (sim->now == from)
		return;
	if (sim->ran != NULL)
		sim->ran(sim, cpu, thread, from, sim->now);
	cpu->last_tsc = sim->now;
	if (thread == NULL) {
		cpu->idle_ticks += sim->now - from;
		return;
	}
	thread->ran += sim->now - from;
	if (sim->now > cpu->works_from && thread->left != SIM_NEVER) {
		uint64_t worked = sim->now - (from > cpu->works_from ? from : cpu->works_from);

		thread->left -= worked < thread->left ? worked : thread->left;
	}
}

static void start(struct sim *sim, struct sim_cpu *cpu, struct sim_thread *thread)
{
	cpu->running = thread;
	if (thread == NULL)
		return;
	cpu->works_from = sim->now + sim->switch_ticks;
	cpu->switches++;
	if (sim->now - thread->ready_since > thread->longest_wait)
		thread->longest_wait = sim->now - thread->ready_since;
	if (thread->woke_at != SIM_NEVER && thread->latencies != NULL)
		sim_sample(thread->latencies, cpu->works_from - thread->woke_at);
	thread->woke_at = SIM_NEVER;
}

static void choose(struct sim *sim, struct sim_cpu *cpu, enum schedule_leaves leaves);

static void publish(struct sim_cpu *cpu)
{
	atomic_store(&cpu->percpu.load, schedule_load(&cpu->schedule));
	balance_set_idle(&cpu->percpu, cpu->running == NULL);
}

static void look_at(struct sim *sim, struct sim_cpu *cpu)
{
	/* A thread that wakes another by a call of its own may be about to wait too. */
	if (!cpu->acts && schedule_is_due(&cpu->schedule, sim->now))
		choose(sim, cpu, SCHEDULE_STAYS_READY);
}

/* give_away(), scheduler_welcome() */
static void give_away(struct sim *sim, struct sim_thread *thread, struct sim_cpu *target)
{
	schedule_leave(&thread->cpu->schedule, &thread->thread.schedule, sim->now);
	publish(thread->cpu);
	account(sim, target);
	thread->cpu = target;
	schedule_arrive(&target->schedule, &thread->thread.schedule, sim->now);
	balance_arrived(&target->percpu, sim->now);
	publish(target);
	look_at(sim, target);
}

/* balance() */
static void balance(struct sim *sim, struct sim_cpu *cpu)
{
	struct percpu *target;
	struct thread *thread;

	publish(cpu);
	if (!sim->balances || cpu->schedule.ready_count == 0)
		return;
	thread = balance_choose(&cpu->percpu, sim->now, &target);
	if (thread != NULL)
		give_away(sim, (struct sim_thread *)((char *)thread - offsetof(struct sim_thread, thread)),
			  &sim->cpus[target->index]);
}

/* scheduler_switch() */
static void choose(struct sim *sim, struct sim_cpu *cpu, enum schedule_leaves leaves)
{
	struct sim_thread *previous = cpu->running;
	struct schedule_entity *entity = schedule_next(&cpu->schedule, leaves, sim->now);
	struct sim_thread *next = entity != NULL ? thread_of(entity) : NULL;

	if (next != NULL && (next->cpu != cpu || next->sleeps))
		fail("a thread was chosen that sleeps, or is at home elsewhere");
	if (next != previous) {
		if (previous != NULL)
			previous->ready_since = sim->now;
		start(sim, cpu, next);
	}
	balance(sim, cpu);
}

/* wanted_at: when it should run, from which its latency counts. */
static void wake(struct sim *sim, struct sim_thread *thread, uint64_t wanted_at)
{
	struct sim_cpu *cpu = thread->cpu;
	struct percpu *idle;

	account(sim, cpu);
	thread->sleeps = false;
	thread->ready_since = sim->now;
	thread->woke_at = wanted_at;
	schedule_wake(&cpu->schedule, &thread->thread.schedule, sim->now);
	idle = sim->balances && cpu->running != NULL ? balance_take_idle_cpu(&thread->thread) : NULL;
	if (idle != NULL)
		give_away(sim, thread, &sim->cpus[idle->index]);
	else
		look_at(sim, cpu);
}

static void sleep_until(struct sim *sim, struct sim_thread *thread, uint64_t tsc)
{
	thread->sleeps = true;
	if (tsc == SIM_NEVER)
		return;
	tsc = schedule_timer_start(&thread->cpu->schedule, &thread->thread.schedule, tsc);
	thread->wake.deadline_tsc = tsc > sim->now ? tsc : sim->now;
	sim->sleepers = timer_heap_insert(sim->sleepers, &thread->wake);
}

void sim_wake(struct sim *sim, struct sim_thread *thread)
{
	if (!thread->sleeps)
		return;
	if (thread->wake.armed)
		sim->sleepers = timer_heap_remove(sim->sleepers, &thread->wake);
	wake(sim, thread, sim->now);
}

/* The running thread has computed what it wanted. */
static void act(struct sim *sim, struct sim_cpu *cpu)
{
	struct sim_thread *thread = cpu->running;
	enum sim_action action;

	cpu->acts = true;
	action = thread->next(sim, thread);
	cpu->acts = false;
	switch (action) {
	case SIM_GO_ON: break;
	case SIM_YIELD:
		schedule_yield(&cpu->schedule, NULL);
		choose(sim, cpu, SCHEDULE_STAYS_READY);
		break;
	case SIM_SLEEP:
		sleep_until(sim, thread, thread->wake_at);
		choose(sim, cpu, SCHEDULE_BLOCKS);
		break;
	}
}

/* --- Time */

static uint64_t interrupt_at(const struct sim *sim, const struct sim_cpu *cpu)
{
	uint64_t deadline = schedule_deadline(&cpu->schedule);

	return deadline == SIM_NEVER ? SIM_NEVER : deadline + sim->timer_ticks;
}

static uint64_t done_at(const struct sim_cpu *cpu)
{
	if (cpu->running == NULL || cpu->running->left == SIM_NEVER)
		return SIM_NEVER;
	return (cpu->works_from > cpu->last_tsc ? cpu->works_from : cpu->last_tsc) + cpu->running->left;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t next_event(const struct sim *sim)
{
	uint64_t at = sim->sleepers != NULL ? sim->sleepers->deadline_tsc + sim->timer_ticks : SIM_NEVER;

	for (uint32_t i = 0; i < sim->cpu_count; i++)
		at = earlier(at, earlier(interrupt_at(sim, &sim->cpus[i]), done_at(&sim->cpus[i])));
	return at;
}

static void wake_sleepers(struct sim *sim)
{
	while (sim->sleepers != NULL && sim->sleepers->deadline_tsc + sim->timer_ticks <= sim->now) {
		struct timer *timer = sim->sleepers;

		sim->sleepers = timer_heap_remove(sim->sleepers, timer);
		wake(sim, (struct sim_thread *)((char *)timer - offsetof(struct sim_thread, wake)), timer->deadline_tsc);
	}
}

/* A deadline of the policy. */
static void attend(struct sim *sim, struct sim_cpu *cpu)
{
	account(sim, cpu);
	if (schedule_is_due(&cpu->schedule, sim->now))
		choose(sim, cpu, SCHEDULE_STAYS_READY);
	else
		schedule_charge(&cpu->schedule, sim->now);
	if (interrupt_at(sim, cpu) <= sim->now)
		fail("the policy's deadline does not move on: a CPU would never leave its interrupts");
}

void sim_run(struct sim *sim, uint64_t ticks)
{
	uint64_t end = sim->now + ticks;

	for (uint64_t at = next_event(sim); at <= end; at = next_event(sim)) {
		if (at < sim->now)
			at = sim->now;
		sim->now = at;
		/* Who is done at the moment of an interrupt is done. */
		for (uint32_t i = 0; i < sim->cpu_count; i++) {
			if (done_at(&sim->cpus[i]) <= sim->now) {
				account(sim, &sim->cpus[i]);
				act(sim, &sim->cpus[i]);
			}
		}
		wake_sleepers(sim);
		for (uint32_t i = 0; i < sim->cpu_count; i++) {
			if (interrupt_at(sim, &sim->cpus[i]) <= sim->now)
				attend(sim, &sim->cpus[i]);
		}
	}
	sim->now = end;
	for (uint32_t i = 0; i < sim->cpu_count; i++) {
		account(sim, &sim->cpus[i]);
		schedule_charge(&sim->cpus[i].schedule, sim->now);
	}
}

/* --- Threads and figures */

static struct sim_thread *new_thread(struct sim *sim, uint32_t cpu, struct schedule_group *group,
				     enum sim_action (*next)(struct sim *sim, struct sim_thread *thread))
{
	struct sim_thread *thread = zeroed(1, sizeof(*thread));

	sim->threads = realloc(sim->threads, (sim->thread_count + 1) * sizeof(struct sim_thread *));
	if (sim->threads == NULL)
		fail("no memory");
	sim->threads[sim->thread_count++] = thread;
	thread->cpu = &sim->cpus[cpu];
	thread->next = next;
	thread->left = next == NULL ? SIM_NEVER : 0;
	thread->worst_margin = INT64_MAX;
	thread->woke_at = SIM_NEVER;
	memset(thread->thread.cpu_mask, 0xff, sizeof(thread->thread.cpu_mask));
	schedule_entity_init(&thread->thread.schedule, group, sim->now);
	return thread;
}

struct sim_thread *sim_add(struct sim *sim, uint32_t cpu, struct schedule_group *group,
			   enum sim_action (*next)(struct sim *sim, struct sim_thread *thread))
{
	struct sim_thread *thread = new_thread(sim, cpu, group, next);

	wake(sim, thread, sim->now);
	return thread;
}

struct sim_thread *sim_add_sleeper(struct sim *sim, uint32_t cpu, struct schedule_group *group,
				   enum sim_action (*next)(struct sim *sim, struct sim_thread *thread), uint64_t wake_at)
{
	struct sim_thread *thread = new_thread(sim, cpu, group, next);

	thread->phase = wake_at;
	sleep_until(sim, thread, wake_at);
	return thread;
}

uint64_t sim_ran(const struct sim *sim, const struct schedule_group *group)
{
	uint64_t ticks = 0;

	for (uint32_t i = 0; i < sim->thread_count; i++)
		ticks += sim->threads[i]->thread.schedule.group == group ? sim->threads[i]->ran : 0;
	return ticks;
}

void sim_clear(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->thread_count; i++) {
		sim->threads[i]->ran = 0;
		sim->threads[i]->longest_wait = 0;
	}
	for (uint32_t i = 0; i < sim->cpu_count; i++)
		sim->cpus[i].idle_ticks = sim->cpus[i].switches = 0;
}

void sim_group(struct schedule_group *group, uint32_t weight, uint32_t cap_percent, uint64_t windows)
{
	struct schedule_space rules = {.weight = weight, .cap_percent = cap_percent, .windows = windows};

	for (unsigned i = 0; i < SCHEDULE_VCPUS_MAX; i++)
		rules.vcpus[i].cpu = SCHEDULE_CPU_ANY;
	if (!schedule_space_valid(&rules))
		fail("rules that are not valid");
	schedule_group_init(group, false);
	schedule_group_set(group, &rules);
}

uint64_t sim_random(uint64_t bound)
{
	return bound == 0 ? 0 : ((uint64_t)random() << 31 | (uint64_t)random()) % bound;
}

void sim_sample(struct sim_samples *samples, uint64_t value)
{
	if (samples->count == samples->room) {
		samples->room = samples->room == 0 ? 1024 : 2 * samples->room;
		samples->values = realloc(samples->values, samples->room * sizeof(uint64_t));
		if (samples->values == NULL)
			fail("no memory");
	}
	samples->values[samples->count++] = value;
}

static int compare(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return first < second ? -1 : first > second;
}

uint64_t sim_percentile(struct sim_samples *samples, unsigned per_mille)
{
	uint64_t at = samples->count * per_mille / 1000;

	if (samples->count == 0)
		return 0;
	qsort(samples->values, samples->count, sizeof(uint64_t), compare);
	return samples->values[at < samples->count ? at : samples->count - 1];
}
