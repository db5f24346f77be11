/* The table of exit reasons is total, and asks for the instruction length only where the manual defines it. */
#include "tests/unit/unit.h"
#include "vmx/access_decode.h"
#include "vmx/cr_access.h"
#include "vmx/exit.h"
#include "lib/x86/fault_combine.h"
#include "vmx/inject.h"

#define FAKE(name)                                                                         \
	enum exit_verdict name(struct vcpu *vcpu, const struct exit_info *info)            \
	{                                                                                  \
		(void)vcpu;                                                                \
		(void)info;                                                                \
		return EXIT_STOP;                                                          \
	}
FAKE(exit_exception)
FAKE(exit_external_interrupt)
FAKE(exit_window)
FAKE(exit_virtualized_eoi)
FAKE(exit_apic_write)
FAKE(exit_cpuid)
FAKE(exit_hlt)
FAKE(exit_nothing)
FAKE(exit_pause)
FAKE(exit_rdmsr)
FAKE(exit_rdpmc)
FAKE(exit_undefined)
FAKE(exit_vmcall)
FAKE(exit_wrmsr)
FAKE(exit_xsetbv)
FAKE(exit_cr_access)
FAKE(exit_apic_access)
FAKE(exit_ept_violation)
FAKE(exit_io)
FAKE(exit_task_switch)
FAKE(exit_triple_fault)
FAKE(exit_unexpected)

static void test_exit_row_exists_for_every_number(void **state)
{
	unsigned named = 0;

	(void)state;
	for (uint32_t reason = 0; reason < 65536; reason++) {
		const struct exit_row *row = exit_row(reason);

		assert_non_null(row);
		assert_non_null(row->name);
		assert_true(row->handle != NULL);
		if (reason >= EXIT_REASON_ROWS)
			assert_true(row->handle == exit_unexpected);
		named += row->handle != exit_unexpected ? 1 : 0;
	}
	assert_in_range(named, 30, 60);
	assert_true(exit_row(UINT32_MAX)->handle == exit_unexpected);
}

static void test_exit_row_denies_what_is_switched_off(void **state)
{
	static const uint32_t off[] = {3, 4, 5, 6, 14, 16, 29, 37, 43, 46, 47, 49, 51, 52, 57, 58, 61, 62, 63, 64};

	(void)state;
	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		assert_true(exit_row(off[i])->handle == exit_unexpected);
}

/* SDM Vol. 3C, "Information for VM Exits Due to Instruction Execution": the reasons that define the VM-exit instruction length. */
static void test_exit_length_only_where_it_is_defined(void **state)
{
	(void)state;
	for (uint32_t reason = 0; reason < EXIT_REASON_ROWS; reason++) {
		bool defined = (reason >= 9 && reason <= 28) || (reason >= 30 && reason <= 32) || reason == 36 || reason == 39 ||
			       reason == 40 || (reason >= 46 && reason <= 47) ||
			       (reason >= 50 && reason <= 60 && reason != 52 && reason != 56) ||
			       reason == EXIT_REASON_APIC_ACCESS; /* the named exception: see test_exit_access */

		if ((exit_row(reason)->needs & EXIT_NEEDS_LENGTH) != 0)
			assert_true(defined);
	}
	assert_int_equal(exit_row(EXIT_REASON_EPT_VIOLATION)->needs & EXIT_NEEDS_LENGTH, 0);
}

/* A spinning vCPU gives way, and steps over its PAUSE. */
static void test_exit_pause_has_its_handler_and_length(void **state)
{
	(void)state;
	assert_true(exit_row(EXIT_REASON_PAUSE)->handle == exit_pause);
	assert_int_equal(exit_row(EXIT_REASON_PAUSE)->needs, EXIT_NEEDS_LENGTH);
}

/* Events that an exit broke off are injected again: these reasons can break one off. */
static void test_exit_vectoring_is_read_where_delivery_can_break_off(void **state)
{
	static const uint32_t reasons[] = {0, 9, 44, 48, 49};

	(void)state;
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		assert_int_equal(exit_row(reasons[i])->needs & EXIT_NEEDS_VECTORING, EXIT_NEEDS_VECTORING);
}

static void test_cr_access_decode_fields(void **state)
{
	struct cr_access access = cr_access_decode(0xf00 | 0x10 | 8);

	(void)state;
	assert_int_equal(access.cr, 8);
	assert_int_equal(access.kind, CR_ACCESS_FROM);
	assert_int_equal(access.gpr, 15);
	access = cr_access_decode(0x12340030);
	assert_int_equal(access.kind, CR_ACCESS_LMSW);
	assert_int_equal(access.lmsw_source, 0x1234);
}

static void test_port_access_decode_fields(void **state)
{
	struct port_access access = port_access_decode(0x03f80000);

	(void)state;
	assert_int_equal(access.port, 0x3f8);
	assert_int_equal(access.width_bytes, 1);
	assert_false(access.is_in || access.is_string || access.has_rep);
	access = port_access_decode(0x0cfc003b);
	assert_int_equal(access.port, 0xcfc);
	assert_int_equal(access.width_bytes, 4);
	assert_true(access.is_in && access.is_string && access.has_rep);
}

/* SDM Vol. 3A, "Conditions for Generating a Double Fault". */
static void test_fault_combine_rules(void **state)
{
	static const uint8_t contributory[] = {0, 10, 11, 12, 13, 21}, benign[] = {1, 3, 4, 5, 6, 7, 16, 17, 19};

	(void)state;
	for (size_t i = 0; i < sizeof(contributory); i++) {
		for (size_t j = 0; j < sizeof(contributory); j++)
			assert_int_equal(fault_combine(contributory[i], contributory[j]), FAULT_DOUBLE);
		assert_int_equal(fault_combine(14, contributory[i]), FAULT_DOUBLE);
		assert_int_equal(fault_combine(contributory[i], 14), FAULT_SERIAL);
		assert_int_equal(fault_combine(8, contributory[i]), FAULT_TRIPLE);
		for (size_t j = 0; j < sizeof(benign); j++) {
			assert_int_equal(fault_combine(benign[j], contributory[i]), FAULT_SERIAL);
			assert_int_equal(fault_combine(contributory[i], benign[j]), FAULT_SERIAL);
		}
	}
	assert_int_equal(fault_combine(14, 14), FAULT_DOUBLE);
	assert_int_equal(fault_combine(8, 14), FAULT_TRIPLE);
	assert_int_equal(fault_combine(8, 1), FAULT_SERIAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_row_exists_for_every_number),
		cmocka_unit_test(test_exit_row_denies_what_is_switched_off),
		cmocka_unit_test(test_exit_length_only_where_it_is_defined),
		cmocka_unit_test(test_exit_pause_has_its_handler_and_length),
		cmocka_unit_test(test_exit_vectoring_is_read_where_delivery_can_break_off),
		cmocka_unit_test(test_cr_access_decode_fields),
		cmocka_unit_test(test_port_access_decode_fields),
		cmocka_unit_test(test_fault_combine_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
