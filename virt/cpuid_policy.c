/* The CPUID policy. SDM Vol. 2A, "CPUID--CPU Identification". Pure: the PC's answers come through a function pointer. */
#include "virt/cpuid_policy.h"

#include <stddef.h>

#include "abi/features.h"
#include "virt/control_registers.h"
#include "virt/hv.h"
#include "virt/local_apic.h"
#include "virt/paravirtual.h"

/* One row a leaf and subleaf; masks for EAX, EBX, ECX, EDX. */
struct cpuid_row {
	uint32_t leaf, subleaf;
	struct cpuid_answer keep, set;
};

#define ALL UINT32_MAX
#define XSAVE_SUPERVISOR 1U /* leaf 0DH, ECX: of IA32_XSS, not of XCR0 */
#define XSAVE_ALIGNED    2U /* ... at a multiple of 64 in the compacted format */
#define XSAVE_COMPONENTS 13U
#define HYPERVISOR_LEAF_MAX 0x40000001U
#define OWN_LEAF            0x40000100U

/* Leaf 1, ECX: all but DTES64, MONITOR, DS-CPL, VMX, SMX, EIST, TM2, CNXT-ID, SDBG, xTPR, PDCM, DCA, OSXSAVE. */
#define LEAF1_ECX_KEEP 0x76da3203U
#define LEAF1_ECX_SET  0x81200000U /* hypervisor, TSC-deadline, x2APIC (the last two unless disabled) */
/* Leaf 1, EDX: all but DS, ACPI (thermal), HTT, TM, PBE; MCE and MCA as they are. */
#define LEAF1_EDX_KEEP 0x0f8bfbffU
/* Leaf 7: FSGSBASE, TSC_ADJUST (set below), BMI1, AVX2, FDP_EXCPTN_ONLY, SMEP, BMI2, ERMS, INVPCID, no FPU CS and DS, AVX-512 F
 * and DQ, RDSEED, ADX, SMAP, IFMA, CLFLUSHOPT, CLWB, CD, SHA, BW, VL. Not SGX, HLE, RTM, RDT, MPX, PT. */
#define LEAF7_EBX_KEEP 0xf1bf27e9U
/* VBMI, UMIP, PKU, VBMI2, CET_SS, GFNI, VAES, VPCLMULQDQ, VNNI, BITALG, VPOPCNTDQ, LA57, RDPID, CLDEMOTE, MOVDIRI, MOVDIR64B.
 * Not WAITPKG, TME, KL, bus-lock detection, ENQCMD, SGX_LC, PKS. */
#define LEAF7_ECX_KEEP 0x1a415fceU
/* AVX-512 4VNNIW and 4FMAPS, fast short REP MOV, VP2INTERSECT, MD_CLEAR, SERIALIZE, CET_IBT, AVX-512 FP16. IBRS, STIBP, SSBD,
 * L1D_FLUSH, ARCH_CAPABILITIES need MSRs that are not offered: guests assume the worst. */
#define LEAF7_EDX_KEEP 0x0090451cU
/* Subleaf 1: SHA512, SM3, SM4, AVX-VNNI, AVX-512 BF16, CMPCCXADD, fast REP MOV and STO, AVX-IFMA; AVX-VNNI-INT8, AVX-NE-CONVERT,
 * AVX-VNNI-INT16, PREFETCHI. Not LASS, FRED, LKGS, WRMSRNS, AMX, HRESET, LAM, MSRLIST. */
#define LEAF7_1_EAX_KEEP 0x00801cb7U
#define LEAF7_1_EDX_KEEP 0x00004430U

#define EVERYTHING {ALL, ALL, ALL, ALL}
#define NOTHING    {0, 0, 0, 0}
/* Each vCPU is a core of its own: no cache is shared. */
#define CACHE      {0x00003fff, ALL, ALL, 0x7}

/* In the order of leaf and subleaf. What is neither kept nor set is zero. */
static const struct cpuid_row rows[] = {
	{0x00, 0, {0, ALL, ALL, ALL}, {0x16, 0, 0, 0}},
	{0x01, 0, {ALL, 0x0000ff00, LEAF1_ECX_KEEP, LEAF1_EDX_KEEP}, {0, 0, LEAF1_ECX_SET, 0}},
	{0x02, 0, EVERYTHING, NOTHING},
	{0x04, 0, CACHE, NOTHING},
	{0x04, 1, CACHE, NOTHING},
	{0x04, 2, CACHE, NOTHING},
	{0x04, 3, CACHE, NOTHING},
	{0x06, 0, NOTHING, {0x4, 0, 0, 0}}, /* ARAT: the timer never stops; CPUID.6:EAX[0] = 0: no thermal sensor */
	{0x07, 0, {0, LEAF7_EBX_KEEP, LEAF7_ECX_KEEP, LEAF7_EDX_KEEP}, {0, 0x2, 0, 0}}, /* IA32_TSC_ADJUST is there on any PC */
	{0x07, 1, {LEAF7_1_EAX_KEEP, 0, 0, LEAF7_1_EDX_KEEP}, NOTHING},
	{0x0b, 0, NOTHING, NOTHING}, /* made below, as are 0DH's subleaf 0, 15H and 16H */
	{0x0b, 1, NOTHING, NOTHING},
	{0x0d, 0, NOTHING, NOTHING},
	{0x0d, 1, {0xf, 0, 0, 0}, NOTHING}, /* XSAVEOPT, XSAVEC, XGETBV with ECX = 1, XSAVES; not XFD */
	{0x0d, 2, {ALL, ALL, XSAVE_ALIGNED, 0}, NOTHING},
	{0x0d, 5, {ALL, ALL, XSAVE_ALIGNED, 0}, NOTHING},
	{0x0d, 6, {ALL, ALL, XSAVE_ALIGNED, 0}, NOTHING},
	{0x0d, 7, {ALL, ALL, XSAVE_ALIGNED, 0}, NOTHING},
	{0x0d, 9, {ALL, ALL, XSAVE_ALIGNED, 0}, NOTHING},
	{0x0d, 11, {ALL, 0, XSAVE_ALIGNED | XSAVE_SUPERVISOR, 0}, NOTHING},
	{0x0d, 12, {ALL, 0, XSAVE_ALIGNED | XSAVE_SUPERVISOR, 0}, NOTHING},
	{0x15, 0, NOTHING, NOTHING},
	{0x16, 0, NOTHING, NOTHING},
	/* "KVMKVMKVM": stock kernels know it */
	{0x40000000, 0, NOTHING, {HYPERVISOR_LEAF_MAX, 0x4b4d564b, 0x564b4d56, 0x0000004d}},
	{0x40000001, 0, NOTHING, NOTHING}, /* made below */
	{OWN_LEAF, 0, NOTHING, {OWN_LEAF, 0x6b6c7542, 0x64616568, 0x20707948}}, /* "BulkheadHyp " */
	{0x80000000, 0, {0, ALL, ALL, ALL}, {0x80000008, 0, 0, 0}},
	{0x80000001, 0, {0, 0, 0x00000121, 0x2c100800}, NOTHING}, /* LAHF, LZCNT, PREFETCHW; SYSCALL, NX, 1G pages, RDTSCP, LM */
	{0x80000002, 0, EVERYTHING, NOTHING},
	{0x80000003, 0, EVERYTHING, NOTHING},
	{0x80000004, 0, EVERYTHING, NOTHING},
	{0x80000006, 0, {0, 0, ALL, 0}, NOTHING},
	{0x80000007, 0, NOTHING, {0, 0, 0, 0x100}},   /* invariant TSC */
	{0x80000008, 0, {0xff, 1U << 9, 0, 0}, NOTHING}, /* physical address bits, the linear ones below; WBNOINVD */
};

/* Features that need what XCR0 can hold, or what virt/hv.h calls HV_OFFERS_*, and are shown only with all of it. */
#define BACKEND(bits) ((uint64_t)(bits) << 32)
#define AVX           (XCR0_SSE | XCR0_AVX)
static const struct {
	uint64_t needs;
	uint32_t leaf, subleaf;
	struct cpuid_answer bits;
} dependents[] = {
	{XCR0_X87, 0x01, 0, {0, 0, 1U << 26, 0}}, /* XSAVE */
	{XCR0_X87, 0x0d, 1, {0xf, 0, 0, 0}},
	{BACKEND(HV_OFFERS_XSAVES), 0x0d, 1, {0x8, 0, 0, 0}},
	{AVX, 0x01, 0, {0, 0, 0x30001000, 0}}, /* FMA, AVX, F16C */
	{AVX, 0x07, 0, {0, 1U << 5, 0x600, 0}}, /* AVX2, VAES, VPCLMULQDQ */
	{AVX, 0x07, 1, {0x00800017, 0, 0, 0x430}},
	{AVX | XCR0_AVX512, 0x07, 0, {0, 0xd0230000, 0x5842, 0x0080010c}},
	{AVX | XCR0_AVX512, 0x07, 1, {0x20, 0, 0, 0}},
	{XCR0_PKRU, 0x07, 0, {0, 0, 1U << 3, 0}}, /* PKU */
	{BACKEND(HV_OFFERS_LA57), 0x07, 0, {0, 0, 1U << 16, 0}},
	{BACKEND(HV_OFFERS_INVPCID), 0x07, 0, {0, 1U << 10, 0, 0}},
	{BACKEND(HV_OFFERS_CET | HV_OFFERS_XSAVES) | XCR0_X87, 0x07, 0, {0, 0, 1U << 7, 1U << 20}}, /* CET_SS, CET_IBT */
};

static bool has_subleaves(uint32_t leaf)
{
	return leaf == 0x04 || leaf == 0x07 || leaf == 0x0b || leaf == 0x0d;
}

static void add_entry(struct cpuid_table *table, const struct cpuid_row *row, struct cpuid_answer host)
{
	if (row->leaf >= 0x40000000U && table->first_hypervisor == 0)
		table->first_hypervisor = table->count;
	if (row->leaf >= 0x80000000U && table->first_extended == 0)
		table->first_extended = table->count;
	table->entries[table->count++] = (struct cpuid_entry){
		.leaf = row->leaf,
		.subleaf = row->subleaf,
		.subleaf_mask = has_subleaves(row->leaf) ? UINT32_MAX : 0,
		.answer = {(host.eax & row->keep.eax) | row->set.eax, (host.ebx & row->keep.ebx) | row->set.ebx,
			   (host.ecx & row->keep.ecx) | row->set.ecx, (host.edx & row->keep.edx) | row->set.edx},
	};
}

static struct cpuid_answer *find(struct cpuid_table *table, uint32_t leaf, uint32_t subleaf)
{
	for (uint32_t i = 0; i < table->count; i++) {
		if (table->entries[i].leaf == leaf && table->entries[i].subleaf == subleaf)
			return &table->entries[i].answer;
	}
	return &table->entries[CPUID_ENTRIES_MAX - 1].answer; /* spare */
}

static void remove_dependents(struct cpuid_table *table, const struct cpuid_inputs *inputs)
{
	uint64_t has = inputs->xcr0_mask | BACKEND(inputs->backend_offers);

	for (size_t i = 0; i < sizeof(dependents) / sizeof(dependents[0]); i++) {
		struct cpuid_answer *answer = find(table, dependents[i].leaf, dependents[i].subleaf);

		if ((dependents[i].needs & ~has) == 0)
			continue;
		answer->eax &= ~dependents[i].bits.eax;
		answer->ebx &= ~dependents[i].bits.ebx;
		answer->ecx &= ~dependents[i].bits.ecx;
		answer->edx &= ~dependents[i].bits.edx;
	}
	if ((find(table, 0x01, 0)->ecx & 1U << 17) == 0)
		find(table, 0x07, 0)->ebx &= ~(1U << 10); /* no INVPCID without PCID */
}

/* The sizes of leaf 0DH, of what the guest may set in XCR0 and IA32_XSS. */
static void make_xsave(struct cpuid_table *table, const struct cpuid_inputs *inputs)
{
	uint64_t mask = inputs->xcr0_mask | cpuid_policy_xss_mask(table);
	uint32_t bytes = 576;

	for (uint32_t i = 2; i < XSAVE_COMPONENTS; i++) {
		struct cpuid_answer *component = find(table, 0x0d, i);

		if ((mask >> i & 1) == 0)
			*component = (struct cpuid_answer){.eax = 0};
		else if ((component->ecx & XSAVE_SUPERVISOR) == 0 && component->eax + component->ebx > bytes)
			bytes = component->eax + component->ebx;
	}
	if (mask == 0)
		return;
	*find(table, 0x0d, 0) = (struct cpuid_answer){.eax = (uint32_t)inputs->xcr0_mask, .ebx = bytes, .ecx = bytes};
	find(table, 0x0d, 1)->ecx = (uint32_t)cpuid_policy_xss_mask(table);
}

/* Linear addresses have 57 bits where five levels of paging are to be had. */
static void make_address_sizes(struct cpuid_table *table)
{
	find(table, 0x80000008U, 0)->eax |= (find(table, 0x07, 0)->ecx >> 16 & 1) != 0 ? 57U << 8 : 48U << 8;
}

/* The highest subleaf of leaf 7, in its EAX. */
static void make_subleaves(struct cpuid_table *table, const struct cpuid_inputs *inputs, uint32_t host_basic)
{
	if (host_basic >= 7 && inputs->host(0x07, 0).eax >= 1)
		find(table, 0x07, 0)->eax = 1;
	else
		*find(table, 0x07, 1) = (struct cpuid_answer){.eax = 0};
}

static void make_topology(struct cpuid_table *table, uint32_t vcpu_count)
{
	uint32_t id_bits_count = 1; /* a power of two that holds all APIC IDs */

	while (id_bits_count < vcpu_count)
		id_bits_count *= 2;
	find(table, 0x01, 0)->ebx |= id_bits_count << 16;
	if (vcpu_count > 1)
		find(table, 0x01, 0)->edx |= 1U << 28; /* HTT: the count above is valid */
	/* "Extended Topology Enumeration": one thread a core, then the package. */
	*find(table, 0x0b, 0) = (struct cpuid_answer){.ebx = 1, .ecx = 0x100};
	*find(table, 0x0b, 1) =
	    (struct cpuid_answer){.eax = (uint32_t)__builtin_ctz(id_bits_count), .ebx = vcpu_count, .ecx = 0x201};
	for (uint32_t i = 0; i < 4; i++) {
		struct cpuid_answer *cache = find(table, 0x04, i);

		if ((cache->eax & 0x1f) != 0)
			cache->eax |= (id_bits_count - 1) << 26;
	}
}

static void apply_disabled(struct cpuid_table *table, uint64_t disabled)
{
	if ((disabled & FEATURE_BIT(FEATURE_X2APIC)) != 0)
		find(table, 0x01, 0)->ecx &= ~(1U << 21);
	if ((disabled & FEATURE_BIT(FEATURE_TSC_DEADLINE)) != 0)
		find(table, 0x01, 0)->ecx &= ~(1U << 24);
	if ((disabled & FEATURE_BIT(FEATURE_INVARIANT_TSC)) != 0)
		find(table, 0x80000007U, 0)->edx = 0;
}

void cpuid_policy_make(struct cpuid_table *table, const struct cpuid_inputs *inputs)
{
	uint32_t host_basic = inputs->host(0, 0).eax, host_extended = inputs->host(0x80000000U, 0).eax;
	uint32_t tsc_per_tick = apic_clock_make(inputs->tsc_hz).tsc_per_tick;

	*table = (struct cpuid_table){.count = 0};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t leaf = rows[i].leaf, host_max = leaf < 0x80000000U ? host_basic : host_extended;
		bool asks = (leaf < 0x40000000U || leaf >= 0x80000000U) && leaf <= host_max;

		add_entry(table, &rows[i], asks ? inputs->host(leaf, rows[i].subleaf) : (struct cpuid_answer){.eax = 0});
	}
	/* TSC = ECX * EBX / EAX. Small numbers: stock kernels multiply kilohertz by EBX in 32 bits. */
	*find(table, 0x15, 0) =
	    (struct cpuid_answer){.eax = 1, .ebx = tsc_per_tick, .ecx = (uint32_t)(inputs->tsc_hz / tsc_per_tick)};
	find(table, 0x16, 0)->eax = find(table, 0x16, 0)->ebx = (uint32_t)((inputs->tsc_hz + 500000) / 1000000) & 0xffff;
	find(table, 0x16, 0)->ecx = 100;
	make_subleaves(table, inputs, host_basic);
	remove_dependents(table, inputs);
	make_xsave(table, inputs);
	make_address_sizes(table);
	make_topology(table, inputs->vcpu_count);
	find(table, 0x40000001U, 0)->eax = paravirtual_offered(inputs->disabled_features, inputs->vcpu_count);
	apply_disabled(table, inputs->disabled_features);
}

const struct cpuid_answer *cpuid_policy_static(const struct cpuid_table *table, uint32_t leaf, uint32_t subleaf)
{
	static const struct cpuid_answer zeros;
	uint32_t i = leaf < 0x40000000U ? 0 : leaf < 0x80000000U ? table->first_hypervisor : table->first_extended;

	/* Entries are sorted, so that the first with a greater leaf ends the search. */
	for (const struct cpuid_entry *entry = &table->entries[i]; entry < &table->entries[table->count] && entry->leaf <= leaf;
	     entry++) {
		if (entry->leaf == leaf && ((entry->subleaf ^ subleaf) & entry->subleaf_mask) == 0)
			return &entry->answer;
	}
	return &zeros;
}

uint64_t cpuid_policy_xss_mask(const struct cpuid_table *table)
{
	const struct cpuid_answer *leaf = cpuid_policy_static(table, 0x07, 0);

	return (leaf->ecx & 1U << 7) != 0 || (leaf->edx & 1U << 20) != 0 ? XSS_CET : 0;
}

/* The bytes an XSAVE area needs for the components of a set. SDM Vol. 1, "Format of Extended Region of an XSAVE Area". */
static uint32_t xsave_bytes(const struct cpuid_table *table, uint64_t set, bool compacted)
{
	uint32_t bytes = 576;

	for (uint32_t i = 2; i < XSAVE_COMPONENTS; i++) {
		const struct cpuid_answer *component = cpuid_policy_static(table, 0x0d, i);
		uint32_t next = (component->ecx & XSAVE_ALIGNED) != 0 ? (bytes + 63) & ~63U : bytes;
		uint32_t start = compacted ? next : component->ebx;

		if ((set >> i & 1) != 0 && start + component->eax > bytes)
			bytes = start + component->eax;
	}
	return bytes;
}

struct cpuid_answer cpuid_policy_answer(const struct cpuid_table *table, uint32_t leaf, uint32_t subleaf,
					const struct cpuid_vcpu *vcpu)
{
	struct cpuid_answer answer = *cpuid_policy_static(table, leaf, subleaf);

	if (leaf == 0x01) {
		answer.ebx |= vcpu->apic_id << 24;
		if (!vcpu->apic_enabled)
			answer.edx &= ~(1U << 9);
		if (vcpu->osxsave)
			answer.ecx |= 1U << 27;
	} else if (leaf == 0x07 && subleaf == 0 && vcpu->ospke) {
		answer.ecx |= 1U << 4;
	} else if (leaf == 0x0b) {
		answer.ecx |= subleaf & 0xff;
		answer.edx = vcpu->apic_id;
	} else if (leaf == 0x0d && subleaf == 0 && answer.eax != 0) {
		answer.ebx = xsave_bytes(table, vcpu->xcr0, false);
	} else if (leaf == 0x0d && subleaf == 1 && answer.eax != 0) {
		answer.ebx = xsave_bytes(table, vcpu->xcr0 | vcpu->xss, true);
	}
	return answer;
}
