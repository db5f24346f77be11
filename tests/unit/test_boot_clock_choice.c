/* boot/common/clock_choice: processors as they are, timers as they err. Frequencies of the i7-6700K and others: their CPUID
 * leaves. */
#include "tests/unit/unit.h"

#include "boot/common/clock_choice.h"

#define MHZ 1000000ULL

static struct clock_choice choose(uint32_t numerator, uint32_t denominator, uint64_t crystal_hz, uint64_t base_hz,
				  uint64_t measured_hz)
{
	const struct clock_evidence evidence = {
		.numerator = numerator,
		.denominator = denominator,
		.crystal_hz = crystal_hz,
		.base_hz = base_hz,
		.measured_hz = measured_hz,
	};

	return clock_choose(&evidence);
}

static void test_clock_choice_believes_a_crystal_that_is_named(void **state)
{
	struct clock_choice choice = choose(72, 2, 38400000, 1400 * MHZ, 1382 * MHZ);

	(void)state;
	assert_int_equal(choice.hz, 38400000ULL * 36);
	assert_false(choice.measured_otherwise);
	choice = choose(72, 2, 38400000, 1400 * MHZ, 1500 * MHZ);
	assert_int_equal(choice.hz, 38400000ULL * 36);
	assert_true(choice.measured_otherwise);
}

/* 334 / 2 of 24 MHz is 4008 MHz, and CPUID 16H says 4000. */
static void test_clock_choice_finds_the_crystal_by_measuring(void **state)
{
	(void)state;
	assert_int_equal(choose(334, 2, 0, 4000 * MHZ, 4008 * MHZ + 60000).hz, 4008 * MHZ);
	assert_int_equal(choose(334, 2, 0, 4000 * MHZ, 4000 * MHZ).hz, 4008 * MHZ);
	assert_int_equal(choose(168, 2, 0, 2100 * MHZ, 2100 * MHZ + 90000).hz, 2100 * MHZ); /* Xeon: 25 MHz */
	assert_int_equal(choose(334, 2, 0, 4000 * MHZ, 3000 * MHZ).hz, 3000 * MHZ);          /* none fits */
}

static void test_clock_choice_without_a_ratio_measures(void **state)
{
	struct clock_choice choice = choose(0, 0, 0, 0, 2394 * MHZ);

	(void)state;
	assert_int_equal(choice.hz, 2394 * MHZ);
	choice = choose(0, 0, 0, 200 * MHZ, 200 * MHZ - 50000);
	assert_int_equal(choice.hz, 200 * MHZ);
	choice = choose(0, 0, 0, 2400 * MHZ, 2394 * MHZ);
	assert_int_equal(choice.hz, 2394 * MHZ);
}

static void test_clock_choice_without_any_timer(void **state)
{
	(void)state;
	assert_int_equal(choose(334, 2, 0, 4000 * MHZ, 0).hz, 4000 * MHZ);
	assert_int_equal(choose(0, 0, 0, 0, 0).hz, 0);
	assert_false(choose(0, 0, 0, 0, 0).measured_otherwise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_choice_believes_a_crystal_that_is_named),
		cmocka_unit_test(test_clock_choice_finds_the_crystal_by_measuring),
		cmocka_unit_test(test_clock_choice_without_a_ratio_measures),
		cmocka_unit_test(test_clock_choice_without_any_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
