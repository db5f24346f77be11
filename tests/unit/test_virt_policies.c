/* CPUID policy, control-register rules, replies.
 * SDM Vol. 2A, "CPUID--CPU Identification"; Vol. 3A, "Control Registers". */
#include "tests/unit/unit.h"
#include "abi/features.h"
#include "virt/control_registers.h"
#include "virt/cpuid_policy.h"
#include "virt/paravirtual.h"
#include "virt/reply.h"

/* A host that answers all ones wherever it is asked. */
static struct cpuid_answer all_ones(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	if (leaf == 0)
		return (struct cpuid_answer){0x1f, 0x756e6547, 0x6c65746e, 0x49656e69};
	if (leaf == 0x80000000U)
		return (struct cpuid_answer){0x80000008U, 0, 0, 0};
	/* Component 6 is aligned in the compacted format. */
	if (leaf == 0x0d && subleaf >= 2)
		return (struct cpuid_answer){subleaf == 2 ? 0x100 : subleaf == 5 ? 0x48 : 0x40,
					     subleaf == 2 ? 0x240 : 0x440 + 0x40 * subleaf, subleaf == 6 ? 2 : 0, 0};
	return (struct cpuid_answer){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
}

static struct cpuid_table made(struct cpuid_inputs inputs)
{
	struct cpuid_table table;

	inputs.host = all_ones;
	cpuid_policy_make(&table, &inputs);
	return table;
}

static const struct cpuid_inputs usual = {.tsc_hz = 2000000000, .xcr0_mask = 0xe7, .vcpu_count = 1};

static struct cpuid_answer ask(const struct cpuid_table *table, uint32_t leaf, uint32_t subleaf)
{
	const struct cpuid_vcpu vcpu = {.apic_id = 5, .apic_enabled = true, .osxsave = true, .xcr0 = 7};

	return cpuid_policy_answer(table, leaf, subleaf, &vcpu);
}

static bool is_zero(struct cpuid_answer a)
{
	return (a.eax | a.ebx | a.ecx | a.edx) == 0;
}

static void test_cpuid_hides_what_is_not_virtualized(void **state)
{
	/* DTES64 MONITOR DS-CPL VMX SMX EIST TM2 ... PDCM DCA */
	static const uint8_t hidden_ecx[] = {2, 3, 4, 5, 6, 7, 8, 10, 11, 14, 15, 18};
	struct cpuid_table table = made(usual);
	struct cpuid_answer leaf1 = ask(&table, 1, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(hidden_ecx); i++)
		assert_int_equal(leaf1.ecx >> hidden_ecx[i] & 1, 0);
	assert_int_equal(leaf1.ecx >> 31 & 1, 1); /* hypervisor */
	assert_int_equal(leaf1.ecx >> 21 & 1, 1); /* x2APIC */
	assert_int_equal(leaf1.ecx >> 24 & 1, 1); /* TSC deadline */
	assert_int_equal(leaf1.ecx >> 27 & 1, 1); /* OSXSAVE: as CR4 has it */
	assert_int_equal(leaf1.ebx >> 24, 5);
	assert_int_equal(ask(&table, 6, 0).eax & 1, 0);
	assert_true(is_zero(ask(&table, 0x0a, 0))); /* no performance counters */
	/* SGX, HLE, RTM, MPX, PT; PKU, WAITPKG, CET, LA57 */
	assert_int_equal(ask(&table, 7, 0).ebx & (1U << 2 | 1U << 4 | 1U << 11 | 1U << 14 | 1U << 25), 0);
	assert_int_equal(ask(&table, 7, 0).ecx & (1U << 3 | 1U << 5 | 1U << 7 | 1U << 16), 0);
}

static void test_cpuid_unknown_leaves_are_zero(void **state)
{
	static const uint32_t leaves[] = {3, 5, 8, 9, 0xc, 0xf, 0x10, 0x12, 0x14, 0x17, 0x1f, 0x20, 0x40000002, 0x40000101,
					  0x80000005, 0x80000009, 0x8000001f, 0xffffffff};
	struct cpuid_table table = made(usual);

	(void)state;
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		assert_true(is_zero(ask(&table, leaves[i], 0)));
	assert_true(is_zero(ask(&table, 4, 4)));
	assert_true(is_zero(ask(&table, 0x0d, 3)));
	assert_true(is_zero(ask(&table, 0x0d, 9)));
}

/* Signatures as stock kernels look for them. */
static void test_cpuid_signatures(void **state)
{
	struct cpuid_table table = made(usual);
	struct cpuid_answer answer = ask(&table, 0x40000000, 0);

	(void)state;
	assert_int_equal(answer.eax, 0x40000001);
	assert_memory_equal(&answer.ebx, "KVMKVMKVM\0\0\0", 12);
	answer = ask(&table, 0x40000100, 0);
	assert_memory_equal(&answer.ebx, "BulkheadHyp ", 12);
	answer = ask(&table, 0, 0);
	assert_int_equal(answer.eax, 0x16);
	assert_int_equal(answer.ebx, 0x756e6547);
}

/* "Time Stamp Counter and Nominal Core Crystal Clock Information Leaf": TSC = ECX * EBX / EAX. */
static void test_cpuid_frequency(void **state)
{
	static const uint64_t rates[] = {200000000, 2394454000, 4294967295, 5200000000};

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct cpuid_inputs inputs = usual;
		struct cpuid_table table;
		struct cpuid_answer leaf;

		inputs.tsc_hz = rates[i];
		table = made(inputs);
		leaf = ask(&table, 0x15, 0);
		assert_int_equal(leaf.ecx, 1000000000);
		assert_in_range((uint64_t)leaf.ecx * leaf.ebx / leaf.eax, rates[i] - 16, rates[i]);
		assert_int_equal(ask(&table, 0x16, 0).eax, (rates[i] + 500000) / 1000000);
	}
}

static void test_cpuid_topology(void **state)
{
	struct cpuid_inputs inputs = usual;
	struct cpuid_table table;

	(void)state;
	inputs.vcpu_count = 5;
	table = made(inputs);
	assert_int_equal(ask(&table, 1, 0).ebx >> 16 & 0xff, 8);
	assert_int_equal(ask(&table, 1, 0).edx >> 28 & 1, 1);
	assert_int_equal(ask(&table, 4, 0).eax >> 26, 7);
	assert_int_equal(ask(&table, 4, 0).eax >> 14 & 0xfff, 0);
	assert_int_equal(ask(&table, 0x0b, 0).ebx, 1);
	assert_int_equal(ask(&table, 0x0b, 1).eax, 3);
	assert_int_equal(ask(&table, 0x0b, 1).ebx, 5);
	assert_int_equal(ask(&table, 0x0b, 1).edx, 5);
	assert_int_equal(ask(&table, 0x0b, 7).ecx, 7);
	table = made(usual);
	assert_int_equal(ask(&table, 1, 0).edx >> 28 & 1, 0);
}

static void test_cpuid_xsave_sizes(void **state)
{
	const struct cpuid_vcpu all_on = {.osxsave = true, .xcr0 = 0xe7};
	struct cpuid_inputs inputs = usual;
	struct cpuid_table table = made(inputs);

	(void)state;
	assert_int_equal(ask(&table, 0x0d, 0).eax, 0xe7);
	assert_int_equal(ask(&table, 0x0d, 0).ebx, 0x340);        /* XCR0 = 7: AVX ends there */
	assert_int_equal(ask(&table, 0x0d, 0).ecx, 0x440 + 0x1c0 + 0x40);
	assert_int_equal(ask(&table, 0x0d, 1).eax, 7);            /* XSAVES stays hidden */
	assert_int_equal(ask(&table, 0x0d, 1).ebx, 0x340);
	assert_int_equal(cpuid_policy_answer(&table, 0x0d, 1, &all_on).ebx, 0x340 + 0x48 + 0x38 + 0x40 + 0x40);
	assert_int_equal(cpuid_policy_answer(&table, 0x0d, 0, &all_on).ebx, 0x440 + 0x1c0 + 0x40);
	inputs.xcr0_mask = 7;
	table = made(inputs);
	assert_int_equal(ask(&table, 0x0d, 0).ecx, 0x340);
	assert_int_equal(ask(&table, 7, 0).ebx >> 16 & 1, 0);     /* no AVX-512 without its state */
	assert_int_equal(ask(&table, 7, 0).ebx >> 5 & 1, 1);
	inputs.xcr0_mask = 0;
	table = made(inputs);
	assert_true(is_zero(ask(&table, 0x0d, 0)));
	assert_int_equal(ask(&table, 1, 0).ecx & (1U << 26 | 1U << 28), 0);
	assert_int_equal(ask(&table, 7, 0).ebx >> 5 & 1, 0);
}

static void test_cpuid_disabled_features(void **state)
{
	struct cpuid_inputs inputs = usual;
	struct cpuid_table table;

	(void)state;
	inputs.disabled_features = FEATURE_BIT(FEATURE_X2APIC) | FEATURE_BIT(FEATURE_TSC_DEADLINE) |
				   FEATURE_BIT(FEATURE_INVARIANT_TSC);
	table = made(inputs);
	assert_int_equal(ask(&table, 1, 0).ecx & (1U << 21 | 1U << 24), 0);
	assert_int_equal(ask(&table, 0x80000007, 0).edx, 0);
	table = made(usual);
	assert_int_equal(ask(&table, 0x80000007, 0).edx, 0x100);
}

/* CPUID.40000001H:EAX as stock kernels read it: 5 steal time, 7 unhalt, 9 TLB flush, 11 IPI. */
static void test_cpuid_shows_what_is_offered_to_this_vm(void **state)
{
	const uint64_t steal = FEATURE_BIT(FEATURE_STEAL_TIME), unhalt = FEATURE_BIT(FEATURE_PV_UNHALT);
	const uint64_t ipi = FEATURE_BIT(FEATURE_PV_IPI), flush = FEATURE_BIT(FEATURE_PV_TLB_FLUSH);
	const struct { uint32_t vcpu_count; uint64_t disabled; uint32_t eax; } cases[] = {
		{1, 0, 0x0a0},      {1, steal, 0x080},        {1, unhalt, 0x020},  {1, ipi | flush, 0x0a0}, {1, steal | unhalt, 0},
		{2, 0, 0xaa0},      {64, 0, 0xaa0},           {2, unhalt, 0xa20},  {2, ipi, 0x2a0},         {2, flush, 0x8a0},
		{2, steal, 0x880},  {2, steal | flush, 0x880}, {2, steal | unhalt | ipi | flush, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cpuid_inputs inputs = usual;
		struct cpuid_table table;

		inputs.vcpu_count = cases[i].vcpu_count;
		inputs.disabled_features = cases[i].disabled;
		table = made(inputs);
		assert_int_equal(ask(&table, 0x40000001, 0).eax, cases[i].eax);
		assert_int_equal(ask(&table, 0x40000001, 0).ebx | ask(&table, 0x40000001, 0).edx, 0);
		assert_int_equal(ask(&table, 1, 0).ecx >> 3 & 1, 0); /* with MWAIT stock kernels flush no other way */
		assert_int_equal(paravirtual_offered(cases[i].disabled, cases[i].vcpu_count), cases[i].eax);
	}
}

static void test_cr0_write_rules(void **state)
{
	static const struct { uint64_t cr0, cr4, efer; bool is_long, allowed; } cases[] = {
		{0x60000010, 0, 0, false, true},         {0x80000011, 0, 0, false, true},
		{0x80000010, 0, 0, false, false},        /* PG without PE */
		{0x20000010, 0, 0, false, false},        /* NW without CD */
		{1ULL << 32 | 0x11, 0, 0, false, false}, {0x80000011, 0, 0x100, false, false}, /* LME without PAE */
		{0x80000011, 0x20, 0x100, false, true},  {0x80000011, 0x20, 0x100, true, false}, /* CS.L while activating */
		{0x11, 0x20, 0x500, true, false},        {0x11, 0x20, 0x500, false, true},
		{0x11, 0x20020, 0x500, false, false},    /* PCIDE needs PG */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(cr0_write_allowed(cases[i].cr0, cases[i].cr4, cases[i].efer, cases[i].is_long), cases[i].allowed);
}

static void test_xcr0_write_rules(void **state)
{
	static const struct { uint64_t value; bool allowed; } cases[] = {
		{0, false}, {1, true}, {2, false}, {3, true}, {5, false}, {7, true}, {0x27, false}, {0xe7, true}, {0xe3, false},
		{0x207, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(xcr0_write_allowed(0, cases[i].value, 0xe7), cases[i].allowed);
	assert_false(xcr0_write_allowed(1, 7, 0xe7));
	assert_false(xcr0_write_allowed(0, 7, 3));
}

static void test_cr4_allowed_follows_cpuid(void **state)
{
	(void)state;
	assert_int_equal(cr4_allowed(0, 0, 0, 0), 0x7ff);
	assert_true(cr4_allowed(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX) ==
		    (0x7ff | CR4_PCIDE | CR4_OSXSAVE | CR4_FSGSBASE | CR4_SMEP | CR4_SMAP | CR4_UMIP));
	assert_int_equal(cr4_allowed(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX) & CR4_VMXE, 0);
}

static void test_registers_check_rejects_what_makes_no_sense(void **state)
{
	const uint64_t allowed = 0x7ff;
	struct vcpu_registers r = registers_after_init;

	(void)state;
	assert_int_equal(registers_check(&r, allowed), OK);
	r.cr4 = CR4_VMXE;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID);
	r = registers_after_init;
	r.efer = EFER_LMA;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID);
	r = registers_after_init;
	r.rflags = 0;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID);
	r = registers_after_init;
	r.cr0 = CR0_PG | CR0_PE | CR0_ET;
	r.cr4 = CR4_PAE;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID); /* PAE paging */
	r.efer = EFER_LME | EFER_LMA;
	assert_int_equal(registers_check(&r, allowed), OK);
	r.efer |= 1ULL << 12;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID);
}

static void test_reply_check_accepts_and_refuses(void **state)
{
	struct vcpu_reply reply = {.action = VCPU_REPLY_COMPLETE, .register_count = 4, .advance_bytes = 15};

	(void)state;
	assert_int_equal(reply_check(&reply), OK);
	reply.registers[3].number = GPR_RSP;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.registers[3].number = 16;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_COMPLETE, .register_count = 5};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_COMPLETE, .advance_bytes = 16};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_ACTION_COUNT};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = UINT32_MAX};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_APIC_LOAD, .apic_offset = 0x300, .register_count = 1};
	assert_int_equal(reply_check(&reply), OK);
	reply.register_count = 0;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_APIC_WRITE, .apic_offset = 0x1000};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_APIC_READ, .apic_offset = 0x304};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
}

static void test_reply_check_events_and_stop(void **state)
{
	struct vcpu_reply reply = {.action = VCPU_REPLY_INJECT, .vector = 14, .error_code_valid = 1};

	(void)state;
	assert_int_equal(reply_check(&reply), OK);
	reply.vector = 6;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.error_code_valid = 0;
	assert_int_equal(reply_check(&reply), OK);
	reply.vector = 13;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.vector = 2;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.vector = 32;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_EXTINT, .vector = 256};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_STOP};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.value = VCPU_STOP_RESET;
	assert_int_equal(reply_check(&reply), OK);
	reply.value = 1ULL << 32 | VCPU_STOP_RESET;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpuid_hides_what_is_not_virtualized),
		cmocka_unit_test(test_cpuid_unknown_leaves_are_zero),
		cmocka_unit_test(test_cpuid_signatures),
		cmocka_unit_test(test_cpuid_frequency),
		cmocka_unit_test(test_cpuid_topology),
		cmocka_unit_test(test_cpuid_xsave_sizes),
		cmocka_unit_test(test_cpuid_disabled_features),
		cmocka_unit_test(test_cpuid_shows_what_is_offered_to_this_vm),
		cmocka_unit_test(test_cr0_write_rules),
		cmocka_unit_test(test_xcr0_write_rules),
		cmocka_unit_test(test_cr4_allowed_follows_cpuid),
		cmocka_unit_test(test_registers_check_rejects_what_makes_no_sense),
		cmocka_unit_test(test_reply_check_accepts_and_refuses),
		cmocka_unit_test(test_reply_check_events_and_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
