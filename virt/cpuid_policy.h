/* What CPUID tells a guest: the PC's answers passed through a table of rows {leaf, subleaf, register, keep, set}; a leaf without
 * a row is all zeros. Made once a VM, so that an exit is a look-up. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

#define CPUID_ENTRIES_MAX 64U

struct cpuid_answer {
	uint32_t eax, ebx, ecx, edx;
};

struct cpuid_entry {
	uint32_t leaf, subleaf;
	uint32_t subleaf_mask; /* 0: the leaf has no subleaves, all are equal */
	struct cpuid_answer answer;
};

struct cpuid_table {
	uint32_t count;
	uint32_t first_extended; /* index of the first entry of leaves 80000000h on; those before 40000000h start at 0 */
	uint32_t first_hypervisor;
	struct cpuid_entry entries[CPUID_ENTRIES_MAX];
};

/* What decides beside the PC's own answers. */
struct cpuid_inputs {
	struct cpuid_answer (*host)(uint32_t leaf, uint32_t subleaf);
	uint64_t tsc_hz;
	uint64_t disabled_features;
	uint64_t xcr0_mask; /* 0: no XSAVE */
	uint32_t backend_offers; /* HV_OFFERS_* */
	uint32_t vcpu_count;
};

/* What is a vCPU's own. */
struct cpuid_vcpu {
	uint32_t apic_id;
	bool apic_enabled; /* IA32_APIC_BASE */
	bool osxsave, ospke; /* CR4 */
	uint64_t xcr0, xss;
};

void cpuid_policy_make(struct cpuid_table *table, const struct cpuid_inputs *inputs);

/* Leaves that tell each vCPU something else, or change with its registers. */
static inline bool cpuid_policy_is_own(uint32_t leaf)
{
	return leaf == 0x01 || leaf == 0x07 || leaf == 0x0b || leaf == 0x0d;
}

/* Any leaf. Pure. Source: SDM Vol. 2A, "CPUID--CPU Identification". */
struct cpuid_answer cpuid_policy_answer(const struct cpuid_table *table, uint32_t leaf, uint32_t subleaf,
					const struct cpuid_vcpu *vcpu);

/* The answer of the table alone: the whole answer unless cpuid_policy_is_own(). Pure. */
const struct cpuid_answer *cpuid_policy_static(const struct cpuid_table *table, uint32_t leaf, uint32_t subleaf);

/* What the guest may set in IA32_XSS; needs XSAVES. Pure. */
uint64_t cpuid_policy_xss_mask(const struct cpuid_table *table);
