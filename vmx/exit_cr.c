/* Accesses to control registers that exit: CR8, and writes of CR0 and CR4 that change a bit the guest does not own.
 * Most bits are the guest's, so that the CPU itself does what follows from PE, PG, PAE and so on, with its faults, its PDPTE loads
 * and its TLB. SDM Vol. 3C, "Guest/Host Masks and Read Shadows for CR0 and CR4". */
#include "kernel/cpu_insn.h"
#include "virt/control_registers.h"
#include "virt/interrupts.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/cr_access.h"
#include "vmx/exit.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_vcpu.h"

static uint64_t read_gpr(const struct vcpu *vcpu, unsigned number)
{
	return number == GPR_RSP ? vmcs_read_natural(VMCS_GUEST_RSP) : vcpu->state->gpr[number];
}

static void write_gpr(struct vcpu *vcpu, unsigned number, uint64_t value)
{
	if (number == GPR_RSP)
		vmcs_write_natural(VMCS_GUEST_RSP, value);
	else
		vcpu->state->gpr[number] = value;
}

/* The shadow takes the bits that the host owns; then the instruction runs again and does not exit, and the CPU does the rest. */
static enum exit_verdict guest_writes_cr0(struct vcpu *vcpu, uint64_t value)
{
	bool cs_is_long = (vmcs_read32(VMCS_GUEST_CS_ATTRIBUTES) & SEGMENT_LONG) != 0;

	if (!cr0_write_allowed(value, vmx_guest_cr4(vcpu), vmx_get_efer(vcpu), cs_is_long))
		return exit_inject_gp(vcpu);
	vmcs_write_natural(VMCS_CR0_SHADOW, value);
	return EXIT_REENTER;
}

static enum exit_verdict guest_writes_cr4(struct vcpu *vcpu, uint64_t value)
{
	const struct vcpu_registers now = {.cr0 = vmcs_read_natural(VMCS_GUEST_CR0), .cr3 = vmcs_read_natural(VMCS_GUEST_CR3),
					   .cr4 = vmx_guest_cr4(vcpu), .efer = vmx_get_efer(vcpu)};

	if (!cr4_write_allowed(value, vcpu->vm->cr4_allowed, &now))
		return exit_inject_gp(vcpu);
	vmcs_write_natural(VMCS_CR4_SHADOW, value);
	return EXIT_REENTER;
}

static enum exit_verdict guest_writes_cr8(struct vcpu *vcpu, uint64_t value)
{
	struct apic_effects effects = {.flags = 0};

	if (value > 15)
		return exit_inject_gp(vcpu);
	local_apic_write(&vcpu->apic, APIC_TPR, (uint32_t)value << 4, rdtsc(), &effects);
	interrupts_apply(vcpu, &effects);
	return EXIT_ADVANCE;
}

/* LMSW writes PE, MP, EM and TS, CLTS clears TS: the guest owns them all, so neither exits. */
enum exit_verdict exit_cr_access(struct vcpu *vcpu, const struct exit_info *info)
{
	struct cr_access access = cr_access_decode(info->qualification);

	if (access.kind == CR_ACCESS_TO && access.cr == 0)
		return guest_writes_cr0(vcpu, read_gpr(vcpu, access.gpr));
	if (access.kind == CR_ACCESS_TO && access.cr == 4)
		return guest_writes_cr4(vcpu, read_gpr(vcpu, access.gpr));
	if (access.kind == CR_ACCESS_TO && access.cr == 8)
		return guest_writes_cr8(vcpu, read_gpr(vcpu, access.gpr));
	if (access.kind == CR_ACCESS_FROM && access.cr == 8) {
		write_gpr(vcpu, access.gpr, vcpu->apic.tpr >> 4);
		return EXIT_ADVANCE;
	}
	return exit_unexpected(vcpu, info);
}
