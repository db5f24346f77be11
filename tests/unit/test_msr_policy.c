/* The MSR policy: what exists, what #GPs, what each register keeps. SDM Vol. 4, "Model-Specific Registers (MSRs)". */
#include <stdlib.h>

#include "kernel/msr.h"
#include "tests/fake/hv.h"
#include "tests/unit/unit.h"
#include "virt/control_registers.h"
#include "virt/interrupts.h"
#include "virt/msr_policy.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

static struct vm vm;
static struct vcpu *vcpu;
static unsigned timer_changes;

void interrupts_apply(struct vcpu *which, const struct apic_effects *effects)
{
	(void)which;
	(void)effects;
}

void interrupts_timer_changed(struct vcpu *which)
{
	(void)which;
	timer_changes++;
}

/* steal_time.c's own test knows the values that it takes. */
bool steal_time_write_msr(struct vcpu *which, uint64_t value)
{
	which->steal.msr = value;
	return value != 3;
}

/* The CPU's own registers; it takes no address that is not canonical. */
static uint32_t written_msr;
static uint64_t written_value;

static bool is_canonical(uint64_t value)
{
	return value >> 47 == 0 || value >> 47 == 0x1ffff;
}

bool rdmsr_safe(uint32_t msr, uint64_t *value)
{
	*value = msr == written_msr ? written_value : 0;
	return true;
}

bool wrmsr_safe(uint32_t msr, uint64_t value)
{
	if (msr == 0xc0000082 && !is_canonical(value))
		return false;
	if (msr == 0xda0 && value == 0x1000) /* a CPU without that component */
		return false;
	if (msr >= 0x6a4 && msr <= 0x6a7 && (!is_canonical(value) || (value & 3) != 0))
		return false;
	written_msr = msr;
	written_value = value;
	return true;
}

static int setup(void **state)
{
	(void)state;
	free(vcpu);
	vcpu = aligned_alloc(64, (sizeof(*vcpu) + 63) / 64 * 64);
	memset(vcpu, 0, sizeof(*vcpu));
	memset(&vm, 0, sizeof(vm));
	vcpu->vm = &vm;
	fake_hv_reset();
	local_apic_create(&vcpu->apic, 0, true, true, 39, apic_clock_make(1000000000));
	msr_policy_reset(vcpu);
	timer_changes = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(vcpu);
	vcpu = NULL;
	return 0;
}

static uint64_t read_ok(uint32_t msr)
{
	uint64_t value = 0xdead;

	assert_true(msr_policy_read(vcpu, msr, &value));
	return value;
}

static void test_msr_policy_unknown_registers_fault(void **state)
{
	static const uint32_t unknown[] = {0x0, 0x34, 0x48, 0x49, 0xce, 0x10a, 0x122, 0x1a2, 0x38f, 0x480, 0x491, 0x6e1, 0xda0,
					   0x4b564d00, 0x4b564d02, 0x4b564d04, 0xc0000085, 0xc0010015, 0xffffffff};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_false(msr_policy_read(vcpu, unknown[i], &value));
		assert_false(msr_policy_write(vcpu, unknown[i], 0));
	}
}

static void test_msr_policy_known_registers_are_found_by_search(void **state)
{
	static const uint32_t known[] = {0x10, 0x17, 0x1b, 0x3a, 0x3b, 0x8b, 0xfe, 0x179, 0x17a, 0x1a0, 0x1d9, 0x200, 0x20f, 0x250,
					 0x258, 0x259, 0x268, 0x26f, 0x277, 0x2ff, 0x6e0, 0xc0000080};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		(void)read_ok(known[i]);
}

static void test_msr_policy_read_only_registers_fault_on_write(void **state)
{
	static const uint32_t read_only[] = {0x17, 0x3a, 0xfe, 0x179};

	(void)state;
	for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++)
		assert_false(msr_policy_write(vcpu, read_only[i], read_ok(read_only[i])));
	assert_int_equal(read_ok(0x3a), 1); /* locked, VMX off */
}

static void test_msr_policy_efer(void **state)
{
	(void)state;
	assert_true(msr_policy_write(vcpu, 0xc0000080, 0x901));
	assert_int_equal(fake_hv.efer, 0x901);
	assert_false(msr_policy_write(vcpu, 0xc0000080, 0x1000)); /* SVME */
	assert_false(msr_policy_write(vcpu, 0xc0000080, 1ULL << 40));
	fake_hv.efer = 0xd01;
	fake_hv.paging = true;
	assert_false(msr_policy_write(vcpu, 0xc0000080, 0x801)); /* LME while paging */
	assert_true(msr_policy_write(vcpu, 0xc0000080, 0x900));
	assert_int_equal(fake_hv.efer, 0xd00); /* LMA is the CPU's */
}

static void test_msr_policy_tsc_and_adjust_move_together(void **state)
{
	uint64_t adjust;

	(void)state;
	vcpu->tsc_offset = 1000;
	assert_true(msr_policy_write(vcpu, 0x3b, 500));
	assert_int_equal(vcpu->tsc_offset, 1500);
	assert_int_equal(fake_hv.tsc_offset, 1500);
	assert_int_equal(read_ok(0x3b), 500);
	assert_true(msr_policy_write(vcpu, 0x10, 0));
	adjust = read_ok(0x3b);
	assert_true(adjust == vcpu->tsc_offset - 1000); /* the change since the start */
	assert_true(read_ok(0x10) < 1000000000000ULL);
	assert_int_equal(timer_changes, 2);
}

static void test_msr_policy_memory_types(void **state)
{
	(void)state;
	assert_int_equal(read_ok(0xfe), 0x508);
	assert_true(msr_policy_write(vcpu, 0x2ff, 0xc06));
	assert_int_equal(read_ok(0x2ff), 0xc06);
	assert_false(msr_policy_write(vcpu, 0x2ff, 0xc02)); /* type 2 is reserved */
	assert_false(msr_policy_write(vcpu, 0x2ff, 0x1006));
	assert_true(msr_policy_write(vcpu, 0x250, 0x0606060606060606));
	assert_false(msr_policy_write(vcpu, 0x26f, 0x0606060706060606)); /* UC- is not an MTRR type */
	assert_true(msr_policy_write(vcpu, 0x277, 0x0007010600070106));
	assert_false(msr_policy_write(vcpu, 0x277, 0x0007010600070206));
	assert_int_equal(read_ok(0x277), 0x0007010600070106);
	assert_true(msr_policy_write(vcpu, 0x200, 0xc0000006));
	assert_true(msr_policy_write(vcpu, 0x201, 0x7fc0000800));
	assert_false(msr_policy_write(vcpu, 0x201, 0x8000000800)); /* beyond 39 bits */
	assert_int_equal(read_ok(0x20f), 0);
	assert_int_equal(read_ok(0x250), 0x0606060606060606);
	assert_int_equal(read_ok(0x26f), 0);
}

static void test_msr_policy_misc_enable_keeps_what_is_fixed(void **state)
{
	(void)state;
	assert_int_equal(read_ok(0x1a0), 0x1801);
	assert_true(msr_policy_write(vcpu, 0x1a0, 0x4400d51889));
	assert_true(read_ok(0x1a0) == 0x4400d51809);
	assert_true(msr_policy_write(vcpu, 0x1a0, 0));
	assert_int_equal(read_ok(0x1a0), 0x1800);
}

static void test_msr_policy_x2apic_follows_mode(void **state)
{
	uint64_t value;

	(void)state;
	assert_false(msr_policy_read(vcpu, 0x802, &value));
	assert_true(msr_policy_write(vcpu, 0x1b, 0xfee00d00));
	assert_int_equal(read_ok(0x802), 0);
	assert_int_equal(read_ok(0x1b), 0xfee00d00);
	assert_false(msr_policy_write(vcpu, 0x1b, 0xfee00900));
}

static void test_msr_policy_tsc_deadline_can_be_disabled(void **state)
{
	uint64_t value;

	(void)state;
	assert_true(msr_policy_write(vcpu, 0x6e0, 5));
	assert_int_equal(read_ok(0x6e0), 0); /* not in TSC-deadline mode */
	vcpu->apic.deadline_offered = false; /* as vcpu_create() does where it is disabled */
	assert_false(msr_policy_write(vcpu, 0x6e0, 5));
	assert_false(msr_policy_read(vcpu, 0x6e0, &value));
}

static void test_msr_policy_tsc_deadline_moves_the_timer(void **state)
{
	(void)state;
	vcpu->apic.lvt[0] = APIC_TIMER_TSC_DEADLINE | 0x40;
	assert_true(msr_policy_write(vcpu, 0x6e0, 0x123456789abc));
	assert_int_equal(read_ok(0x6e0), 0x123456789abc);
	assert_int_equal(timer_changes, 1);
	vcpu->apic.lvt[0] = APIC_TIMER_PERIODIC | 0x40;
	assert_true(msr_policy_write(vcpu, 0x6e0, 5)); /* lost */
	assert_int_equal(read_ok(0x6e0), 0x123456789abc);
	assert_int_equal(timer_changes, 1);
}

static void test_msr_policy_steal_time_only_where_offered(void **state)
{
	uint64_t value;

	(void)state;
	assert_false(msr_policy_write(vcpu, 0x4b564d03, 0x1001));
	assert_int_equal(vcpu->steal.msr, 0);
	assert_false(msr_policy_read(vcpu, 0x4b564d03, &value));
	vm.paravirtual = PARAVIRTUAL_STEAL_TIME;
	assert_true(msr_policy_write(vcpu, 0x4b564d03, 0x1001));
	assert_int_equal(read_ok(0x4b564d03), 0x1001);
	assert_false(msr_policy_write(vcpu, 0x4b564d03, 3));
}

/* What is let through must be switched by the VMCS or by fpu.c, and never be in the table. */
static void test_msr_policy_passthrough_is_not_emulated(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(msr_passthrough_count, 6);
	for (uint32_t i = 0; i < msr_passthrough_count; i++) {
		assert_false(msr_policy_read(vcpu, msr_passthrough[i], &value));
		assert_true((msr_passthrough[i] & 0x3fffffff) < 0x2000); /* in the bitmap's range */
	}
}

/* What is read without an exit is what the CPU has: a write goes there too, and is noted for the next switch of vCPUs. */
static void test_msr_policy_writes_of_syscall_registers_are_noted(void **state)
{
	(void)state;
	assert_int_equal(msr_readable_count, 5);
	for (uint32_t i = 0; i < msr_readable_count; i++) {
		assert_true(msr_policy_write(vcpu, msr_readable[i], 0x1000 + i));
		assert_int_equal(written_msr, msr_readable[i]);
		assert_int_equal(written_value, 0x1000 + i);
		assert_int_equal(read_ok(msr_readable[i]), 0x1000 + i);
		assert_true((msr_readable[i] & 0x3fffffff) < 0x2000); /* in the bitmap's range */
	}
	assert_int_equal(vcpu->msrs[LIVE_STAR], 0x1000);
	assert_int_equal(vcpu->msrs[LIVE_TSC_AUX], 0x1004);
	assert_false(msr_policy_write(vcpu, 0xc0000082, 0x8000000000000000));
	assert_int_equal(vcpu->msrs[LIVE_LSTAR], 0x1001);
}

/* "IA32_MISC_ENABLE": defined bits are kept, those that say what there is not are the CPU's, others fault. */
static void test_msr_policy_misc_enable_bits(void **state)
{
	(void)state;
	assert_true(msr_policy_write(vcpu, 0x1a0, 0x400c50089));
	assert_int_equal(read_ok(0x1a0), 0x400c51809);
	assert_true(msr_policy_write(vcpu, 0x1a0, 0x4000100001));
	assert_int_equal(read_ok(0x1a0), 0x4000101801);
	for (unsigned i = 0; i < 64; i++) {
		if ((0x4400d51889 >> i & 1) == 0)
			assert_false(msr_policy_write(vcpu, 0x1a0, 1ULL << i));
	}
}

static void test_msr_policy_xss_comes_with_xsaves(void **state)
{
	uint64_t value;

	(void)state;
	assert_false(msr_policy_read(vcpu, 0xda0, &value));
	assert_false(msr_policy_write(vcpu, 0xda0, 0));
	vm.xsaves_shown = true;
	assert_true(msr_policy_write(vcpu, 0xda0, 0));
	assert_false(msr_policy_write(vcpu, 0xda0, 0x100)); /* processor trace */
	assert_false(msr_policy_write(vcpu, 0xda0, 0x800));
	assert_false(vcpu->uses_cet);
	vm.xss_mask = XSS_CET;
	assert_false(msr_policy_write(vcpu, 0xda0, 0x1000));
	assert_false(msr_policy_write(vcpu, 0xda0, 0x1000)); /* the same again: it was not taken */
	assert_int_equal(read_ok(0xda0), 0);
	assert_false(vcpu->uses_cet);
	assert_true(msr_policy_write(vcpu, 0xda0, 0x1800));
	assert_int_equal(read_ok(0xda0), 0x1800);
	assert_int_equal(written_msr, 0xda0);
	assert_true(vcpu->uses_cet);
	assert_false(msr_policy_write(vcpu, 0xda0, 0x1801));
	assert_int_equal(read_ok(0xda0), 0x1800);
}

/* What the CPU loads by itself goes to the backend; the rest marks the vCPU as one whose registers are to be switched. */
static void test_msr_policy_control_flow_enforcement(void **state)
{
	static const uint32_t all[] = {0x6a0, 0x6a2, 0x6a4, 0x6a5, 0x6a6, 0x6a7, 0x6a8};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_false(msr_policy_read(vcpu, all[i], &value));
		assert_false(msr_policy_write(vcpu, all[i], 0));
	}
	vm.xss_mask = XSS_CET;
	assert_true(msr_policy_write(vcpu, 0x6a2, 0x4));
	assert_int_equal(fake_hv.switched_msr, 0x6a2);
	assert_int_equal(read_ok(0x6a2), 0x4);
	assert_true(msr_policy_write(vcpu, 0x6a8, 0x1000));
	assert_int_equal(read_ok(0x6a8), 0x1000);
	assert_false(vcpu->uses_cet);
	assert_false(msr_policy_write(vcpu, 0x6a4, 0x8000000000000000));
	assert_false(msr_policy_write(vcpu, 0x6a7, 0x1));
	assert_false(vcpu->uses_cet);
	assert_true(msr_policy_write(vcpu, 0x6a7, 0x2000));
	assert_true(vcpu->uses_cet);
	assert_int_equal(written_value, 0x2000);
	assert_int_equal(read_ok(0x6a7), 0x2000);
	assert_false(msr_policy_write(vcpu, 0x6a1, 0));
	assert_false(msr_policy_write(vcpu, 0x6a3, 0));
}

/* "IA32_MTRR_PHYSBASEn": type and address; "IA32_MTRR_DEF_TYPE"; fixed ranges: eight types each. */
static void test_msr_policy_memory_types_have_reserved_bits(void **state)
{
	static const struct { uint32_t msr; uint64_t value; bool taken; } cases[] = {
		{0x200, 0x80000006, true},         {0x200, 0x80000106, false},         {0x200, 0x80000002, false},
		{0x200, 1ULL << 39 | 6, false},    {0x201, 0x7f80000800, true},        {0x201, 0x7f80000400, false},
		{0x201, 1ULL << 39, false},        {0x20f, 0x800, true},               {0x2ff, 1ULL << 32, false},
		{0x250, 0x0606060606060606, true}, {0x250, 0x0706060606060606, false}, {0x26f, 0x0600000000000000, true},
		{0x2ff, 0xc06, true},              {0x2ff, 0x406, true},               {0x2ff, 0x106, false},
		{0x277, 0x0707070707070707, true}, {0x277, 0x0307070707070707, false}, {0x277, 0x0807070707070707, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(msr_policy_write(vcpu, cases[i].msr, cases[i].value), cases[i].taken);
		if (cases[i].taken)
			assert_true(read_ok(cases[i].msr) == cases[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_msr_policy_unknown_registers_fault, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_known_registers_are_found_by_search, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_read_only_registers_fault_on_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_efer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_tsc_and_adjust_move_together, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_memory_types, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_misc_enable_keeps_what_is_fixed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_misc_enable_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_xss_comes_with_xsaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_control_flow_enforcement, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_memory_types_have_reserved_bits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_x2apic_follows_mode, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_tsc_deadline_can_be_disabled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_tsc_deadline_moves_the_timer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_steal_time_only_where_offered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_passthrough_is_not_emulated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_msr_policy_writes_of_syscall_registers_are_noted, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
