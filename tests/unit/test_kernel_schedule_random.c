/* kernel/schedule/ under random operations on three CPUs; after each, what must always hold is looked at from outside: every ready
 * thread in one queue, nobody on two CPUs, counts, weights and accounts right, nobody idle while one that may run waits. A failure
 * names its seed; RANDOM_SEED=n runs that one alone. One file because every look needs the same simulated PC. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernel/schedule/schedule.h"

#define CPUS    3U
#define GROUPS  8U
#define THREADS 24U
#define US      2000U
#define MS      (1000ULL * US)
#define FRAME   (10 * MS)
#define SEEDS   100U
#define STEPS   3000U

enum place { BLOCKED, READY, RUNNING, MOVES };

struct thread {
	struct schedule_entity entity; /* first: the policy's answer is the thread */
	enum place place;
	unsigned cpu;
	unsigned seen;                 /* in how many queues the last look found it */
	uint64_t made_tsc;
};

static struct {
	uint64_t now, seed;
	unsigned step;
	struct schedule cpus[CPUS];
	struct schedule_queue queues[CPUS][SCHEDULE_QUEUES_MAX];
	struct thread *running[CPUS];
	bool has_chosen[CPUS];         /* schedule_next() was the last that happened to this CPU, at this moment */
	struct schedule_group groups[GROUPS];
	struct thread threads[THREADS];
} pc;

static unsigned draw(unsigned bound)
{
	return (unsigned)random() % bound;
}

static void check(bool holds, const char *what, unsigned line)
{
	if (holds)
		return;
	fprintf(stderr, "seed %llu, step %u, line %u: %s\n", (unsigned long long)pc.seed, pc.step, line, what);
	fail();
}
#define CHECK(condition) check(condition, #condition, __LINE__)

/* --- What must hold */

static struct thread *thread_of(struct timer *timer, size_t offset)
{
	return (struct thread *)((char *)timer - offset);
}

static void look_at_waiting(struct timer *node, unsigned cpu, enum schedule_state state, unsigned *count, int64_t *lag,
			    uint64_t *weight)
{
	struct thread *thread;

	if (node == NULL)
		return;
	thread = thread_of(node, offsetof(struct thread, entity.node));
	CHECK(thread->place == READY && thread->cpu == cpu && thread->entity.state == state);
	thread->seen++;
	++*count;
	*weight += thread->entity.weight;
	*lag += (int64_t)thread->entity.weight *
		(int64_t)(thread->entity.start - pc.cpus[cpu].queues[thread->entity.queue].virtual_now);
	look_at_waiting(node->child, cpu, state, count, lag, weight);
	look_at_waiting(node->sibling, cpu, state, count, lag, weight);
}

static void look_at_refills(struct timer *timer, unsigned cpu)
{
	const struct thread *thread;

	if (timer == NULL)
		return;
	thread = thread_of(timer, offsetof(struct thread, entity.refill));
	CHECK(thread->cpu == cpu && (thread->place == READY || thread->place == RUNNING));
	look_at_refills(timer->child, cpu);
	look_at_refills(timer->sibling, cpu);
}

static void look_at_queue(unsigned cpu, uint32_t index)
{
	const struct schedule *schedule = &pc.cpus[cpu];
	const struct schedule_queue *queue = &schedule->queues[index];
	const struct schedule_entity *running = schedule->running;
	unsigned count = 0;
	int64_t lag = 0;
	uint64_t weight = 0;

	look_at_waiting(queue->by_start, cpu, SCHEDULE_READY, &count, &lag, &weight);
	look_at_waiting(queue->by_finish, cpu, SCHEDULE_READY, &count, &lag, &weight);
	CHECK(count == queue->count);
	if (running != NULL && !schedule->is_urgent && running->queue == index) {
		weight += running->weight;
		lag += (int64_t)running->weight * (int64_t)(running->start - queue->virtual_now);
	}
	CHECK(weight == queue->weight);
	CHECK(lag == queue->lag);
}

static void look_at_cpu(unsigned cpu)
{
	const struct schedule *schedule = &pc.cpus[cpu];
	unsigned ready = 0, count = 0;
	int64_t lag = 0;
	uint64_t weight = 0;

	for (uint32_t i = 0; i < schedule->queue_count; i++)
		look_at_queue(cpu, i);
	look_at_waiting(schedule->urgent, cpu, SCHEDULE_URGENT, &count, &lag, &weight);
	look_at_waiting(schedule->capped, cpu, SCHEDULE_CAPPED, &count, &lag, &weight);
	look_at_refills(schedule->refills, cpu);
	for (unsigned i = 0; i < THREADS; i++)
		ready += pc.threads[i].place == READY && pc.threads[i].cpu == cpu;
	CHECK(ready == schedule->ready_count);
	CHECK((struct thread *)schedule->running == pc.running[cpu]);
}

/* Why one that is ready may have to wait though its CPU is idle: its cap, its window, or that windows leave nothing to others. */
static bool may_wait(const struct schedule *schedule, const struct schedule_entity *entity)
{
	const struct schedule_cpu *rules = &schedule->rules;

	if (entity->state == SCHEDULE_CAPPED)
		return entity->group->cap_percent != 0;
	if (entity->state == SCHEDULE_URGENT || rules->mode != SCHEDULE_WINDOWS || entity->group->is_host)
		return false;
	if (entity->group->windows == 0)
		return rules->slack == 0;
	for (uint32_t i = 0; i < rules->window_count; i++) {
		uint64_t at = (pc.now - rules->epoch_tsc) % rules->frame_ticks;

		if (at >= rules->windows[i].start_ticks && at < rules->windows[i].end_ticks &&
		    (entity->group->windows >> rules->windows[i].index & 1) != 0)
			return false;
	}
	return true;
}

static void look_at_thread(const struct thread *thread)
{
	const struct schedule_entity *entity = &thread->entity;
	const struct schedule *schedule = &pc.cpus[thread->cpu];
	uint64_t until = thread->place == RUNNING ? schedule->charged_tsc : entity->since_tsc;

	CHECK(thread->seen == (thread->place == READY ? 1U : 0U));
	CHECK((entity->state == SCHEDULE_RUNNING) == (thread->place == RUNNING));
	CHECK(thread->place != RUNNING || pc.running[thread->cpu] == thread);
	CHECK(thread->place == READY || !entity->node.armed);
	CHECK(thread->place == READY || thread->place == RUNNING || !entity->refill.armed);
	CHECK(entity->run_ticks + entity->wait_ticks + entity->steal_ticks + entity->halted_ticks == until - thread->made_tsc);
	/* Nobody idles while one that may run waits. */
	if (thread->place == READY && pc.running[thread->cpu] == NULL && pc.has_chosen[thread->cpu])
		CHECK(may_wait(schedule, entity));
}

static void look(void)
{
	unsigned ready[GROUPS] = {0};

	for (unsigned i = 0; i < THREADS; i++)
		pc.threads[i].seen = 0;
	for (unsigned i = 0; i < CPUS; i++)
		look_at_cpu(i);
	for (unsigned i = 0; i < THREADS; i++) {
		look_at_thread(&pc.threads[i]);
		ready[pc.threads[i].entity.group - pc.groups] += pc.threads[i].place != BLOCKED;
	}
	for (unsigned i = 0; i < GROUPS; i++)
		CHECK(ready[i] == atomic_load(&pc.groups[i].ready_count));
}

/* --- What happens */

static void choose(unsigned cpu, enum schedule_leaves leaves)
{
	struct thread *previous = pc.running[cpu], *next;
	const enum place places[] = {[SCHEDULE_STAYS_READY] = READY, [SCHEDULE_BLOCKS] = BLOCKED, [SCHEDULE_MOVES] = MOVES};

	if (previous != NULL)
		previous->place = places[leaves];
	next = (struct thread *)schedule_next(&pc.cpus[cpu], leaves, pc.now);
	pc.running[cpu] = next;
	pc.has_chosen[cpu] = true;
	if (next == NULL)
		return;
	CHECK(next->place == READY && next->cpu == cpu);
	CHECK(pc.cpus[cpu].is_urgent || !may_wait(&pc.cpus[cpu], &next->entity));
	next->place = RUNNING;
}

/* What an interrupt does. */
static void interrupt(unsigned cpu)
{
	if (schedule_is_due(&pc.cpus[cpu], pc.now))
		choose(cpu, SCHEDULE_STAYS_READY);
	if (pc.running[cpu] == NULL)
		return;
	CHECK(schedule_deadline(&pc.cpus[cpu]) > pc.now);
}

static void pass_time(void)
{
	const uint64_t most[] = {1, US, 100 * US, MS, 20 * MS, 1000 * MS};

	uint64_t until = pc.now + 1 + (uint64_t)random() % most[draw(draw(4) == 0 ? 6 : 4)];

	/* Interrupts may be late, but not by seconds: that much debt is not paid back in this test. */
	for (unsigned i = 0; i < CPUS; i++) {
		uint64_t deadline = schedule_deadline(&pc.cpus[i]);

		if (deadline < until)
			until = (deadline > pc.now ? deadline : pc.now) + draw(100 * US);
		pc.has_chosen[i] = false;
	}
	pc.now = until;
}

static void set_rules(unsigned cpu)
{
	struct schedule_cpu rules = {.mode = draw(2) == 0 ? SCHEDULE_FAIR : SCHEDULE_WINDOWS};
	uint64_t at = 0;

	rules.host_period_ticks = 10 * MS;
	rules.host_budget_ticks = draw(3) * MS / 4;
	if (rules.mode == SCHEDULE_WINDOWS) {
		rules.slack = draw(2);
		rules.frame_ticks = FRAME;
		rules.epoch_tsc = draw(1000);
		rules.window_count = 1 + draw(4);
		for (uint32_t i = 0; i < rules.window_count; i++) {
			rules.windows[i].start_ticks = at += draw(2) * MS;
			rules.windows[i].end_ticks = at += MS / 2 + draw(MS);
			rules.windows[i].index = i;
		}
	}
	CHECK(schedule_rules_valid(&rules));
	schedule_set_rules(&pc.cpus[cpu], &rules, pc.now);
	pc.has_chosen[cpu] = false;
}

static void reserve(struct thread *thread)
{
	uint64_t period = (1 + draw(20)) * MS;

	if (thread->place != BLOCKED && thread->place != RUNNING)
		return;
	/* What a reservation takes counts for the cap too, and may leave the VM's others nothing. */
	if (thread->entity.group->is_host || thread->entity.group->cap_percent != 0)
		return;
	if (draw(3) == 0)
		schedule_entity_reserve(&thread->entity, 0, 0, pc.now);
	else
		schedule_entity_reserve(&thread->entity, 1 + (uint64_t)random() % (period / 32), period, pc.now);
	pc.has_chosen[thread->cpu] = false;
}

static void wake_or_move(struct thread *thread)
{
	switch (thread->place) {
	case BLOCKED: schedule_wake(&pc.cpus[thread->cpu], &thread->entity, pc.now); break;
	case MOVES:
		thread->cpu = draw(CPUS);
		schedule_arrive(&pc.cpus[thread->cpu], &thread->entity, pc.now);
		break;
	case READY:
		schedule_leave(&pc.cpus[thread->cpu], &thread->entity, pc.now);
		thread->place = MOVES;
		return;
	case RUNNING: return;
	}
	thread->place = READY;
	pc.has_chosen[thread->cpu] = false;
}

static void yield(unsigned cpu, struct thread *to)
{
	if (pc.running[cpu] == NULL)
		return;
	/* A thread of another CPU must change nothing; one that waits nowhere is never named. */
	schedule_yield(&pc.cpus[cpu], draw(2) != 0 && to->place == READY && to->cpu == cpu ? &to->entity : NULL);
	choose(cpu, SCHEDULE_STAYS_READY);
}

static void do_something(void)
{
	unsigned cpu = draw(CPUS);
	struct thread *thread = &pc.threads[draw(THREADS)];

	switch (draw(12)) {
	case 0:
	case 1: pass_time(); break;
	case 2:
	case 3: interrupt(cpu); break;
	case 4: choose(cpu, SCHEDULE_STAYS_READY); break;
	case 5: choose(cpu, draw(4) == 0 ? SCHEDULE_MOVES : SCHEDULE_BLOCKS); break;
	case 6: yield(cpu, thread); break;
	case 7: reserve(thread); break;
	case 8:
		if (draw(8) == 0)
			set_rules(cpu);
		break;
	case 9:
		(void)schedule_grace(&pc.cpus[cpu], pc.now);
		schedule_charge(&pc.cpus[cpu], pc.now);
		break;
	default: wake_or_move(thread); break;
	}
}

/* --- Everybody runs in the end, with interrupts at no other times than the policy asked for */

static void run_on(uint64_t ticks)
{
	uint64_t end = pc.now + ticks;

	while (pc.now < end) {
		uint64_t at = end;

		for (unsigned i = 0; i < CPUS; i++) {
			uint64_t deadline = schedule_deadline(&pc.cpus[i]);

			at = deadline < at ? deadline : at;
		}
		pc.now = at > pc.now ? at : pc.now;
		for (unsigned i = 0; i < CPUS; i++) {
			pc.has_chosen[i] = false;
			if (schedule_deadline(&pc.cpus[i]) <= pc.now)
				interrupt(i);
			CHECK(schedule_deadline(&pc.cpus[i]) > pc.now);
		}
		pc.step++;
		CHECK(pc.step < 10000000);
	}
}

static bool has_a_time(const struct schedule *schedule, const struct schedule_group *group)
{
	uint64_t windows = 0;
	unsigned reserved = 0;

	for (uint32_t i = 0; i < schedule->rules.window_count; i++)
		windows |= 1ULL << schedule->rules.windows[i].index;
	for (unsigned i = 0; i < THREADS; i++)
		reserved += pc.threads[i].cpu == (unsigned)(schedule - pc.cpus) && pc.threads[i].entity.server.budget_ticks != 0;
	if (schedule->rules.mode != SCHEDULE_WINDOWS)
		return true;
	/* Windows may be full, and the host's and fair VMs have what they leave; the same with reservations, which manifests do not
	 * mix with windows. */
	return reserved == 0 && group->windows != 0 && (group->windows & windows) != 0;
}

static void everybody_runs(void)
{
	uint64_t had[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		if (pc.threads[i].place == MOVES || pc.threads[i].place == BLOCKED)
			wake_or_move(&pc.threads[i]);
	}
	for (unsigned i = 0; i < CPUS; i++)
		interrupt(i);
	run_on(4000 * MS); /* what was owed is paid, by servers and caps */
	for (unsigned i = 0; i < THREADS; i++)
		had[i] = pc.threads[i].entity.run_ticks;
	run_on(2000 * MS);
	for (unsigned i = 0; i < CPUS; i++)
		schedule_charge(&pc.cpus[i], pc.now);
	look();
	for (unsigned i = 0; i < THREADS; i++) {
		const struct thread *thread = &pc.threads[i];

		if (has_a_time(&pc.cpus[thread->cpu], thread->entity.group))
			CHECK(thread->entity.run_ticks > had[i]);
	}
}

static void start(uint64_t seed)
{
	memset(&pc, 0, sizeof(pc));
	pc.seed = seed;
	pc.now = 1 + seed * 12345;
	srandom((unsigned)seed);
	for (unsigned i = 0; i < CPUS; i++)
		schedule_init(&pc.cpus[i], pc.queues[i], US, pc.now);
	for (unsigned i = 0; i < GROUPS; i++) {
		schedule_group_init(&pc.groups[i], i == 0);
		pc.groups[i].weight = 50 + draw(400);
		pc.groups[i].cap_percent = i != 0 && draw(3) == 0 ? 20 + draw(200) : 0;
		pc.groups[i].windows = i >= 4 ? draw(16) : 0;
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pc.threads[i].cpu = draw(CPUS);
		pc.threads[i].made_tsc = pc.now;
		schedule_entity_init(&pc.threads[i].entity, &pc.groups[draw(GROUPS)], pc.now);
	}
}

static void run_seed(uint64_t seed)
{
	start(seed);
	for (pc.step = 0; pc.step < STEPS; pc.step++) {
		do_something();
		look();
	}
	everybody_runs();
}

static void test_schedule_random_operations(void **state)
{
	const char *chosen = getenv("RANDOM_SEED");

	(void)state;
	if (chosen != NULL) {
		run_seed(strtoull(chosen, NULL, 10));
		return;
	}
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		run_seed(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule_random_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
