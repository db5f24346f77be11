/* Expected values: IA-PC HPET specification 1.0a, "Register Definitions", "Timer n Operation". */
#include "drivers/virt/hpet.h"
#include "tests/unit/unit.h"

enum { CAPABILITIES = 0x00, CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0 };

#define TIMER_CONFIG(n)     (0x100U + (n) * 0x20U)
#define TIMER_COMPARATOR(n) (0x108U + (n) * 0x20U)
#define TIMER_FSB(n)        (0x110U + (n) * 0x20U)
#define ENABLED             0x04U
#define LEVEL_TRIGGERED     0x02U
#define PERIODIC            0x08U
#define VALUE_SET           0x40U
#define ONLY_32_BITS        0x100U
#define ROUTE(pin)          ((pin) << 9)

static struct hpet hpet;
static uint64_t now_ticks;
static bool levels[HPET_OUTPUT_COUNT];
static unsigned rises[HPET_OUTPUT_COUNT];
static bool legacy;

#define OUTPUT(n)                                            \
	static void output_##n(void *ctx, bool level)        \
	{                                                    \
		(void)ctx;                                   \
		assert_int_not_equal(levels[n], level);      \
		levels[n] = level;                           \
		rises[n] += level;                           \
	}
OUTPUT(0)
OUTPUT(1)
OUTPUT(2)
OUTPUT(3)
OUTPUT(4)
OUTPUT(5)

static void set_legacy(void *ctx, bool level)
{
	(void)ctx;
	assert_int_not_equal(legacy, level);
	legacy = level;
}

static int setup(void **state)
{
	const struct hpet_wires wires = {
		.outputs = {{output_0, NULL}, {output_1, NULL}, {output_2, NULL}, {output_3, NULL}, {output_4, NULL},
			    {output_5, NULL}},
		.legacy = {set_legacy, NULL},
	};

	(void)state;
	memset(levels, 0, sizeof(levels));
	memset(rises, 0, sizeof(rises));
	legacy = false;
	now_ticks = 12345;
	hpet_init(&hpet, &wires);
	return 0;
}

static uint64_t in(uint64_t offset, unsigned width)
{
	return hpet_ops.read(&hpet, offset, width, now_ticks * HPET_TICK_NS) & (width < 8 ? (1ULL << width * 8) - 1 : UINT64_MAX);
}

static void out(uint64_t offset, unsigned width, uint64_t value)
{
	hpet_ops.write(&hpet, offset, width, value, now_ticks * HPET_TICK_NS);
}

/* As the machine does it: looks whenever the device asked for it. */
static void pass(uint64_t ticks)
{
	uint64_t end_ns = (now_ticks + ticks) * HPET_TICK_NS;

	hpet_ops.tick(&hpet, now_ticks * HPET_TICK_NS);
	for (uint64_t due_ns = hpet_ops.next_event_ns(&hpet); due_ns <= end_ns; due_ns = hpet_ops.next_event_ns(&hpet)) {
		assert_true(due_ns > now_ticks * HPET_TICK_NS);
		now_ticks = due_ns / HPET_TICK_NS;
		hpet_ops.tick(&hpet, due_ns);
	}
	now_ticks = end_ns / HPET_TICK_NS;
	hpet_ops.tick(&hpet, end_ns);
}

static void test_hpet_says_what_it_can(void **state)
{
	(void)state;
	assert_true(in(CAPABILITIES, 8) == (10000000ULL << 32 | 0x8086a201));
	assert_int_equal(in(CAPABILITIES + 4, 4), 10000000); /* femtoseconds, at most 05F5E100h */
	out(CAPABILITIES, 8, 0);
	assert_int_equal(in(CAPABILITIES, 4), 0x8086a201);
	for (unsigned n = 0; n < 3; n++) {
		assert_true(in(TIMER_CONFIG(n), 8) == (0x00f00000ULL << 32 | 0x30)); /* periodic, 64 bits, no FSB */
		assert_true(in(TIMER_COMPARATOR(n), 8) == UINT64_MAX);
		out(TIMER_FSB(n), 8, UINT64_MAX);
		assert_true(in(TIMER_FSB(n), 8) == 0);
	}
	out(TIMER_CONFIG(3), 8, UINT64_MAX);
	assert_true(in(TIMER_CONFIG(3), 8) == 0);
	assert_true(in(0x3f8, 8) == 0);
}

static void test_hpet_counter_runs_while_enabled(void **state)
{
	(void)state;
	pass(1000);
	assert_true(in(COUNTER, 8) == 0);
	out(COUNTER, 8, 0xfffffff0);
	out(CONFIG, 4, 1);
	pass(0x20);
	assert_true(in(COUNTER, 8) == 0x100000010);
	assert_int_equal(in(COUNTER, 4), 0x10);
	assert_int_equal(in(COUNTER + 4, 4), 1);
	out(COUNTER, 8, 0); /* "only while halted" */
	assert_true(in(COUNTER, 8) == 0x100000010);
	out(CONFIG, 4, 0);
	pass(1000);
	assert_true(in(COUNTER, 8) == 0x100000010);
	out(COUNTER + 4, 4, 0);
	assert_true(in(COUNTER, 8) == 0x10);
	out(CONFIG, 8, UINT64_MAX);
	assert_true(in(CONFIG, 8) == 3);
}

static void test_hpet_one_shot_pulses_once(void **state)
{
	(void)state;
	out(TIMER_CONFIG(1), 4, ENABLED | ROUTE(21U));
	assert_int_equal(in(TIMER_CONFIG(1), 4), 0x30 | ENABLED | ROUTE(21U));
	out(TIMER_COMPARATOR(1), 8, 500);
	out(CONFIG, 4, 1);
	pass(499);
	assert_int_equal(rises[1], 0);
	pass(1);
	assert_int_equal(rises[1], 1);
	assert_false(levels[1]);
	assert_int_equal(in(STATUS, 4), 0); /* edge-triggered */
	pass(1ULL << 40);
	assert_int_equal(rises[1], 1);
	assert_true(in(TIMER_COMPARATOR(1), 8) == 500);
}

static void test_hpet_of_32_bits_matches_once_a_round(void **state)
{
	(void)state;
	out(TIMER_COMPARATOR(2), 8, 0x5000000064);
	out(TIMER_CONFIG(2), 4, ENABLED | ONLY_32_BITS | ROUTE(23U));
	assert_true(in(TIMER_COMPARATOR(2), 8) == 0x64);
	out(TIMER_COMPARATOR(2) + 4, 4, 7);
	assert_true(in(TIMER_COMPARATOR(2), 8) == 0x64);
	out(CONFIG, 4, 1);
	pass(0x64);
	assert_int_equal(rises[3], 1);
	pass(0xffffffff);
	assert_int_equal(rises[3], 1);
	pass(1);
	assert_int_equal(rises[3], 2);
}

/* "Periodic mode": the accumulator by VAL_SET, then the period; the comparator moves on by itself. */
static void test_hpet_periodic_adds_its_period(void **state)
{
	(void)state;
	out(TIMER_CONFIG(0), 4, ENABLED | PERIODIC | VALUE_SET | ROUTE(20U));
	out(TIMER_COMPARATOR(0), 8, 10000);
	assert_int_equal(in(TIMER_CONFIG(0), 4) & VALUE_SET, 0);
	out(TIMER_COMPARATOR(0), 8, 3000);
	assert_true(in(TIMER_COMPARATOR(0), 8) == 10000);
	out(CONFIG, 4, 1);
	pass(9999);
	assert_int_equal(rises[0], 0);
	pass(1);
	assert_int_equal(rises[0], 1);
	assert_true(in(TIMER_COMPARATOR(0), 8) == 13000);
	pass(2999);
	assert_int_equal(rises[0], 1);
	pass(1 + 10 * 3000);
	assert_int_equal(rises[0], 12);
	now_ticks += 3000 * 5 + 1; /* nobody looked: one edge, in step */
	assert_true(in(TIMER_COMPARATOR(0), 8) == 13000 + 3000 * 16);
	assert_int_equal(rises[0], 13);
}

/* One write with VAL_SET sets both. */
static void test_hpet_periodic_with_one_write(void **state)
{
	(void)state;
	out(TIMER_CONFIG(0), 4, ENABLED | PERIODIC | VALUE_SET | ONLY_32_BITS | ROUTE(20U));
	out(TIMER_COMPARATOR(0), 4, 0x80000000);
	out(CONFIG, 4, 1);
	pass(0x80000000);
	assert_int_equal(rises[0], 1);
	assert_int_equal(in(TIMER_COMPARATOR(0), 4), 0);
	pass(0x80000000);
	assert_int_equal(rises[0], 2);
}

static void test_hpet_level_waits_for_its_status(void **state)
{
	(void)state;
	out(TIMER_CONFIG(0), 4, LEVEL_TRIGGERED | ROUTE(22U));
	out(TIMER_COMPARATOR(0), 8, 10);
	out(CONFIG, 4, 1);
	pass(10);
	assert_int_equal(in(STATUS, 4), 1); /* "the timer can still operate", without interrupt */
	assert_false(levels[2]);
	out(TIMER_CONFIG(0), 4, LEVEL_TRIGGERED | ENABLED | ROUTE(22U));
	assert_true(levels[2]);
	out(CONFIG, 4, 0); /* "will not be cleared" */
	assert_true(levels[2]);
	out(STATUS, 4, 2);
	assert_true(levels[2]);
	out(STATUS, 1, 1);
	assert_false(levels[2]);
	assert_int_equal(in(STATUS, 8), 0);
}

static void test_hpet_shares_a_pin(void **state)
{
	(void)state;
	out(TIMER_CONFIG(0), 4, LEVEL_TRIGGERED | ENABLED | ROUTE(22U));
	out(TIMER_CONFIG(1), 4, LEVEL_TRIGGERED | ENABLED | ROUTE(22U));
	out(TIMER_COMPARATOR(0), 8, 10);
	out(TIMER_COMPARATOR(1), 8, 20);
	out(CONFIG, 4, 1);
	pass(20);
	assert_int_equal(in(STATUS, 4), 3);
	out(STATUS, 4, 1);
	assert_true(levels[2]);
	out(TIMER_CONFIG(1), 4, ENABLED | ROUTE(22U)); /* edge-triggered timers have no status */
	assert_false(levels[2]);
	assert_int_equal(in(STATUS, 4), 0);
}

static void test_hpet_legacy_replacement_overrides_routes(void **state)
{
	(void)state;
	out(TIMER_CONFIG(0), 4, ENABLED | ROUTE(20U));
	out(TIMER_CONFIG(1), 4, ENABLED);
	out(TIMER_CONFIG(2), 4, ENABLED | ROUTE(20U));
	for (unsigned n = 0; n < 3; n++)
		out(TIMER_COMPARATOR(n), 8, 100 + n);
	out(CONFIG, 4, 3);
	assert_true(legacy);
	pass(1000);
	assert_int_equal(rises[HPET_OUTPUT_LEGACY_0], 1);
	assert_int_equal(rises[HPET_OUTPUT_LEGACY_1], 1);
	assert_int_equal(rises[0], 1); /* timer 2 */
	out(CONFIG, 4, 1);
	assert_false(legacy);
}

static void test_hpet_keeps_the_route_that_it_has(void **state)
{
	(void)state;
	out(TIMER_CONFIG(0), 4, ENABLED | ROUTE(2U));
	out(TIMER_COMPARATOR(0), 8, 10);
	assert_int_equal(in(TIMER_CONFIG(0), 4) & ROUTE(31U), 0);
	out(CONFIG, 4, 1);
	pass(100);
	for (unsigned output = 0; output < HPET_OUTPUT_COUNT; output++)
		assert_int_equal(rises[output], 0);
	out(TIMER_CONFIG(0), 4, ROUTE(23U));
	out(TIMER_CONFIG(0), 4, ROUTE(24U));
	assert_int_equal(in(TIMER_CONFIG(0), 4) & ROUTE(31U), ROUTE(23U));
}

/* A period of 10 ns: the host is not kept busy with it. */
static void test_hpet_short_periods_do_not_spin(void **state)
{
	(void)state;
	out(TIMER_CONFIG(0), 4, ENABLED | PERIODIC | VALUE_SET | ROUTE(20U));
	out(TIMER_COMPARATOR(0), 8, 1);
	out(CONFIG, 4, 1);
	pass(100000);
	assert_in_range(rises[0], 1, 100000 * HPET_TICK_NS / HPET_LEAST_WAIT_NS);
	out(TIMER_CONFIG(0), 4, PERIODIC | ROUTE(20U));
	assert_true(hpet_ops.next_event_ns(&hpet) == NO_EVENT_NS);
}

static void test_hpet_reset_halts_it(void **state)
{
	(void)state;
	out(TIMER_CONFIG(0), 4, LEVEL_TRIGGERED | ENABLED | ROUTE(22U));
	out(TIMER_COMPARATOR(0), 8, 10);
	out(CONFIG, 4, 3);
	pass(10);
	assert_true(legacy && levels[HPET_OUTPUT_LEGACY_0]);
	hpet_ops.reset(&hpet);
	assert_false(legacy || levels[HPET_OUTPUT_LEGACY_0]);
	assert_true(in(COUNTER, 8) == 0 && in(CONFIG, 8) == 0 && in(STATUS, 8) == 0);
	assert_true(in(TIMER_COMPARATOR(0), 8) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_hpet_says_what_it_can, setup),
		cmocka_unit_test_setup(test_hpet_counter_runs_while_enabled, setup),
		cmocka_unit_test_setup(test_hpet_one_shot_pulses_once, setup),
		cmocka_unit_test_setup(test_hpet_of_32_bits_matches_once_a_round, setup),
		cmocka_unit_test_setup(test_hpet_periodic_adds_its_period, setup),
		cmocka_unit_test_setup(test_hpet_periodic_with_one_write, setup),
		cmocka_unit_test_setup(test_hpet_level_waits_for_its_status, setup),
		cmocka_unit_test_setup(test_hpet_shares_a_pin, setup),
		cmocka_unit_test_setup(test_hpet_legacy_replacement_overrides_routes, setup),
		cmocka_unit_test_setup(test_hpet_keeps_the_route_that_it_has, setup),
		cmocka_unit_test_setup(test_hpet_short_periods_do_not_spin, setup),
		cmocka_unit_test_setup(test_hpet_reset_halts_it, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
