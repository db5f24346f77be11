/* boot/common/tsc: what the user reads where the frequency of the time stamp counter is in doubt. */
#include "tests/unit/unit.h"

#include "boot/common/tsc.h"
#include "tests/fake/boot_screen.h"

#define MHZ 1000000ULL

static void test_tsc_contradiction_is_told_and_cpuid_believed(void **state)
{
	const struct clock_evidence evidence = {
		.numerator = 100, .denominator = 1, .crystal_hz = 24 * MHZ, .measured_hz = 2500 * MHZ};

	(void)state;
	boot_screen_text[0] = '\0';
	assert_int_equal(tsc_decide(&evidence, "the 8254"), 2400 * MHZ);
	assert_non_null(strstr(boot_screen_text, "E515: the time stamp counter: CPUID says 2400000 kHz, the 8254 2500000 kHz"));
}

static void test_tsc_without_any_source_is_told(void **state)
{
	const struct clock_evidence evidence = {.measured_hz = 0};

	(void)state;
	boot_screen_text[0] = '\0';
	assert_int_equal(tsc_decide(&evidence, "the 8254"), 1000 * MHZ);
	assert_non_null(strstr(boot_screen_text, "E515: no source for the time stamp counter's frequency; 1000000 kHz is assumed"));
}

static void test_tsc_that_is_certain_is_not_told(void **state)
{
	const struct clock_evidence evidence = {.measured_hz = 3000 * MHZ};

	(void)state;
	boot_screen_text[0] = '\0';
	assert_int_equal(tsc_decide(&evidence, "the PM timer"), 3000 * MHZ);
	assert_string_equal(boot_screen_text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tsc_contradiction_is_told_and_cpuid_believed),
		cmocka_unit_test(test_tsc_without_any_source_is_told),
		cmocka_unit_test(test_tsc_that_is_certain_is_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
