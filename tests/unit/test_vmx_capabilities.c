/* Arithmetic of VMX capabilities. Values from a Skylake-X: SDM Vol. 3D, "VMX Capability Reporting Facility" says how to read them.
 */
#include "tests/unit/unit.h"
#include "virt/hv.h"
#include "vmx/vmx_capabilities.h"
#include "vmx/vmx_controls.h"

static struct vmx_capabilities skylake(void)
{
	return (struct vmx_capabilities){
		.has_vmx = true,
		.controls = {[VMX_PIN] = {0x16, 0xff},
			     [VMX_PRIMARY] = {0x04006172, 0xfff9fffe},
			     [VMX_SECONDARY] = {0, 0x035fffff},
			     [VMX_EXIT] = {0x00036dfb, 0x01ffffff},
			     [VMX_ENTRY] = {0x000011fb, 0x0003ffff}},
		.ept_vpid = 0xf0106734141ULL,
	};
}

static unsigned missing_count(const struct vmx_capabilities *capabilities, const char *expected)
{
	unsigned count = 0;
	bool end = false, found = expected == NULL;

	for (unsigned i = 0; !end; i++) {
		const char *words = vmx_requirement_missing(capabilities, i, &end);

		count += words != NULL ? 1 : 0;
		found = found || (words != NULL && strstr(words, expected) != NULL);
	}
	assert_true(found);
	return count;
}

static void test_vmx_allowed_halves(void **state)
{
	struct vmx_allowed allowed = vmx_allowed_from_msr(0xfff9fffe04006172ULL);

	(void)state;
	assert_int_equal(allowed.must_be_1, 0x04006172);
	assert_int_equal(allowed.may_be_1, 0xfff9fffe);
}

static void test_vmx_controls_choose_adds_what_must_and_may_be(void **state)
{
	uint32_t out = 7;

	(void)state;
	assert_int_equal(vmx_controls_choose((struct vmx_allowed){0x1, 0x1f}, 0x2, 0xf0, &out), OK);
	assert_int_equal(out, 0x13);
	assert_int_equal(vmx_controls_choose((struct vmx_allowed){0x1, 0x1f}, 0x20, 0, &out), ERR_UNSUPPORTED);
	assert_int_equal(out, 0x13);
}

static void test_vmx_pause_exits_by_loops_where_the_cpu_can(void **state)
{
	struct vmx_capabilities capabilities = skylake();
	uint32_t primary = 1, secondary = 2;

	(void)state;
	vmx_want_pause_exits(&capabilities, true, &primary, &secondary);
	assert_int_equal(primary, 1);
	assert_int_equal(secondary, 2 | 1U << 10);
	secondary = 2;
	vmx_want_pause_exits(&capabilities, false, &primary, &secondary); /* disable = ["ple"] */
	assert_int_equal(primary, 1 | 1U << 30);
	assert_int_equal(secondary, 2);
	primary = 1;
	capabilities.controls[VMX_SECONDARY].may_be_1 &= ~(1U << 10);
	vmx_want_pause_exits(&capabilities, true, &primary, &secondary);
	assert_int_equal(primary, 1 | 1U << 30);
	assert_int_equal(secondary, 2);
}

static void test_vmx_requirements_met_by_skylake(void **state)
{
	struct vmx_capabilities capabilities = skylake();

	(void)state;
	assert_int_equal(missing_count(&capabilities, NULL), 0);
}

static void test_vmx_requirements_list_all_that_is_missing(void **state)
{
	struct vmx_capabilities capabilities = skylake();

	(void)state;
	capabilities.controls[VMX_SECONDARY].may_be_1 &= ~SECONDARY_PROC_UNRESTRICTED;
	assert_int_equal(missing_count(&capabilities, "unrestricted guest"), 1);
	capabilities.controls[VMX_SECONDARY].may_be_1 = 0;
	/* EPT, unrestricted guest, RDTSCP, WBINVD; nothing about EPT's parts */
	assert_int_equal(missing_count(&capabilities, "EPT"), 4);
	capabilities = skylake();
	capabilities.controls[VMX_PRIMARY].must_be_1 |= PRIMARY_PROC_CR3_LOAD;
	assert_int_equal(missing_count(&capabilities, "CR3"), 1);
	capabilities = skylake();
	capabilities.ept_vpid = 0;
	assert_int_equal(missing_count(&capabilities, "write-back"), 3);
	memset(&capabilities, 0, sizeof(capabilities));
	assert_in_range(missing_count(&capabilities, "64-bit host"), 15, 30);
}

static void test_vmx_required_bits_leave_windows_closed(void **state)
{
	(void)state;
	assert_int_equal(vmx_required_bits(VMX_PRIMARY) & (PRIMARY_PROC_INTERRUPT_WINDOW | PRIMARY_PROC_NMI_WINDOW), 0);
	assert_int_equal(vmx_required_bits(VMX_PRIMARY) & PRIMARY_PROC_HLT, PRIMARY_PROC_HLT);
	assert_int_equal(vmx_required_bits(VMX_ENTRY), VM_ENTRY_CTL_LOAD_EFER);
	assert_int_equal(vmx_required_bits(VMX_PIN), PIN_EXTERNAL_INTERRUPT | PIN_NMI | PIN_VIRTUAL_NMIS);
}

/* Skylake-X has no CET; wide addresses count where every CPU takes them. */
static void test_vmx_offers_what_has_a_control(void **state)
{
	struct vmx_capabilities a = skylake(), b;

	(void)state;
	assert_int_equal(vmx_offers_of(&a), HV_OFFERS_INVPCID | HV_OFFERS_XSAVES);
	a.controls[VMX_ENTRY].may_be_1 |= VM_ENTRY_CTL_LOAD_CET;
	a.wide_addresses = true;
	assert_int_equal(vmx_offers_of(&a), HV_OFFERS_INVPCID | HV_OFFERS_XSAVES | HV_OFFERS_CET | HV_OFFERS_LA57);
	b = a;
	b.wide_addresses = false;
	b.controls[VMX_SECONDARY].may_be_1 = 0;
	a = vmx_capabilities_intersect(&a, &b);
	assert_int_equal(vmx_offers_of(&a), HV_OFFERS_CET);
}

static void test_vmx_capabilities_intersect(void **state)
{
	struct vmx_capabilities a = skylake(), b = skylake(), both;

	(void)state;
	b.controls[VMX_PIN].must_be_1 |= 0x40;
	b.controls[VMX_SECONDARY].may_be_1 &= ~SECONDARY_PROC_VPID;
	b.ept_vpid &= ~EPT_CAP_1G;
	b.cr0_may_be_1 = 0xffffffff;
	both = vmx_capabilities_intersect(&a, &b);
	assert_true(both.has_vmx);
	assert_int_equal(both.controls[VMX_PIN].must_be_1, 0x56);
	assert_int_equal(both.controls[VMX_SECONDARY].may_be_1 & SECONDARY_PROC_VPID, 0);
	assert_int_equal(both.ept_vpid & EPT_CAP_1G, 0);
	assert_int_equal(both.cr0_may_be_1, 0);
	b.has_vmx = false;
	assert_false(vmx_capabilities_intersect(&a, &b).has_vmx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmx_allowed_halves),
		cmocka_unit_test(test_vmx_controls_choose_adds_what_must_and_may_be),
		cmocka_unit_test(test_vmx_pause_exits_by_loops_where_the_cpu_can),
		cmocka_unit_test(test_vmx_requirements_met_by_skylake),
		cmocka_unit_test(test_vmx_requirements_list_all_that_is_missing),
		cmocka_unit_test(test_vmx_required_bits_leave_windows_closed),
		cmocka_unit_test(test_vmx_offers_what_has_a_control),
		cmocka_unit_test(test_vmx_capabilities_intersect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
