/* Instructions that exit and are answered here: CPUID, MSRs, XSETBV, hypercalls, and those a guest does not have.
 * SDM Vol. 3C, "Instructions That Cause VM Exits". */
#include "kernel/scheduler.h"
#include "kernel/thread.h"
#include "virt/control_registers.h"
#include "virt/cpuid_policy.h"
#include "virt/fpu.h"
#include "virt/hypercall.h"
#include "virt/msr_policy.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/exit.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_vcpu.h"

static void write_answer(uint64_t *gpr, const struct cpuid_answer *answer)
{
	gpr[GPR_RAX] = answer->eax;
	gpr[GPR_RBX] = answer->ebx;
	gpr[GPR_RCX] = answer->ecx;
	gpr[GPR_RDX] = answer->edx;
}

/* Out of line: what the other leaves do not need slows their way. */
static __attribute__((noinline)) enum exit_verdict cpuid_of_vcpu(struct vcpu *vcpu)
{
	uint64_t *gpr = vcpu->state->gpr;
	uint64_t cr4 = vmx_guest_cr4(vcpu);
	const struct cpuid_vcpu own = {.apic_id = vcpu->index, .apic_enabled = (vcpu->apic.base & APIC_BASE_ENABLED) != 0,
				       .osxsave = (cr4 & CR4_OSXSAVE) != 0, .ospke = (cr4 & CR4_PKE) != 0, .xcr0 = vcpu->xcr0,
				       .xss = vcpu->msrs[LIVE_XSS]};
	struct cpuid_answer answer = cpuid_policy_answer(vcpu->vm->cpuid, (uint32_t)gpr[GPR_RAX], (uint32_t)gpr[GPR_RCX], &own);

	write_answer(gpr, &answer);
	return EXIT_ADVANCE;
}

enum exit_verdict exit_cpuid(struct vcpu *vcpu, const struct exit_info *info)
{
	uint64_t *gpr = vcpu->state->gpr;
	uint32_t leaf = (uint32_t)gpr[GPR_RAX];

	(void)info;
	if (cpuid_policy_is_own(leaf))
		return cpuid_of_vcpu(vcpu);
	write_answer(gpr, cpuid_policy_static(vcpu->vm->cpuid, leaf, (uint32_t)gpr[GPR_RCX]));
	return EXIT_ADVANCE;
}

enum exit_verdict exit_rdmsr(struct vcpu *vcpu, const struct exit_info *info)
{
	uint64_t value;

	(void)info;
	if (!msr_policy_read(vcpu, (uint32_t)vcpu->state->gpr[GPR_RCX], &value))
		return exit_inject_gp(vcpu);
	vcpu_set_edx_eax(vcpu, value);
	return EXIT_ADVANCE;
}

enum exit_verdict exit_wrmsr(struct vcpu *vcpu, const struct exit_info *info)
{
	(void)info;
	if (!msr_policy_write(vcpu, (uint32_t)vcpu->state->gpr[GPR_RCX], vcpu_edx_eax(vcpu)))
		return exit_inject_gp(vcpu);
	return EXIT_ADVANCE;
}

/* Without CR4.OSXSAVE it is #UD and does not exit. */
enum exit_verdict exit_xsetbv(struct vcpu *vcpu, const struct exit_info *info)
{
	uint64_t value = vcpu_edx_eax(vcpu);

	(void)info;
	if (!xcr0_write_allowed((uint32_t)vcpu->state->gpr[GPR_RCX], value, vcpu->vm->xcr0_mask))
		return exit_inject_gp(vcpu);
	fpu_set_xcr0(vcpu, value);
	return EXIT_ADVANCE;
}

/* Out of line: what a call without arguments does not need. */
static __attribute__((noinline)) void read_arguments(struct vcpu *vcpu, struct hypercall *call)
{
	const uint64_t *gpr = vcpu->state->gpr;
	uint64_t mask;

	call->is_64_bit = (vmcs_read32(VMCS_GUEST_CS_ATTRIBUTES) & SEGMENT_LONG) != 0 && (vmx_get_efer(vcpu) & EFER_LMA) != 0;
	mask = call->is_64_bit ? UINT64_MAX : UINT32_MAX;
	call->number &= mask;
	call->arguments[0] = gpr[GPR_RBX] & mask;
	call->arguments[1] = gpr[GPR_RCX] & mask;
	call->arguments[2] = gpr[GPR_RDX] & mask;
	call->arguments[3] = gpr[GPR_RSI] & mask;
}

enum exit_verdict exit_vmcall(struct vcpu *vcpu, const struct exit_info *info)
{
	struct hypercall call;

	(void)info;
	call.number = vcpu->state->gpr[GPR_RAX];
	call.cpl = vmcs_read32(VMCS_GUEST_SS_ATTRIBUTES) >> 5 & 3;
	if (hypercall_has_arguments(call.number))
		read_arguments(vcpu, &call);
	vcpu->state->gpr[GPR_RAX] = (uint64_t)hypercall(vcpu, &call);
	return EXIT_ADVANCE;
}

/* A debug trap, also that of TF, comes behind HLT and ends it. */
enum exit_verdict exit_hlt(struct vcpu *vcpu, const struct exit_info *info)
{
	(void)vcpu;
	(void)info;
	if ((vmcs_read_natural(VMCS_GUEST_RFLAGS) & RFLAGS_TF) != 0 ||
	    (vmcs_read_natural(VMCS_GUEST_PENDING_DEBUG) & PENDING_DEBUG_WAITS) != 0)
		return EXIT_ADVANCE;
	return EXIT_BLOCK;
}

/* PAUSE, or many in a row: the vCPU waits for another one, which may be waiting for this CPU. */
enum exit_verdict exit_pause(struct vcpu *vcpu, const struct exit_info *info)
{
	(void)info;
	scheduler_yield_to_sibling();
	if (thread_should_yield())
		atomic_fetch_or(&vcpu->pending, PENDING_YIELD);
	return EXIT_ADVANCE;
}

/* INVD and WBINVD: guest memory is write-back and coherent, and INVD would lose the host's data. */
enum exit_verdict exit_nothing(struct vcpu *vcpu, const struct exit_info *info)
{
	(void)vcpu;
	(void)info;
	return EXIT_ADVANCE;
}

/* CPUID shows no performance counters. */
enum exit_verdict exit_rdpmc(struct vcpu *vcpu, const struct exit_info *info)
{
	(void)info;
	return exit_inject_gp(vcpu);
}

/* VMX, SMX, SGX, TDX, SMM, MONITOR, MWAIT and MSR accesses by immediate number: CPUID shows none of them. */
enum exit_verdict exit_undefined(struct vcpu *vcpu, const struct exit_info *info)
{
	(void)info;
	return exit_inject_ud(vcpu);
}
