/* vmx/vmx_report: each obstacle in words, the most basic one first. */
#include "tests/unit/unit.h"

#include "vmx/vmx_report.h"

static const struct vmx_capabilities nothing;

static void expect(struct vmx_obstacles obstacles, const char *words)
{
	char out[2048];
	size_t length = vmx_report_obstacles(&obstacles, &nothing, out, sizeof(out));

	assert_int_equal(strlen(out), length);
	assert_int_equal(strncmp(out, words, strlen(words)), 0);
}

static void test_vmx_report_names_the_first_obstacle(void **state)
{
	(void)state;
	expect((struct vmx_obstacles){.without_vmx = 2, .locked_off = 1, .failed = 1},
	       "E401 Intel VT-x is missing on 2 CPUs; Bulkhead cannot run VMs without it\n");
	expect((struct vmx_obstacles){.locked_off = 1, .failed = 1},
	       "E402 VT-x is locked off by the firmware on 1 CPU; switch on ");
	expect((struct vmx_obstacles){.failed = 1}, "E403 VMXON failed on 1 CPU; something else may hold VT-x on this PC\n");
}

static void test_vmx_report_lists_all_that_is_missing(void **state)
{
	char out[2048];
	const struct vmx_obstacles none = {.failed = 0};

	(void)state;
	(void)vmx_report_obstacles(&none, &nothing, out, sizeof(out));
	assert_non_null(strstr(out, "E404 this processor's VT-x lacks: extended page tables (EPT)\n"));
	assert_non_null(strstr(out, "E404 this processor's VT-x lacks: unrestricted guest\n"));
}

static void test_vmx_report_is_bounded(void **state)
{
	char out[16];
	const struct vmx_obstacles none = {.failed = 0};

	(void)state;
	(void)vmx_report_obstacles(&none, &nothing, out, sizeof(out));
	assert_true(strnlen(out, sizeof(out)) < sizeof(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmx_report_names_the_first_obstacle),
		cmocka_unit_test(test_vmx_report_lists_all_that_is_missing),
		cmocka_unit_test(test_vmx_report_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
