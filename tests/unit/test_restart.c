/* manager/restart: each policy, the growing pause, and what ends a row of failures. */
#include "tests/unit/unit.h"

#include "manager/restart.h"

static void test_restart_never_holds_for_every_reason(void **state)
{
	(void)state;
	for (unsigned reason = 0; reason < VCPU_STOP_REASON_COUNT; reason++)
		assert_false(restart_decide(MANIFEST_RESTART_NEVER, reason, 0, 0).again);
}

static void test_restart_respects_the_users_stop(void **state)
{
	(void)state;
	assert_false(restart_decide(MANIFEST_RESTART_ALWAYS, VCPU_STOP_STOPPED, 0, 0).again);
	assert_false(restart_decide(MANIFEST_RESTART_ON_FAILURE, VCPU_STOP_STOPPED, 0, 0).again);
}

static void test_restart_on_failure_leaves_a_powered_off_vm(void **state)
{
	(void)state;
	assert_false(restart_decide(MANIFEST_RESTART_ON_FAILURE, VCPU_STOP_POWER_OFF, 0, 0).again);
	assert_true(restart_decide(MANIFEST_RESTART_ALWAYS, VCPU_STOP_POWER_OFF, 0, 0).again);
	assert_true(restart_decide(MANIFEST_RESTART_ON_FAILURE, VCPU_STOP_TRIPLE_FAULT, 0, 0).again);
}

static void test_restart_takes_an_exit_code_as_a_power_off(void **state)
{
	(void)state;
	assert_false(restart_decide(MANIFEST_RESTART_ON_FAILURE, VCPU_STOP_EXIT_CODE, 0, 0).again);
	assert_true(restart_decide(MANIFEST_RESTART_ALWAYS, VCPU_STOP_EXIT_CODE, 0, 0).again);
	assert_true(stop_was_wished(VCPU_STOP_EXIT_CODE));
}

static void test_restart_resets_at_once(void **state)
{
	struct restart_decision decision = restart_decide(MANIFEST_RESTART_ON_FAILURE, VCPU_STOP_RESET, 5, 0);

	(void)state;
	assert_true(decision.again);
	assert_int_equal(decision.delay_ms, 0);
}

static void test_restart_pauses_longer_up_to_a_bound(void **state)
{
	static const uint64_t expected_ms[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
	uint32_t failures = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(expected_ms) / sizeof(expected_ms[0]); i++) {
		struct restart_decision decision =
			restart_decide(MANIFEST_RESTART_ON_FAILURE, VCPU_STOP_TRIPLE_FAULT, 10, failures);

		assert_int_equal(decision.delay_ms, expected_ms[i]);
		failures = decision.failures_in_row;
	}
	assert_int_equal(restart_decide(MANIFEST_RESTART_ALWAYS, VCPU_STOP_RESET, 10, UINT32_MAX - 1).delay_ms, 60000);
}

static void test_restart_forgets_failures_of_a_vm_that_ran_long(void **state)
{
	struct restart_decision decision =
		restart_decide(MANIFEST_RESTART_ON_FAILURE, VCPU_STOP_TRIPLE_FAULT, RESTART_STEADY_MS, 7);

	(void)state;
	assert_int_equal(decision.delay_ms, RESTART_FIRST_DELAY_MS);
	assert_int_equal(decision.failures_in_row, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_restart_never_holds_for_every_reason),
		cmocka_unit_test(test_restart_respects_the_users_stop),
		cmocka_unit_test(test_restart_on_failure_leaves_a_powered_off_vm),
		cmocka_unit_test(test_restart_takes_an_exit_code_as_a_power_off),
		cmocka_unit_test(test_restart_resets_at_once),
		cmocka_unit_test(test_restart_pauses_longer_up_to_a_bound),
		cmocka_unit_test(test_restart_forgets_failures_of_a_vm_that_ran_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
