/* kernel/schedule/: who runs next, on a simulated CPU whose TSC counts microseconds, in steps of 10 us. Long runs and several
 * CPUs are the simulator's (tests/simulator/). One file because every test needs the same simulated CPU. */
#include "tests/unit/unit.h"

#include "kernel/schedule/schedule.h"

#define STEP_US   10U
#define SECOND_US 1000000U
#define SLICE_US  1000U
#define ENDLESS   UINT64_MAX
#define AWAKE     UINT64_MAX
#define JOBS_MAX  20U

/* A thread that runs for burst_us, then waits for wait_us. */
struct job {
	struct schedule_entity entity; /* first: the policy's answer is the job */
	struct schedule_group own, *group;
	uint64_t burst_us, wait_us;
	uint64_t left_us;     /* of this burst */
	uint64_t woke_at_us;
	uint64_t wakes_at_us; /* AWAKE: it does not wait */
	uint64_t had_us, worst_delay_us, late_count;
	uint64_t due_us; /* for one with a period: when its burst must be done */
};

static struct {
	struct schedule schedule;
	struct schedule_queue queues[SCHEDULE_QUEUES_MAX];
	struct job jobs[JOBS_MAX];
	unsigned count;
	struct job *running; /* NULL: idle */
	uint64_t now_us;
} cpu;

static void start(void)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.now_us = 12345;
	schedule_init(&cpu.schedule, cpu.queues, 1, cpu.now_us);
}

static void choose(enum schedule_leaves leaves)
{
	cpu.running = (struct job *)schedule_next(&cpu.schedule, leaves, cpu.now_us);
	if (cpu.running == NULL || cpu.running->left_us != cpu.running->burst_us)
		return;
	if (cpu.now_us - cpu.running->woke_at_us > cpu.running->worst_delay_us)
		cpu.running->worst_delay_us = cpu.now_us - cpu.running->woke_at_us;
}

static void wake(struct job *job)
{
	job->left_us = job->burst_us;
	job->woke_at_us = cpu.now_us;
	job->wakes_at_us = AWAKE;
	schedule_wake(&cpu.schedule, &job->entity, cpu.now_us);
}

static struct job *add_to(struct schedule_group *group, uint64_t burst_us, uint64_t wait_us)
{
	struct job *job = &cpu.jobs[cpu.count++];

	*job = (struct job){.burst_us = burst_us, .wait_us = wait_us, .group = group};
	schedule_entity_init(&job->entity, group, cpu.now_us);
	wake(job);
	return job;
}

static struct job *add(uint32_t weight, uint64_t burst_us, uint64_t wait_us)
{
	struct job *job = &cpu.jobs[cpu.count++];

	*job = (struct job){.burst_us = burst_us, .wait_us = wait_us, .group = &job->own};
	schedule_group_init(&job->own, false);
	job->own.weight = weight;
	schedule_entity_init(&job->entity, &job->own, cpu.now_us);
	wake(job);
	return job;
}

static struct job *add_reserved(uint32_t weight, uint64_t burst_us, uint64_t wait_us, uint64_t budget_us, uint64_t period_us)
{
	struct job *job = &cpu.jobs[cpu.count++];

	*job = (struct job){.burst_us = burst_us, .wait_us = wait_us, .group = &job->own};
	schedule_group_init(&job->own, false);
	job->own.weight = weight;
	schedule_entity_init(&job->entity, &job->own, cpu.now_us);
	schedule_entity_reserve(&job->entity, budget_us, period_us, cpu.now_us);
	wake(job);
	return job;
}

static void run_for_a_step(void)
{
	struct job *job = cpu.running;

	cpu.now_us += STEP_US;
	if (job == NULL)
		return;
	job->had_us += STEP_US;
	if (job->burst_us == ENDLESS)
		return;
	job->left_us -= STEP_US;
	if (job->left_us == 0) {
		job->late_count += job->due_us != 0 && cpu.now_us > job->due_us;
		job->wakes_at_us = cpu.now_us + job->wait_us;
		choose(SCHEDULE_BLOCKS);
	}
}

static void simulate(uint64_t us)
{
	uint64_t end_us = cpu.now_us + us;

	while (cpu.now_us < end_us) {
		if (schedule_is_due(&cpu.schedule, cpu.now_us))
			choose(SCHEDULE_STAYS_READY);
		assert_true(schedule_deadline(&cpu.schedule) > cpu.now_us);
		run_for_a_step();
		for (unsigned i = 0; i < cpu.count; i++) {
			if (cpu.jobs[i].wakes_at_us <= cpu.now_us)
				wake(&cpu.jobs[i]);
		}
	}
}

static void test_schedule_hogs_alternate(void **state)
{
	struct job *hogs[2];

	(void)state;
	start();
	hogs[0] = add(100, ENDLESS, 0);
	simulate(SECOND_US); /* what one has had alone is not held against it */
	hogs[1] = add(100, ENDLESS, 0);
	hogs[0]->had_us = 0;
	for (unsigned turn = 0; turn < 100; turn++) {
		simulate(SLICE_US);
		assert_true(hogs[0]->had_us <= hogs[1]->had_us + 2 * SLICE_US);
		assert_true(hogs[1]->had_us <= hogs[0]->had_us + 2 * SLICE_US);
	}
	assert_in_range(hogs[0]->had_us, 49 * SLICE_US, 51 * SLICE_US);
}

static void test_schedule_shares_follow_weights(void **state)
{
	struct job *jobs[3];

	(void)state;
	start();
	for (unsigned i = 0; i < 3; i++)
		jobs[i] = add(100U << i, ENDLESS, 0);
	simulate(SECOND_US);
	for (unsigned i = 0; i < 3; i++)
		assert_in_range(jobs[i]->had_us, (SECOND_US << i) / 7 - SECOND_US / 1000, (SECOND_US << i) / 7 + SECOND_US / 1000);
}

/* The weight is the VM's as a whole. */
static void test_schedule_many_threads_gain_nothing(void **state)
{
	struct schedule_group group;
	struct job *lone, *many[9];
	uint64_t sum = 0;

	(void)state;
	start();
	schedule_group_init(&group, false);
	lone = add(100, ENDLESS, 0);
	for (unsigned i = 0; i < 9; i++)
		many[i] = add_to(&group, ENDLESS, 0);
	simulate(SECOND_US / 10); /* each may be a turn behind, but for once */
	for (unsigned i = 0; i < cpu.count; i++)
		cpu.jobs[i].had_us = 0;
	simulate(SECOND_US);
	for (unsigned i = 0; i < 9; i++) {
		sum += many[i]->had_us;
		assert_in_range(many[i]->had_us, SECOND_US / 18 - 5000, SECOND_US / 18 + 5000);
	}
	assert_in_range(lone->had_us, SECOND_US * 49 / 100, SECOND_US * 51 / 100);
	assert_int_equal(lone->had_us + sum, SECOND_US);
}

/* A console that takes a paste at 115200 baud: 200 us of work for each 8 bytes; the FIFO holds 8 more, 690 us. */
static void test_schedule_woken_runs_at_once(void **state)
{
	struct job *waker;

	(void)state;
	start();
	(void)add(100, ENDLESS, 0);
	(void)add(100, ENDLESS, 0);
	simulate(SECOND_US);
	waker = add(100, 200, 490);
	simulate(50000);
	waker->worst_delay_us = 0;
	waker->had_us = 0;
	simulate(SECOND_US);
	assert_true(waker->worst_delay_us <= STEP_US);
	assert_in_range(waker->had_us, SECOND_US / 4, SECOND_US / 3);
}

static void test_schedule_wakers_starve_nobody(void **state)
{
	struct job *hog;

	(void)state;
	start();
	hog = add(100, ENDLESS, 0);
	for (unsigned i = 1; i < 11; i++)
		(void)add(100, 100 * i, STEP_US);
	simulate(SECOND_US);
	assert_in_range(hog->had_us, SECOND_US / 11 - SECOND_US / 100, SECOND_US);
}

static void test_schedule_long_wait_earns_nothing(void **state)
{
	struct job *hog, *sleeper;
	uint64_t had_us;

	(void)state;
	start();
	hog = add(100, ENDLESS, 0);
	sleeper = add(100, STEP_US, 10 * SECOND_US);
	simulate(10 * SECOND_US - 100);
	sleeper->burst_us = ENDLESS;
	simulate(200);
	had_us = hog->had_us;
	simulate(20 * SLICE_US);
	assert_in_range(hog->had_us - had_us, 9 * SLICE_US, 11 * SLICE_US);
}

/* One that makes the next and ends takes no more than half of the CPU, as if it were one thread. */
static void test_schedule_chain_of_new_threads_gains_nothing(void **state)
{
	struct job *hog, *link;

	(void)state;
	start();
	hog = add(100, ENDLESS, 0);
	for (unsigned i = 0; i < 200; i++) {
		link = add(100, SLICE_US, ENDLESS / 2);
		while (link->left_us > 0)
			simulate(STEP_US);
		cpu.count--;
	}
	assert_in_range(hog->had_us, 180 * SLICE_US, 420 * SLICE_US);
}

static void test_schedule_yielding_lets_another_run(void **state)
{
	struct job *first, *second;

	(void)state;
	start();
	first = add(100, ENDLESS, 0);
	second = add(100, ENDLESS, 0);
	simulate(SECOND_US);
	for (unsigned i = 0; i < 10; i++) {
		struct job *yielding = cpu.running;

		schedule_yield(&cpu.schedule, NULL);
		assert_true(schedule_is_due(&cpu.schedule, cpu.now_us));
		choose(SCHEDULE_STAYS_READY);
		assert_ptr_equal(cpu.running, yielding == first ? second : first);
		simulate(STEP_US);
	}
}

static void test_schedule_cap_is_kept(void **state)
{
	static const uint32_t percents[] = {1, 10, 50, 90};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct job *capped;
		uint64_t cap_us = SECOND_US / 100 * percents[i];

		start();
		capped = add(100, ENDLESS, 0);
		capped->own.cap_percent = percents[i];
		simulate(SECOND_US / 100); /* what it had before the cap was known */
		capped->had_us = 0;
		simulate(SECOND_US);
		assert_in_range(capped->had_us, cap_us - cap_us / 100, cap_us + cap_us / 100 + 100);
		assert_true(capped->entity.wait_ticks >= (SECOND_US - cap_us) * 98 / 100);
		assert_true(capped->entity.steal_ticks < SECOND_US / 1000);
	}
}

/* The CPU was in ring 0 when the turn was over: three times what the period allows, which later periods pay. */
static void test_schedule_cap_that_is_overdrawn_is_paid_back(void **state)
{
	struct job *capped;
	uint64_t end_us;

	(void)state;
	start();
	capped = add(100, ENDLESS, 0);
	capped->own.cap_percent = 10;
	end_us = cpu.now_us + SECOND_US;
	while (cpu.now_us < end_us) {
		if (schedule_is_due(&cpu.schedule, cpu.now_us))
			choose(SCHEDULE_STAYS_READY);
		cpu.now_us = cpu.running != NULL ? cpu.now_us + 3000 : schedule_deadline(&cpu.schedule);
	}
	assert_in_range(capped->entity.run_ticks, SECOND_US / 10 - 4000, SECOND_US / 10 + 4000);
}

static void test_schedule_reservation_meets_its_deadlines(void **state)
{
	struct job *reserved, *hogs[10];

	(void)state;
	start();
	for (unsigned i = 0; i < 10; i++)
		hogs[i] = add(10000, ENDLESS, 0);
	reserved = add_reserved(1, 2000, 8000, 2100, 10000);
	for (unsigned i = 0; i < 500; i++) {
		reserved->due_us = reserved->woke_at_us + 10000;
		simulate(10000);
	}
	assert_int_equal(reserved->late_count, 0);
	assert_true(reserved->worst_delay_us <= 7900);
	assert_in_range(hogs[0]->had_us, 350000, 450000); /* they share the rest */
}

/* What runs over is paid back; what is beyond the budget competes by weight. */
static void test_schedule_reservation_does_not_take_more(void **state)
{
	struct job *reserved, *hog;

	(void)state;
	start();
	hog = add(10000, ENDLESS, 0);
	reserved = add_reserved(1, ENDLESS, 0, 2000, 10000);
	simulate(SECOND_US);
	assert_in_range(reserved->had_us, SECOND_US / 5 - 2000, SECOND_US / 5 + 6000);
	assert_in_range(hog->had_us, SECOND_US * 4 / 5 - 6000, SECOND_US * 4 / 5 + 2000);
}

static void test_schedule_grace_is_paid_back(void **state)
{
	struct job *reserved;
	uint64_t end_us;

	(void)state;
	start();
	(void)add(10000, ENDLESS, 0);
	reserved = add_reserved(1, ENDLESS, 0, 2000, 10000);
	choose(SCHEDULE_STAYS_READY);
	assert_ptr_equal(cpu.running, reserved);
	assert_false(schedule_grace(&cpu.schedule, cpu.now_us)); /* it has budget */
	cpu.now_us += 2000;
	assert_true(schedule_is_due(&cpu.schedule, cpu.now_us));
	assert_true(schedule_grace(&cpu.schedule, cpu.now_us));
	assert_false(schedule_is_due(&cpu.schedule, cpu.now_us));
	end_us = schedule_deadline(&cpu.schedule);
	assert_int_equal(end_us, cpu.now_us + 50);
	cpu.now_us = end_us;
	assert_true(schedule_is_due(&cpu.schedule, cpu.now_us));
	assert_false(schedule_grace(&cpu.schedule, cpu.now_us)); /* it had one */
	choose(SCHEDULE_STAYS_READY);
	assert_int_equal(reserved->entity.server.left_ticks, -50);
	cpu.now_us += 10000;
	assert_true(schedule_is_due(&cpu.schedule, cpu.now_us));
	choose(SCHEDULE_STAYS_READY);
	assert_ptr_equal(cpu.running, reserved);
	assert_int_equal(reserved->entity.server.left_ticks, 1950);
}

/* What it used while nobody else was there is no debt, and earns no second budget in a period. */
static void test_schedule_reservation_after_time_alone(void **state)
{
	struct job *reserved, *hog;

	(void)state;
	start();
	reserved = add_reserved(1, ENDLESS, 0, 2000, 10000);
	simulate(STEP_US);
	assert_false(schedule_is_due(&cpu.schedule, cpu.now_us)); /* alone: nothing to choose */
	cpu.now_us += SECOND_US + 1230;                           /* ... and nobody asks */
	hog = add(10000, ENDLESS, 0);
	for (unsigned i = 0; i < 10; i++) {
		uint64_t had_us = reserved->had_us;

		simulate(10000);
		assert_in_range(reserved->had_us - had_us, 1900, 2400); /* 300: once, since it had woken */
	}
	assert_in_range(hog->had_us, 79000, 80500);
}

static void test_schedule_host_has_its_reserve(void **state)
{
	struct schedule_group host;
	struct job *program, *reserved;

	(void)state;
	start();
	schedule_group_init(&host, true);
	reserved = add_reserved(1, ENDLESS, 0, 9500, 10000);
	for (unsigned i = 0; i < 5; i++)
		(void)add(10000, ENDLESS, 0);
	program = add_to(&host, 100, 3000);
	simulate(SECOND_US);
	assert_true(program->worst_delay_us <= 10000);
	assert_true(program->had_us >= SECOND_US / 100);
	assert_true(reserved->had_us >= SECOND_US * 95 / 100 - 10000);
}

static void set_windows(bool slack)
{
	struct schedule_cpu rules = {.mode = SCHEDULE_WINDOWS, .window_count = 2, .slack = slack, .frame_ticks = 10000,
				     .epoch_tsc = 5000, .host_budget_ticks = 500, .host_period_ticks = 10000,
				     .windows = {{.start_ticks = 0, .end_ticks = 4000, .index = 0},
						 {.start_ticks = 5000, .end_ticks = 9000, .index = 1}}};

	assert_true(schedule_rules_valid(&rules));
	schedule_set_rules(&cpu.schedule, &rules, cpu.now_us);
}

static struct job *add_windowed(uint64_t windows, uint64_t burst_us, uint64_t wait_us)
{
	struct job *job = add(100, ENDLESS, 0);

	schedule_leave(&cpu.schedule, &job->entity, cpu.now_us);
	job->own.windows = windows;
	job->burst_us = job->left_us = burst_us;
	job->wait_us = wait_us;
	schedule_arrive(&cpu.schedule, &job->entity, cpu.now_us);
	return job;
}

static void test_schedule_windows_belong_to_their_vms(void **state)
{
	struct job *first, *second, *both, *fair;

	(void)state;
	start();
	set_windows(false);
	first = add_windowed(1, ENDLESS, 0);
	second = add_windowed(2, ENDLESS, 0);
	both = add_windowed(3, ENDLESS, 0);
	fair = add(100, ENDLESS, 0);
	simulate(10000);
	first->had_us = second->had_us = both->had_us = 0;
	simulate(SECOND_US);
	assert_in_range(first->had_us, 195000, 205000);
	assert_in_range(second->had_us, 195000, 205000);
	assert_in_range(both->had_us, 395000, 405000);
	assert_int_equal(fair->had_us, 0);
	/* Out of its window it waits by its own rule; in it, for the one that it shares it with. */
	assert_in_range(first->entity.wait_ticks, 590000, 620000);
	assert_in_range(first->entity.steal_ticks, 190000, 215000);
}

static void test_schedule_slack_goes_to_fair_vms(void **state)
{
	struct job *windowed, *fair;

	(void)state;
	start();
	set_windows(true);
	windowed = add_windowed(1, 1000, 1000);
	fair = add(100, ENDLESS, 0);
	simulate(SECOND_US);
	assert_in_range(windowed->had_us, 190000, 310000);
	assert_int_equal(windowed->had_us + fair->had_us, SECOND_US);
	assert_true(windowed->worst_delay_us <= 6000);
}

static void test_schedule_timer_waits_for_the_window(void **state)
{
	struct job *job;

	(void)state;
	start();
	set_windows(false);
	job = add_windowed(2, ENDLESS, 0);
	assert_int_equal(schedule_timer_start(&cpu.schedule, &job->entity, 15000 + 4999), 15000 + 5000);
	assert_int_equal(schedule_timer_start(&cpu.schedule, &job->entity, 15000 + 5000), 15000 + 5000);
	assert_int_equal(schedule_timer_start(&cpu.schedule, &job->entity, 15000 + 8999), 15000 + 8999);
	assert_int_equal(schedule_timer_start(&cpu.schedule, &job->entity, 15000 + 9000), 25000 + 5000);
	assert_true(schedule_timer_start(&cpu.schedule, &job->entity, UINT64_MAX) == UINT64_MAX);
}

static void test_schedule_lone_thread_has_no_deadline(void **state)
{
	struct job *lone;

	(void)state;
	start();
	lone = add(100, ENDLESS, 0);
	choose(SCHEDULE_STAYS_READY);
	assert_ptr_equal(cpu.running, lone);
	assert_true(schedule_deadline(&cpu.schedule) == UINT64_MAX);
	schedule_entity_reserve(&lone->entity, 2000, 10000, cpu.now_us);
	choose(SCHEDULE_STAYS_READY);
	assert_true(schedule_deadline(&cpu.schedule) == UINT64_MAX);
	choose(SCHEDULE_BLOCKS);
	assert_null(cpu.running);
	assert_true(schedule_deadline(&cpu.schedule) == UINT64_MAX);
}

static void test_schedule_rules_that_make_no_sense(void **state)
{
	const struct schedule_cpu good = {
		.mode = SCHEDULE_WINDOWS, .window_count = 2, .frame_ticks = 100, .windows = {{0, 50, 0, 0}, {50, 100, 1, 0}}};
	struct schedule_cpu bad;
	struct schedule_space space = {.weight = 1};

	(void)state;
	assert_true(schedule_rules_valid(&good));
#define BAD(change)                                   \
	do {                                          \
		bad = good;                           \
		change;                               \
		assert_false(schedule_rules_valid(&bad)); \
	} while (0)
	BAD(bad.mode = SCHEDULE_MODE_COUNT);
	BAD(bad.mode = SCHEDULE_FAIR);
	BAD(bad.window_count = 0);
	BAD(bad.window_count = SCHEDULE_WINDOWS_MAX + 1);
	BAD(bad.frame_ticks = 0);
	BAD(bad.frame_ticks = 99);
	BAD(bad.frame_ticks = SCHEDULE_PERIOD_MAX_TICKS + 1);
	BAD(bad.windows[1].start_ticks = 49);
	BAD(bad.windows[0].end_ticks = 0);
	BAD(bad.windows[1].index = 64);
	BAD(bad.slack = 2);
	BAD(bad.host_budget_ticks = 1);
#undef BAD
	assert_true(schedule_space_valid(&space));
	space.weight = 0;
	assert_false(schedule_space_valid(&space));
	space.weight = SCHEDULE_WEIGHT_MAX + 1;
	assert_false(schedule_space_valid(&space));
	space = (struct schedule_space){.weight = 1, .cap_percent = SCHEDULE_CAP_MAX + 1};
	assert_false(schedule_space_valid(&space));
	space = (struct schedule_space){.weight = 1, .vcpus = {[63] = {.cpu = 0, .budget_ticks = 2, .period_ticks = 1}}};
	assert_false(schedule_space_valid(&space));
	space.vcpus[63].period_ticks = 2;
	assert_true(schedule_space_valid(&space));
	space.vcpus[63].cpu = SCHEDULE_CPU_ANY;
	assert_false(schedule_space_valid(&space));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule_hogs_alternate),
		cmocka_unit_test(test_schedule_shares_follow_weights),
		cmocka_unit_test(test_schedule_many_threads_gain_nothing),
		cmocka_unit_test(test_schedule_woken_runs_at_once),
		cmocka_unit_test(test_schedule_wakers_starve_nobody),
		cmocka_unit_test(test_schedule_long_wait_earns_nothing),
		cmocka_unit_test(test_schedule_chain_of_new_threads_gains_nothing),
		cmocka_unit_test(test_schedule_yielding_lets_another_run),
		cmocka_unit_test(test_schedule_cap_is_kept),
		cmocka_unit_test(test_schedule_cap_that_is_overdrawn_is_paid_back),
		cmocka_unit_test(test_schedule_reservation_meets_its_deadlines),
		cmocka_unit_test(test_schedule_reservation_does_not_take_more),
		cmocka_unit_test(test_schedule_grace_is_paid_back),
		cmocka_unit_test(test_schedule_reservation_after_time_alone),
		cmocka_unit_test(test_schedule_host_has_its_reserve),
		cmocka_unit_test(test_schedule_windows_belong_to_their_vms),
		cmocka_unit_test(test_schedule_slack_goes_to_fair_vms),
		cmocka_unit_test(test_schedule_timer_waits_for_the_window),
		cmocka_unit_test(test_schedule_lone_thread_has_no_deadline),
		cmocka_unit_test(test_schedule_rules_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
