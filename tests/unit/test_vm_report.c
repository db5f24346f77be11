/* manager/vm_report: hostile reports, and the lines that users read. */
#include "tests/unit/unit.h"

#include "manager/vm_report.h"

static void test_vm_report_copy_makes_hostile_reports_sane(void **state)
{
	struct vmm_report shared, copy;

	(void)state;
	memset(&shared, 0xff, sizeof(shared));
	vm_report_copy(&shared, &copy);
	assert_in_range(copy.state, 0, VMM_STATE_COUNT - 1);
	assert_in_range(copy.stop_reason, 0, VCPU_STOP_REASON_COUNT - 1);
	assert_int_equal(copy.text[sizeof(copy.text) - 1], '\0');
	for (size_t i = 0; i < sizeof(copy.text) - 1; i++)
		assert_int_equal(copy.text[i], '?');
}

static void test_vm_report_copy_keeps_what_is_right(void **state)
{
	const struct vmm_report shared = {
		.state = VMM_STOPPED,
		.stop_reason = VCPU_STOP_TRIPLE_FAULT,
		.detail = {1, 2, 3, 4},
		.rip = 5,
		.text = "a text",
	};
	struct vmm_report copy;

	(void)state;
	vm_report_copy(&shared, &copy);
	assert_memory_equal(&shared, &copy, sizeof(copy));
}

static void assert_line(const struct vm_end *end, const char *expected)
{
	char line[512];
	size_t length = vm_end_line("web", end, line, sizeof(line));

	assert_string_equal(line, expected);
	assert_int_equal(length, strlen(expected));
}

static void test_vm_report_line_of_a_guest_that_powered_off_has_no_code(void **state)
{
	const struct vmm_report report = {.state = VMM_STOPPED, .stop_reason = VCPU_STOP_POWER_OFF};
	const struct space_status space = {.state = SPACE_EXITED};
	struct vm_end end = vm_end_from(&space, &report);

	(void)state;
	assert_line(&end, "web: stopped: the guest powered off");
}

static void test_vm_report_tells_the_whole_exit_code(void **state)
{
	const struct vmm_report report = {.state = VMM_STOPPED, .stop_reason = VCPU_STOP_EXIT_CODE, .exit_code = 0x1ffffffffULL};
	const struct space_status space = {.state = SPACE_EXITED};
	struct vm_end end = vm_end_from(&space, &report);
	char brief[96];

	(void)state;
	assert_line(&end, "web: stopped: the guest ended with exit code 8589934591");
	vm_end_brief(&end, brief, sizeof(brief));
	assert_string_equal(brief, "the guest ended with exit code 8589934591");
}

static void test_vm_report_line_of_a_failure_has_code_numbers_and_remedy(void **state)
{
	const struct vmm_report report = {
		.state = VMM_STOPPED,
		.stop_reason = VCPU_STOP_TRIPLE_FAULT,
		.rip = 0x1000,
		.detail = {2, 0, 0, 0xab},
	};
	const struct space_status space = {.state = SPACE_EXITED};
	struct vm_end end = vm_end_from(&space, &report);

	(void)state;
	assert_line(&end, "E301 web: stopped: triple fault: the guest could not deliver a double fault (rip 0x1000; 2 0 0 "
			  "ab); the guest's own fault: its last output says more");
}

static void test_vm_report_line_of_each_failure_has_its_code(void **state)
{
	static const struct { enum vcpu_stop_reason reason; const char *line; } cases[] = {
		{VCPU_STOP_NONE, "E305 web: stopped: not stopped (rip 0x1000; 0 0 0 0); a defect of Bulkhead: report "
			"it with the log"},
		{VCPU_STOP_ENTRY_FAILED, "E302 web: stopped: VM entry failed: guest state is not allowed by the CPU "
			"(rip 0x1000; 0 0 0 0); a defect of Bulkhead: report it with the log"},
		{VCPU_STOP_UNEXPECTED_EXIT, "E303 web: stopped: VM exit that this version does not expect (rip "
			"0x1000; 0 0 0 0); report it with the log"},
		{VCPU_STOP_BAD_REPLY, "E304 web: stopped: the VMM answered an exit wrongly (rip 0x1000; 0 0 0 0); a "
			"defect of Bulkhead: report it with the log"},
		{VCPU_STOP_UNKNOWN_INSTRUCTION, "E306 web: stopped: instruction on device memory that this version "
			"does not emulate (rip 0x1000; 0 0 0 0); report it with the log and the guest's version"},
		{VCPU_STOP_FETCH_OUTSIDE_MEMORY, "E307 web: stopped: the guest jumped to an address without memory "
			"(rip 0x1000; 0 0 0 0); the guest's own fault: its last output says more"},
		{VCPU_STOP_OUT_OF_MEMORY, "E312 web: stopped: no memory left for the VM's own page tables (rip "
			"0x1000; 0 0 0 0); lower the memory of other VMs in bulkhead.toml"},
		{VCPU_STOP_TABLE_OUTSIDE_MEMORY, "E314 web: stopped: the guest's stack, descriptor table or page "
			"table is not in memory (rip 0x1000; 0 0 0 0); the guest's own fault: its last output says more"},
		{VCPU_STOP_EVENT_NOT_EMULATED, "E315 web: stopped: delivery of an event, or task switch, that this "
			"version does not emulate (rip 0x1000; 0 0 0 0); report it with the log and the guest's version"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct vm_end end = {.reason = cases[i].reason, .rip = 0x1000};

		assert_line(&end, cases[i].line);
	}
}

static void test_vm_report_of_a_vmm_that_faulted(void **state)
{
	const struct vmm_report report = {.state = VMM_RUNNING, .text = "lies"};
	const struct space_status space = {
		.state = SPACE_FAULTED,
		.exception = 14,
		.rip = 0x400123,
		.fault_address = 0x8,
		.error_code = 4,
	};
	struct vm_end end = vm_end_from(&space, &report);

	(void)state;
	assert_int_equal(end.reason, VCPU_STOP_VMM_FAULT);
	assert_line(&end, "E305 web: stopped: the VMM itself failed: exception 14 in its VMM, address 0x8, error code 0x4 (rip "
			  "0x400123; 0 0 0 0); a defect of Bulkhead: report it with the log");
}

static void test_vm_report_of_a_vmm_that_went_without_a_word(void **state)
{
	const struct vmm_report report = {.state = VMM_STARTING};
	const struct space_status space = {.state = SPACE_EXITED, .exit_code = 3};

	(void)state;
	assert_int_equal(vm_end_from(&space, &report).reason, VCPU_STOP_VMM_FAULT);
}

static void test_vm_report_of_a_refused_vm_is_its_own_text(void **state)
{
	const struct vmm_report report = {.state = VMM_REFUSED, .text = "E211 web: linux/vmlinuz: too short"};
	const struct space_status space = {.state = SPACE_EXITED};
	struct vm_end end = vm_end_from(&space, &report);
	char brief[96];

	(void)state;
	assert_true(end.refused);
	assert_line(&end, "E211 web: linux/vmlinuz: too short");
	vm_end_brief(&end, brief, sizeof(brief));
	assert_string_equal(brief, "E211 refused; `log` says why");
}

static void test_vm_report_brief_has_code_and_words(void **state)
{
	const struct vm_end failed = {.reason = VCPU_STOP_HALTED_FOREVER, .text = "long"};
	const struct vm_end wished = {.reason = VCPU_STOP_POWER_OFF};
	char brief[96];

	(void)state;
	vm_end_brief(&failed, brief, sizeof(brief));
	assert_string_equal(brief, "E308 the guest halted with interrupts off");
	vm_end_brief(&wished, brief, sizeof(brief));
	assert_string_equal(brief, "the guest powered off");
}

static void test_vm_report_every_reason_and_status_has_words(void **state)
{
	char line[512];

	(void)state;
	for (unsigned reason = 0; reason < VCPU_STOP_REASON_COUNT; reason++) {
		const struct vm_end end = {.reason = reason};

		assert_true(vm_end_line("web", &end, line, sizeof(line)) > 10);
		assert_null(strstr(line, "(null)"));
	}
	for (unsigned status = 0; status < STATUS_COUNT; status++)
		assert_non_null(status_words(status));
	assert_non_null(status_words(STATUS_COUNT + 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vm_report_copy_makes_hostile_reports_sane),
		cmocka_unit_test(test_vm_report_copy_keeps_what_is_right),
		cmocka_unit_test(test_vm_report_line_of_a_guest_that_powered_off_has_no_code),
		cmocka_unit_test(test_vm_report_tells_the_whole_exit_code),
		cmocka_unit_test(test_vm_report_line_of_a_failure_has_code_numbers_and_remedy),
		cmocka_unit_test(test_vm_report_line_of_each_failure_has_its_code),
		cmocka_unit_test(test_vm_report_of_a_vmm_that_faulted),
		cmocka_unit_test(test_vm_report_of_a_vmm_that_went_without_a_word),
		cmocka_unit_test(test_vm_report_of_a_refused_vm_is_its_own_text),
		cmocka_unit_test(test_vm_report_brief_has_code_and_words),
		cmocka_unit_test(test_vm_report_every_reason_and_status_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
