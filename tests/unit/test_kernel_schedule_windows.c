/* kernel/schedule/windows.c: which VMs run in which part of a frame. */
#include "tests/unit/schedule_cpu.h"

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

/* Two sets of windows share one that is little longer than a turn. */
static void test_schedule_short_window_is_shared(void **state)
{
	struct schedule_cpu rules = {.mode = SCHEDULE_WINDOWS, .window_count = 1, .frame_ticks = 5000,
				     .windows = {{.start_ticks = 0, .end_ticks = SLICE_US * 6 / 5, .index = 0}}};
	struct job *one, *two;

	(void)state;
	start();
	schedule_set_rules(&cpu.schedule, &rules, cpu.now_us);
	one = add_windowed(1, ENDLESS, 0);
	two = add_windowed(3, ENDLESS, 0);
	simulate(SECOND_US);
	assert_in_range(one->had_us, 115000, 125000);
	assert_in_range(two->had_us, 115000, 125000);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schedule_windows_belong_to_their_vms),
		cmocka_unit_test(test_schedule_short_window_is_shared),
		cmocka_unit_test(test_schedule_slack_goes_to_fair_vms),
		cmocka_unit_test(test_schedule_timer_waits_for_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
