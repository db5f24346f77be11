/* kernel/schedule/: who runs next: shares, caps, reservations. Windows: test_kernel_schedule_windows.c; long runs and several CPUs:
 * tests/simulator/. One file because all of it is about one CPU's choice. */
#include "tests/unit/schedule_cpu.h"

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
/* Its turn ends for others who come later, though its cap alone would let it go on. */
static void test_schedule_cap_is_no_turn(void **state)
{
	struct job *capped, *other;

	(void)state;
	start();
	capped = add(100, ENDLESS, 0);
	capped->own.cap_percent = 198;
	simulate(20 * SLICE_US);
	other = add(100, ENDLESS, 0);
	simulate(20 * SLICE_US);
	assert_in_range(other->had_us, 8 * SLICE_US, 12 * SLICE_US);
}

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

/* 2 ms of its 5 by its reservation, the rest by its share; and a minute alone leaves no debt behind. */
static void test_schedule_cap_holds_for_a_reservation_alone(void **state)
{
	struct job *capped, *hog;

	(void)state;
	start();
	capped = add_reserved(100, ENDLESS, 0, 2000, 10000);
	capped->own.cap_percent = 50;
	simulate(SECOND_US / 100);
	capped->had_us = 0;
	simulate(SECOND_US);
	assert_in_range(capped->had_us, SECOND_US / 2 - 5000, SECOND_US / 2 + 5000);
	hog = add(100, ENDLESS, 0);
	capped->had_us = 0;
	simulate(SECOND_US);
	assert_in_range(capped->had_us, SECOND_US / 2 - 10000, SECOND_US / 2 + 10000);
	assert_in_range(hog->had_us, SECOND_US / 2 - 10000, SECOND_US / 2 + 10000);
}

/* Nobody looked for 20 periods, in which it ran: 20 quotas come off the debt. */
static void test_schedule_cap_counts_periods_nobody_looked_at(void **state)
{
	struct job *capped;

	(void)state;
	start();
	capped = add(100, ENDLESS, 0);
	capped->own.cap_percent = 50;
	simulate(SECOND_US / 100);
	cpu.now_us += 20 * 10000;
	capped->had_us = 0;
	simulate(2 * SECOND_US);
	assert_in_range(capped->had_us, SECOND_US - 110000, SECOND_US - 90000); /* 100 ms too much before */
}

/* All reservations and the host's budget are used: the host's programs share that budget. */
static void test_schedule_host_budget_is_shared(void **state)
{
	struct schedule_group host;
	struct job *programs[3];

	(void)state;
	start();
	schedule_group_init(&host, true);
	(void)add_reserved(1, ENDLESS, 0, 9500, 10000);
	for (unsigned i = 0; i < 3; i++)
		programs[i] = add_to(&host, ENDLESS, 0);
	simulate(SECOND_US);
	for (unsigned i = 0; i < 3; i++)
		assert_in_range(programs[i]->had_us, SECOND_US / 60 - 3000, SECOND_US / 60 + 3000);
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
		cmocka_unit_test(test_schedule_cap_is_no_turn),
		cmocka_unit_test(test_schedule_cap_that_is_overdrawn_is_paid_back),
		cmocka_unit_test(test_schedule_cap_holds_for_a_reservation_alone),
		cmocka_unit_test(test_schedule_cap_counts_periods_nobody_looked_at),
		cmocka_unit_test(test_schedule_host_budget_is_shared),
		cmocka_unit_test(test_schedule_reservation_meets_its_deadlines),
		cmocka_unit_test(test_schedule_reservation_does_not_take_more),
		cmocka_unit_test(test_schedule_grace_is_paid_back),
		cmocka_unit_test(test_schedule_reservation_after_time_alone),
		cmocka_unit_test(test_schedule_host_has_its_reserve),
		cmocka_unit_test(test_schedule_lone_thread_has_no_deadline),
		cmocka_unit_test(test_schedule_rules_that_make_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
