/* VMX capabilities and the requirements table. Pure. SDM Vol. 3D, Appendix A, "VMX Capability Reporting Facility". */
#include "vmx/vmx_capabilities.h"

#include <stddef.h>

#include "virt/hv.h"
#include "vmx/vmx_controls.h"

struct vmx_allowed vmx_allowed_from_msr(uint64_t msr)
{
	return (struct vmx_allowed){.must_be_1 = (uint32_t)msr, .may_be_1 = (uint32_t)(msr >> 32)};
}

struct vmx_capabilities vmx_capabilities_intersect(const struct vmx_capabilities *a, const struct vmx_capabilities *b)
{
	struct vmx_capabilities both = *a;

	both.has_vmx = a->has_vmx && b->has_vmx;
	both.wide_addresses = a->wide_addresses && b->wide_addresses;
	both.error_codes_are_free = a->error_codes_are_free && b->error_codes_are_free;
	for (unsigned i = 0; i < VMX_CONTROL_WORDS; i++) {
		both.controls[i].must_be_1 |= b->controls[i].must_be_1;
		both.controls[i].may_be_1 &= b->controls[i].may_be_1;
	}
	both.cr0_must_be_1 |= b->cr0_must_be_1;
	both.cr0_may_be_1 &= b->cr0_may_be_1;
	both.cr4_must_be_1 |= b->cr4_must_be_1;
	both.cr4_may_be_1 &= b->cr4_may_be_1;
	both.ept_vpid &= b->ept_vpid;
	both.misc &= b->misc;
	return both;
}

enum status vmx_controls_choose(struct vmx_allowed allowed, uint32_t required, uint32_t wanted, uint32_t *out)
{
	if ((required & ~allowed.may_be_1) != 0)
		return ERR_UNSUPPORTED;
	*out = allowed.must_be_1 | required | (wanted & allowed.may_be_1);
	return OK;
}

void vmx_want_pause_exits(const struct vmx_capabilities *capabilities, bool loops_allowed, uint32_t *primary, uint32_t *secondary)
{
	if (loops_allowed && (capabilities->controls[VMX_SECONDARY].may_be_1 & SECONDARY_PROC_PAUSE_LOOP) != 0)
		*secondary |= SECONDARY_PROC_PAUSE_LOOP;
	else
		*primary |= PRIMARY_PROC_PAUSE;
}

static const struct vmx_requirement requirements[] = {
	{"external-interrupt exiting", VMX_PIN, PIN_EXTERNAL_INTERRUPT},
	{"NMI exiting", VMX_PIN, PIN_NMI},
	{"virtual NMIs", VMX_PIN, PIN_VIRTUAL_NMIS},
	{"interrupt-window exiting", VMX_PRIMARY, PRIMARY_PROC_INTERRUPT_WINDOW},
	{"NMI-window exiting", VMX_PRIMARY, PRIMARY_PROC_NMI_WINDOW},
	{"TSC offsetting", VMX_PRIMARY, PRIMARY_PROC_TSC_OFFSETTING},
	{"HLT exiting", VMX_PRIMARY, PRIMARY_PROC_HLT},
	{"MWAIT and MONITOR exiting", VMX_PRIMARY, PRIMARY_PROC_MWAIT | PRIMARY_PROC_MONITOR},
	{"RDPMC exiting", VMX_PRIMARY, PRIMARY_PROC_RDPMC},
	{"CR8 exiting", VMX_PRIMARY, PRIMARY_PROC_CR8_LOAD | PRIMARY_PROC_CR8_STORE},
	{"unconditional I/O exiting", VMX_PRIMARY, PRIMARY_PROC_UNCONDITIONAL_IO},
	{"MSR bitmaps", VMX_PRIMARY, PRIMARY_PROC_MSR_BITMAPS},
	{"secondary controls", VMX_PRIMARY, PRIMARY_PROC_SECONDARY},
	{"extended page tables (EPT)", VMX_SECONDARY, SECONDARY_PROC_EPT},
	{"unrestricted guest", VMX_SECONDARY, SECONDARY_PROC_UNRESTRICTED},
	{"RDTSCP in guests", VMX_SECONDARY, SECONDARY_PROC_RDTSCP},
	{"WBINVD exiting", VMX_SECONDARY, SECONDARY_PROC_WBINVD},
	{"a 64-bit host", VMX_EXIT, VM_EXIT_CTL_HOST_64BIT},
	{"acknowledging interrupts on exit", VMX_EXIT, VM_EXIT_CTL_ACKNOWLEDGE},
	{"saving and loading IA32_EFER on exit", VMX_EXIT, VM_EXIT_CTL_SAVE_EFER | VM_EXIT_CTL_LOAD_EFER},
	{"loading IA32_EFER on entry", VMX_ENTRY, VM_ENTRY_CTL_LOAD_EFER},
	{"64-bit guests", VMX_ENTRY, VM_ENTRY_CTL_IA32E_GUEST},
};
#define REQUIREMENT_COUNT (sizeof(requirements) / sizeof(requirements[0]))

/* The rest is not in bits that may be 1. */
static const struct { const char *words; uint64_t bits; } ept_requirements[] = {
	{"EPT with 4 levels", EPT_CAP_WALK_LENGTH_4},
	{"EPT with write-back memory", EPT_CAP_WRITE_BACK},
	{"INVEPT of all contexts", EPT_CAP_INVEPT | EPT_CAP_INVEPT_ALL},
};
#define EPT_REQUIREMENT_COUNT (sizeof(ept_requirements) / sizeof(ept_requirements[0]))

/* Exits that are not handled, so that the bits must be allowed to be 0. Old processors demand them in the MSRs without TRUE. */
static const char own_cr3[] = "guests that load CR3 without an exit";
#define CR3_EXITING (PRIMARY_PROC_CR3_LOAD | PRIMARY_PROC_CR3_STORE)

const char *vmx_requirement_missing(const struct vmx_capabilities *capabilities, unsigned index, bool *end)
{
	*end = index > REQUIREMENT_COUNT + EPT_REQUIREMENT_COUNT;
	if (*end)
		return NULL;
	if (index == REQUIREMENT_COUNT + EPT_REQUIREMENT_COUNT)
		return (capabilities->controls[VMX_PRIMARY].must_be_1 & CR3_EXITING) != 0 ? own_cr3 : NULL;
	if (index < REQUIREMENT_COUNT) {
		const struct vmx_requirement *requirement = &requirements[index];

		return (requirement->bits & ~capabilities->controls[requirement->word].may_be_1) != 0 ? requirement->words : NULL;
	}
	index -= (unsigned)REQUIREMENT_COUNT;
	/* Without EPT its properties need no complaint of their own. */
	if ((capabilities->controls[VMX_SECONDARY].may_be_1 & SECONDARY_PROC_EPT) == 0)
		return NULL;
	return (ept_requirements[index].bits & ~capabilities->ept_vpid) != 0 ? ept_requirements[index].words : NULL;
}

uint32_t vmx_offers_of(const struct vmx_capabilities *capabilities)
{
	static const struct { enum vmx_control_word word; uint32_t bit, offers; } rows[] = {
	    {VMX_SECONDARY, SECONDARY_PROC_INVPCID, HV_OFFERS_INVPCID},
	    {VMX_SECONDARY, SECONDARY_PROC_XSAVES, HV_OFFERS_XSAVES},
	    {VMX_ENTRY, VM_ENTRY_CTL_LOAD_CET, HV_OFFERS_CET},
	};
	uint32_t offers = capabilities->wide_addresses ? HV_OFFERS_LA57 : 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		offers |= (capabilities->controls[rows[i].word].may_be_1 & rows[i].bit) != 0 ? rows[i].offers : 0;
	return offers;
}

uint32_t vmx_required_bits(enum vmx_control_word word)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < REQUIREMENT_COUNT; i++)
		bits |= requirements[i].word == word ? requirements[i].bits : 0;
	/* Windows are opened when they are needed. */
	return word == VMX_PRIMARY ? bits & ~(PRIMARY_PROC_INTERRUPT_WINDOW | PRIMARY_PROC_NMI_WINDOW) :
	       word == VMX_ENTRY ? bits & ~VM_ENTRY_CTL_IA32E_GUEST : bits;
}
