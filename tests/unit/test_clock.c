/* user/clock: ticks and nanoseconds, exact over the whole range of both. */
#include "tests/unit/unit.h"

#include "user/clock.h"

static void test_clock_converts_exactly(void **state)
{
	(void)state;
	assert_int_equal(time_ns(0, 200000000), 0);
	assert_int_equal(time_ns(1, 200000000), 5);
	assert_int_equal(time_ns(2315017000, 2315017000), NS_PER_SECOND);
	assert_int_equal(time_ticks(NS_PER_SECOND, 2315017000), 2315017000);
	assert_int_equal(time_ticks(1, 3000000000), 3);
}

static void test_clock_does_not_overflow_in_centuries(void **state)
{
	const uint64_t century_seconds = 100ULL * 366 * 86400;
	const uint64_t tsc_hz = 5000000000;

	(void)state;
	assert_int_equal(time_ns(3600 * tsc_hz + tsc_hz - 1, tsc_hz), 3600 * NS_PER_SECOND + 999999999);
	assert_int_equal(time_ticks(century_seconds * NS_PER_SECOND + 999999999, tsc_hz),
			 century_seconds * tsc_hz + 4999999995);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_converts_exactly),
		cmocka_unit_test(test_clock_does_not_overflow_in_centuries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
