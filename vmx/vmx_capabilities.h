/* What a CPU's VMX can do, and the arithmetic of its control registers. Pure: MSR values go in, control words and lists of what is
 * missing come out. SDM Vol. 3D, Appendix A, "VMX Capability Reporting Facility". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

/* Allowed settings of one control word: bits that must be 1, bits that may be 1. */
struct vmx_allowed {
	uint32_t must_be_1, may_be_1;
};

enum vmx_control_word { VMX_PIN, VMX_PRIMARY, VMX_SECONDARY, VMX_EXIT, VMX_ENTRY, VMX_CONTROL_WORDS };

struct vmx_capabilities {
	bool has_vmx;     /* CPUID.1:ECX.VMX */
	uint32_t revision;
	bool wide_addresses; /* entries take linear addresses of 57 bits, though the host itself has 48 */
	bool error_codes_are_free; /* IA32_VMX_BASIC bit 56: any injected exception may have an error code or not */
	struct vmx_allowed controls[VMX_CONTROL_WORDS];
	uint64_t cr0_must_be_1, cr0_may_be_1, cr4_must_be_1, cr4_may_be_1;
	uint64_t ept_vpid; /* IA32_VMX_EPT_VPID_CAP */
	uint64_t misc;     /* IA32_VMX_MISC */
};

#define EPT_CAP_WALK_LENGTH_4   (1ULL << 6)
#define EPT_CAP_WRITE_BACK      (1ULL << 14)
#define EPT_CAP_2M              (1ULL << 16)
#define EPT_CAP_1G              (1ULL << 17)
#define EPT_CAP_INVEPT          (1ULL << 20)
#define EPT_CAP_ACCESSED_DIRTY  (1ULL << 21)
#define EPT_CAP_INVEPT_SINGLE   (1ULL << 25)
#define EPT_CAP_INVEPT_ALL      (1ULL << 26)
#define VPID_CAP_INVVPID        (1ULL << 32)
#define VPID_CAP_ADDRESS        (1ULL << 40)
#define VPID_CAP_SINGLE         (1ULL << 41)

/* The capability MSRs' layout: low half must be 1, high half may be 1. */
struct vmx_allowed vmx_allowed_from_msr(uint64_t msr);

/* Both CPUs can do the result. */
struct vmx_capabilities vmx_capabilities_intersect(const struct vmx_capabilities *a, const struct vmx_capabilities *b);

/* required | wanted where possible | what must be. ERR_UNSUPPORTED: a required bit may not be 1. */
MUST_CHECK enum status vmx_controls_choose(struct vmx_allowed allowed, uint32_t required, uint32_t wanted, uint32_t *out);

/* A vCPU that spins waits for another one of its VM: loops of PAUSE shall exit, or where the CPU cannot tell them, or
 * loops_allowed is false, each PAUSE. Adds to the wanted controls. SDM Vol. 3C, "Changes to Instruction Behavior in VMX Non-Root
 * Operation". */
void vmx_want_pause_exits(const struct vmx_capabilities *capabilities, bool loops_allowed, uint32_t *primary, uint32_t *secondary);

/* One line of the requirements: what VMs cannot do without. */
struct vmx_requirement {
	const char *words;
	enum vmx_control_word word;
	uint32_t bits;
};

/* The words of requirement `index` if it is not met, NULL if it is; *end when there are no more. */
const char *vmx_requirement_missing(const struct vmx_capabilities *capabilities, unsigned index, bool *end);

/* What guests can be offered: HV_OFFERS_*. */
uint32_t vmx_offers_of(const struct vmx_capabilities *capabilities);

/* All bits of the table for one word. */
uint32_t vmx_required_bits(enum vmx_control_word word);
