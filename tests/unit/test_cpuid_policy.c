/* The CPUID policy. SDM Vol. 2A, "CPUID--CPU Identification". */
#include "tests/unit/unit.h"
#include "abi/features.h"
#include "virt/cpuid_policy.h"
#include "virt/hv.h"
#include "virt/local_apic.h"
#include "virt/paravirtual.h"

/* A host that answers all ones wherever it is asked. */
static struct cpuid_answer all_ones(uint32_t leaf, uint32_t subleaf)
{
	(void)subleaf;
	if (leaf == 0)
		return (struct cpuid_answer){0x1f, 0x756e6547, 0x6c65746e, 0x49656e69};
	if (leaf == 0x80000000U)
		return (struct cpuid_answer){0x80000008U, 0, 0, 0};
	if (leaf == 0x0d && subleaf >= 9)
		return subleaf == 9 ? (struct cpuid_answer){8, 0xa80, 0, 0} : (struct cpuid_answer){16, 0, 1, 0};
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

static const struct cpuid_inputs usual = {.tsc_hz = 2000000000, .xcr0_mask = 0x2e7, .vcpu_count = 1,
					  .backend_offers = HV_OFFERS_INVPCID | HV_OFFERS_XSAVES | HV_OFFERS_CET | HV_OFFERS_LA57};

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
	/* SGX, HLE, RTM, RDT, MPX, PT; OSPKE, WAITPKG, TME, KL, bus locks, ENQCMD, SGX_LC; what needs IBRS and other MSRs */
	assert_int_equal(ask(&table, 7, 0).ebx & (1U << 2 | 1U << 4 | 1U << 11 | 1U << 12 | 1U << 14 | 1U << 15 | 1U << 25), 0);
	assert_int_equal(ask(&table, 7, 0).ecx & (1U << 4 | 1U << 5 | 1U << 13 | 1U << 23 | 1U << 24 | 1U << 29 | 1U << 30), 0);
	assert_int_equal(ask(&table, 7, 0).edx & 0xff6fbae3U, 0);
	/* LASS, FRED, LKGS, WRMSRNS, AMX, HRESET, LAM, MSRLIST */
	assert_int_equal(ask(&table, 7, 1).eax & 0x0c6e0040, 0);
	assert_int_equal(ask(&table, 0x0d, 1).eax & 0x10, 0); /* XFD */
}

/* What works without more, and what the backend lets a guest have. */
static void test_cpuid_shows_what_works(void **state)
{
	struct cpuid_table table = made(usual);

	(void)state;
	assert_int_equal(ask(&table, 7, 0).eax, 1);
	/* PKU, CET_SS, LA57, RDPID, CLDEMOTE, MOVDIRI, MOVDIR64B; no PKS */
	assert_int_equal(ask(&table, 7, 0).ecx, 0x1a415fce);
	assert_int_equal(ask(&table, 7, 0).edx, 0x0090451c); /* FSRM, MD_CLEAR, SERIALIZE, CET_IBT, AVX-512 FP16 */
	assert_int_equal(ask(&table, 7, 1).eax, 0x00801cb7); /* AVX-VNNI, ... */
	assert_int_equal(ask(&table, 0x80000008, 0).eax >> 8 & 0xff, 57);
	assert_int_equal(ask(&table, 0x80000008, 0).ebx, 1U << 9); /* WBNOINVD */
	assert_int_equal(ask(&table, 0x0d, 1).ecx, 0x1800);
	assert_int_equal(cpuid_policy_xss_mask(&table), 0x1800);
}

static void test_cpuid_hides_what_the_backend_has_no_control_for(void **state)
{
	static const struct { uint32_t without, leaf, subleaf; struct cpuid_answer hidden; } cases[] = {
		{HV_OFFERS_INVPCID, 7, 0, {0, 1U << 10, 0, 0}},   {HV_OFFERS_CET, 7, 0, {0, 0, 1U << 7, 1U << 20}},
		{HV_OFFERS_XSAVES, 7, 0, {0, 0, 1U << 7, 1U << 20}},
		{HV_OFFERS_XSAVES, 0x0d, 1, {0x8, 0, 0, 0}},           {HV_OFFERS_CET, 0x0d, 1, {0, 0, 0x1800, 0}},
		{HV_OFFERS_LA57, 7, 0, {0, 0, 1U << 16, 0}},           {HV_OFFERS_LA57, 0x80000008, 0, {0x100, 0, 0, 0}},
		{HV_OFFERS_CET, 0x0d, 11, {UINT32_MAX, 0, UINT32_MAX, 0}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cpuid_inputs inputs = usual;
		struct cpuid_table table;
		struct cpuid_answer answer;

		inputs.backend_offers &= ~cases[i].without;
		table = made(inputs);
		answer = ask(&table, cases[i].leaf, cases[i].subleaf);
		assert_int_equal((answer.eax & cases[i].hidden.eax) | (answer.ebx & cases[i].hidden.ebx) |
				 (answer.ecx & cases[i].hidden.ecx) | (answer.edx & cases[i].hidden.edx), 0);
	}
}

/* A host with leaf 7 alone, and 48 bits of linear addresses. */
static struct cpuid_answer older(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_answer answer = all_ones(leaf, subleaf);

	if (leaf == 1)
		answer.ecx &= ~(1U << 17); /* PCID */
	if (leaf == 7)
		answer = subleaf == 0 ? (struct cpuid_answer){0, 1U << 10, 0, 0} : (struct cpuid_answer){9, 9, 9, 9};
	return answer;
}

static void test_cpuid_of_an_older_host(void **state)
{
	struct cpuid_inputs inputs = usual;
	struct cpuid_table table;

	(void)state;
	inputs.host = older;
	cpuid_policy_make(&table, &inputs);
	assert_int_equal(ask(&table, 7, 0).eax, 0);
	assert_true(is_zero(ask(&table, 7, 1)));
	assert_int_equal(ask(&table, 7, 0).ebx, 2); /* TSC_ADJUST; no INVPCID without PCID */
	assert_int_equal(ask(&table, 0x80000008, 0).eax >> 8 & 0xff, 48);
	assert_int_equal(cpuid_policy_xss_mask(&table), 0);
}

/* CR4.PKE, as OSXSAVE, is seen in CPUID. */
static void test_cpuid_follows_cr4(void **state)
{
	const struct cpuid_vcpu off = {.xcr0 = 1}, on = {.osxsave = true, .ospke = true, .xcr0 = 1};
	struct cpuid_table table = made(usual);

	(void)state;
	assert_int_equal(cpuid_policy_answer(&table, 1, 0, &off).ecx >> 27 & 1, 0);
	assert_int_equal(cpuid_policy_answer(&table, 1, 0, &on).ecx >> 27 & 1, 1);
	assert_int_equal(cpuid_policy_answer(&table, 7, 0, &off).ecx >> 4 & 1, 0);
	assert_int_equal(cpuid_policy_answer(&table, 7, 0, &on).ecx >> 4 & 1, 1);
	assert_int_equal(cpuid_policy_answer(&table, 7, 1, &on).ecx, 0);
	assert_true(cpuid_policy_is_own(7));
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
	assert_true(is_zero(ask(&table, 0x0d, 8)));
	assert_true(is_zero(ask(&table, 0x0d, 10)));
	assert_true(is_zero(ask(&table, 0x0d, 13)));
	assert_true(is_zero(ask(&table, 7, 2)));
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

/* "Time Stamp Counter and Nominal Core Crystal Clock Information Leaf": TSC = ECX * EBX / EAX. Stock kernels multiply kilohertz by
 * EBX in 32 bits. */
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
		assert_in_range(leaf.ecx, 1, 1000000000);
		assert_int_equal(leaf.ebx, apic_clock_make(rates[i]).tsc_per_tick);
		assert_in_range((uint64_t)leaf.ecx * leaf.ebx / leaf.eax, rates[i] - leaf.ebx, rates[i]);
		assert_in_range(leaf.ecx / 1000 * leaf.ebx / leaf.eax, rates[i] / 1000 - leaf.ebx, rates[i] / 1000);
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
	const struct cpuid_vcpu all_on = {.osxsave = true, .xcr0 = 0xe7}, with_keys = {.osxsave = true, .xcr0 = 0x2e7};
	const struct cpuid_vcpu with_cet = {.osxsave = true, .xcr0 = 7, .xss = 0x1800};
	struct cpuid_inputs inputs = usual;
	struct cpuid_table table = made(inputs);

	(void)state;
	assert_int_equal(ask(&table, 0x0d, 0).eax, 0x2e7);
	assert_int_equal(ask(&table, 0x0d, 0).ebx, 0x340);        /* XCR0 = 7: AVX ends there */
	assert_int_equal(ask(&table, 0x0d, 0).ecx, 0xa88);        /* PKRU is the last */
	assert_int_equal(ask(&table, 0x0d, 1).eax, 0xf);
	assert_int_equal(cpuid_policy_answer(&table, 0x0d, 0, &with_keys).ebx, 0xa88);
	assert_int_equal(cpuid_policy_answer(&table, 0x0d, 1, &with_cet).ebx, 0x340 + 16 + 16);
	assert_int_equal(cpuid_policy_answer(&table, 0x0d, 0, &with_cet).ebx, 0x340);
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
	assert_int_equal(ask(&table, 7, 0).ecx & (1U << 3 | 1U << 7), 0); /* PKU and CET are switched with XSAVE */
	assert_int_equal(ask(&table, 7, 1).eax & 1U << 4, 0);
	assert_int_equal(cpuid_policy_xss_mask(&table), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpuid_hides_what_is_not_virtualized),
		cmocka_unit_test(test_cpuid_shows_what_works),
		cmocka_unit_test(test_cpuid_hides_what_the_backend_has_no_control_for),
		cmocka_unit_test(test_cpuid_of_an_older_host),
		cmocka_unit_test(test_cpuid_follows_cr4),
		cmocka_unit_test(test_cpuid_unknown_leaves_are_zero),
		cmocka_unit_test(test_cpuid_signatures),
		cmocka_unit_test(test_cpuid_frequency),
		cmocka_unit_test(test_cpuid_topology),
		cmocka_unit_test(test_cpuid_xsave_sizes),
		cmocka_unit_test(test_cpuid_disabled_features),
		cmocka_unit_test(test_cpuid_shows_what_is_offered_to_this_vm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
