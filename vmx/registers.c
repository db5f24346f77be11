/* Guest registers in the VMCS. SDM Vol. 3C, "Guest-State Area". */
#include "virt/control_registers.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_cpu.h"
#include "vmx/vmx_vcpu.h"

#define SEGMENTS(X) X(CS, cs) X(SS, ss) X(DS, ds) X(ES, es) X(FS, fs) X(GS, gs) X(TR, tr) X(LDTR, ldtr)

static inline uint64_t guest_cr0(void)
{
	return (vmcs_read_natural(VMCS_GUEST_CR0) & ~VMX_CR0_MASK) | (vmcs_read_natural(VMCS_CR0_SHADOW) & VMX_CR0_MASK);
}

inline uint64_t vmx_cr4_mask(const struct vcpu *vcpu)
{
	return ~(vcpu->vm->cr4_allowed & ~CR4_MCE);
}

inline uint64_t vmx_guest_cr4(const struct vcpu *vcpu)
{
	uint64_t mask = vmx_cr4_mask(vcpu);

	return (vmcs_read_natural(VMCS_GUEST_CR4) & ~mask) | (vmcs_read_natural(VMCS_CR4_SHADOW) & mask);
}

void vmx_get_registers(struct vcpu *vcpu, struct vcpu_registers *out)
{
	out->gpr[GPR_RSP] = vmcs_read_natural(VMCS_GUEST_RSP);
	out->rip = vmcs_read_natural(VMCS_GUEST_RIP);
	out->rflags = vmcs_read_natural(VMCS_GUEST_RFLAGS);
	out->cr0 = guest_cr0();
	out->cr3 = vmcs_read_natural(VMCS_GUEST_CR3);
	out->cr4 = vmx_guest_cr4(vcpu);
	out->efer = vmcs_read64(VMCS_GUEST_IA32_EFER);
#define READ_SEGMENT(NAME, name)                                                      \
	out->name = (struct vcpu_segment){.base = vmcs_read_natural(VMCS_GUEST_##NAME##_BASE), \
					  .limit = vmcs_read32(VMCS_GUEST_##NAME##_LIMIT),     \
					  .attributes = vmcs_read32(VMCS_GUEST_##NAME##_ATTRIBUTES), \
					  .selector = vmcs_read16(VMCS_GUEST_##NAME##_SELECTOR)};
	SEGMENTS(READ_SEGMENT)
#undef READ_SEGMENT
	out->dr7 = vmcs_read_natural(VMCS_GUEST_DR7);
	out->pdpte[0] = vmcs_read64(VMCS_GUEST_PDPTE0);
	out->pdpte[1] = vmcs_read64(VMCS_GUEST_PDPTE1);
	out->pdpte[2] = vmcs_read64(VMCS_GUEST_PDPTE2);
	out->pdpte[3] = vmcs_read64(VMCS_GUEST_PDPTE3);
	out->nmi_blocked = (vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) & INTERRUPTIBILITY_NMI) != 0 ? 1 : 0;
	out->gdtr =
	    (struct vcpu_segment){.base = vmcs_read_natural(VMCS_GUEST_GDTR_BASE), .limit = vmcs_read32(VMCS_GUEST_GDTR_LIMIT)};
	out->idtr =
	    (struct vcpu_segment){.base = vmcs_read_natural(VMCS_GUEST_IDTR_BASE), .limit = vmcs_read32(VMCS_GUEST_IDTR_LIMIT)};
}

static void set_control_registers(const struct vcpu_registers *registers)
{
	/* Unrestricted guest frees PE and PG of what VMX fixes. CD and NW are the host's: an entry does not load them. */
	uint64_t cr0_fixed = vmx_capabilities.cr0_must_be_1 & ~(CR0_PE | CR0_PG);

	vmcs_write_natural(VMCS_GUEST_CR0, (registers->cr0 & ~(CR0_CD | CR0_NW)) | cr0_fixed | CR0_ET);
	vmcs_write_natural(VMCS_CR0_SHADOW, registers->cr0);
	vmcs_write_natural(VMCS_GUEST_CR3, registers->cr3);
	vmcs_write_natural(VMCS_GUEST_CR4, registers->cr4 | vmx_capabilities.cr4_must_be_1 | CR4_MCE);
	vmcs_write_natural(VMCS_CR4_SHADOW, registers->cr4);
	vmcs_write64(VMCS_GUEST_IA32_EFER, registers->efer);
	vmcs_write_natural(VMCS_GUEST_DR7, (uint32_t)registers->dr7 | DR7_AFTER_INIT);
	/* Of PAE paging; an entry checks their reserved bits. */
	vmcs_write64(VMCS_GUEST_PDPTE0, registers->pdpte[0]);
	vmcs_write64(VMCS_GUEST_PDPTE1, registers->pdpte[1]);
	vmcs_write64(VMCS_GUEST_PDPTE2, registers->pdpte[2]);
	vmcs_write64(VMCS_GUEST_PDPTE3, registers->pdpte[3]);
}

void vmx_set_registers(struct vcpu *vcpu, const struct vcpu_registers *registers)
{
	const struct vmx_vcpu *vmx = vcpu->backend;
	bool in_long_mode = (registers->efer & EFER_LMA) != 0;

	vmcs_write_natural(VMCS_GUEST_RSP, registers->gpr[GPR_RSP]);
	vmcs_write_natural(VMCS_GUEST_RIP, registers->rip);
	vmcs_write_natural(VMCS_GUEST_RFLAGS, registers->rflags);
	set_control_registers(registers);
	vmcs_write32(VMCS_ENTRY_CONTROLS, vmx->controls.entry | (in_long_mode ? VM_ENTRY_CTL_IA32E_GUEST : 0));
#define WRITE_SEGMENT(NAME, name)                                                     \
	vmcs_write_natural(VMCS_GUEST_##NAME##_BASE, registers->name.base);            \
	vmcs_write32(VMCS_GUEST_##NAME##_LIMIT, registers->name.limit);                \
	vmcs_write32(VMCS_GUEST_##NAME##_ATTRIBUTES, registers->name.attributes);      \
	vmcs_write16(VMCS_GUEST_##NAME##_SELECTOR, (uint16_t)registers->name.selector);
	SEGMENTS(WRITE_SEGMENT)
#undef WRITE_SEGMENT
	vmcs_write_natural(VMCS_GUEST_GDTR_BASE, registers->gdtr.base);
	vmcs_write32(VMCS_GUEST_GDTR_LIMIT, registers->gdtr.limit);
	vmcs_write_natural(VMCS_GUEST_IDTR_BASE, registers->idtr.base);
	vmcs_write32(VMCS_GUEST_IDTR_LIMIT, registers->idtr.limit);
	vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, registers->nmi_blocked != 0 ? INTERRUPTIBILITY_NMI : 0);
	vmcs_write32(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write_natural(VMCS_GUEST_PENDING_DEBUG, 0);
	vmcs_write32(VMCS_ENTRY_INTERRUPTION_INFO, 0);
	/* No entry flushes what this VPID's CR3 and CR4 of before gave: INIT and a new state do. */
	vmx_forget_linear(vmx);
}

void vmx_set_dr7(struct vcpu *vcpu, uint64_t value)
{
	(void)vcpu;
	vmcs_write_natural(VMCS_GUEST_DR7, value);
}

void vmx_set_flags(struct vcpu *vcpu, uint64_t flags, uint64_t mask)
{
	(void)vcpu;
	vmcs_write_natural(VMCS_GUEST_RFLAGS, (vmcs_read_natural(VMCS_GUEST_RFLAGS) & ~mask) | (flags & mask));
}

uint64_t vmx_get_efer(const struct vcpu *vcpu)
{
	(void)vcpu;
	return vmcs_read64(VMCS_GUEST_IA32_EFER);
}

void vmx_set_efer(struct vcpu *vcpu, uint64_t efer)
{
	(void)vcpu;
	vmcs_write64(VMCS_GUEST_IA32_EFER, efer);
}

bool vmx_paging_enabled(const struct vcpu *vcpu)
{
	(void)vcpu;
	return (vmcs_read_natural(VMCS_GUEST_CR0) & CR0_PG) != 0;
}

void vmx_set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	(void)vcpu;
	vmcs_write64(VMCS_TSC_OFFSET, offset);
}

/* Each is in the VMCS where the VM is offered it. Exits save them; the host, with CET off in CR4, needs none loaded.
 * SDM Vol. 3C, "Saving Control Registers, Debug Registers, and MSRs". */
uint64_t vmx_get_switched_msr(const struct vcpu *vcpu, uint32_t msr)
{
	(void)vcpu;
	return vmcs_read_natural(msr == MSR_IA32_S_CET ? VMCS_GUEST_IA32_S_CET : VMCS_GUEST_INTERRUPT_SSP_TABLE);
}

void vmx_set_switched_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	(void)vcpu;
	vmcs_write_natural(msr == MSR_IA32_S_CET ? VMCS_GUEST_IA32_S_CET : VMCS_GUEST_INTERRUPT_SSP_TABLE, value);
}

void vmx_reset_switched_msrs(struct vcpu *vcpu)
{
	const struct vmx_vcpu *vmx = vcpu->backend;

	if ((vmx->controls.entry & VM_ENTRY_CTL_LOAD_CET) == 0)
		return;
	vmcs_write_natural(VMCS_GUEST_IA32_S_CET, 0);
	vmcs_write_natural(VMCS_GUEST_SSP, 0);
	vmcs_write_natural(VMCS_GUEST_INTERRUPT_SSP_TABLE, 0);
}

/* In 64-bit mode these count as zero, whatever they hold: SDM Vol. 1, "Segment Registers in 64-Bit Mode". */
static void fill_flat_bases(struct vcpu_exit *exit)
{
	bool is_64_bit = (exit->efer & EFER_LMA) != 0 && (exit->cs_attributes & SEGMENT_LONG) != 0;

	exit->cs_base = is_64_bit ? 0 : vmcs_read_natural(VMCS_GUEST_CS_BASE);
	exit->ss_base = is_64_bit ? 0 : vmcs_read_natural(VMCS_GUEST_SS_BASE);
	exit->ds_base = is_64_bit ? 0 : vmcs_read_natural(VMCS_GUEST_DS_BASE);
	exit->es_base = is_64_bit ? 0 : vmcs_read_natural(VMCS_GUEST_ES_BASE);
}

void vmx_fill_decode_group(struct vcpu *vcpu)
{
	struct vcpu_exit *exit = &vcpu->state->exit;

	vcpu->state->gpr[GPR_RSP] = vmcs_read_natural(VMCS_GUEST_RSP);
	exit->rip = vmcs_read_natural(VMCS_GUEST_RIP);
	exit->rflags = vmcs_read_natural(VMCS_GUEST_RFLAGS);
	exit->cr0 = guest_cr0();
	exit->cr3 = vmcs_read_natural(VMCS_GUEST_CR3);
	exit->cr4 = vmx_guest_cr4(vcpu);
	exit->efer = vmcs_read64(VMCS_GUEST_IA32_EFER);
	exit->fs_base = vmcs_read_natural(VMCS_GUEST_FS_BASE);
	exit->gs_base = vmcs_read_natural(VMCS_GUEST_GS_BASE);
	exit->cs_attributes = vmcs_read32(VMCS_GUEST_CS_ATTRIBUTES);
	fill_flat_bases(exit);
	exit->ss_attributes = vmcs_read32(VMCS_GUEST_SS_ATTRIBUTES);
	exit->cpl = exit->ss_attributes >> 5 & 3;
}
