/* Handing the local APIC's state to the CPU and taking it back. SDM Vol. 3C, "APIC Virtualization and Virtual Interrupts". */
#include "vmx/apicv.h"

#include <stdatomic.h>

#include "kernel/config.h"
#include "kernel/pool.h"
#include "virt/interrupts.h"
#include "virt/msr_policy.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/exit.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_cpu.h"
#include "vmx/vmx_vcpu.h"

#define CR8_EXITS (PRIMARY_PROC_CR8_LOAD | PRIMARY_PROC_CR8_STORE)
#define SECONDARY_ON (SECONDARY_PROC_X2APIC | SECONDARY_PROC_VIRTUAL_INTERRUPTS)
/* "Guest Interrupt Status": the requesting vector, RVI, below, the one in service above. */
#define STATUS_REQUESTING 0xffU
#define PRIORITY_CLASS    0xf0U

bool apicv_in_use(const struct vm *vm)
{
	const struct vmx_allowed *allowed = vmx_capabilities.controls;

	if ((allowed[VMX_PRIMARY].may_be_1 & PRIMARY_PROC_TPR_SHADOW) == 0 || (allowed[VMX_PRIMARY].must_be_1 & CR8_EXITS) != 0 ||
	    (~allowed[VMX_SECONDARY].may_be_1 & SECONDARY_ON) != 0)
		return false;
	return !vm_feature_disabled(vm, FEATURE_TPR_SHADOW) && !vm_feature_disabled(vm, FEATURE_APICV) &&
	       !vm_feature_disabled(vm, FEATURE_X2APIC);
}

bool apicv_posts(const struct vm *vm)
{
	return apicv_in_use(vm) && (vmx_capabilities.controls[VMX_PIN].may_be_1 & PIN_POSTED_INTERRUPTS) != 0 &&
	       !vm_feature_disabled(vm, FEATURE_POSTED_INTERRUPTS);
}

void apicv_setup(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->backend;

	vmx->has_apicv = apicv_in_use(vcpu->vm);
	if (!vmx->has_apicv)
		return;
	vmcs_write64(VMCS_VIRTUAL_APIC_ADDRESS, vcpu->virtual_apic_physical);
	vmcs_write32(VMCS_TPR_THRESHOLD, 0);
	vmcs_write16(VMCS_GUEST_INTERRUPT_STATUS, 0);
	vmcs_write64(VMCS_EOI_EXIT_0, 0);
	vmcs_write64(VMCS_EOI_EXIT_1, 0);
	vmcs_write64(VMCS_EOI_EXIT_2, 0);
	vmcs_write64(VMCS_EOI_EXIT_3, 0);
	if (!apicv_posts(vcpu->vm))
		return;
	vmcs_write16(VMCS_POSTED_VECTOR, VECTOR_POSTED);
	vmcs_write64(VMCS_POSTED_DESCRIPTOR, direct_physical(&vcpu->posted));
}

/* In xAPIC mode, and without a local APIC, all is done by software: the controls say so. */
static void switch_controls(struct vcpu *vcpu, struct vmx_vcpu *vmx, bool on)
{
	bool posts = on && apicv_posts(vcpu->vm);
	uint32_t primary = vmx->controls.primary, secondary = vmx->controls.secondary;

	vmx->apicv_on = on;
	vmx->primary_base = on ? (primary & ~CR8_EXITS) | PRIMARY_PROC_TPR_SHADOW : primary;
	vmcs_write32(VMCS_PIN_CONTROLS, vmx->controls.pin | (posts ? PIN_POSTED_INTERRUPTS : 0));
	/* x2APIC mode excludes the APIC-access page; what is remembered of that page does not know of the change. SDM Vol. 3C,
	 * "Guidelines for Use of the INVVPID Instruction". */
	vmcs_write32(VMCS_SECONDARY_PROC_CONTROLS, on ? (secondary & ~SECONDARY_PROC_APIC_ACCESSES) | SECONDARY_ON : secondary);
	atomic_fetch_or(&vcpu->pending, PENDING_FLUSH);
	vmcs_write64(VMCS_MSR_BITMAP, vmx_msr_bitmap_physical(on));
	vmx->primary_now = vmx->primary_base;
	vmcs_write32(VMCS_PRIMARY_PROC_CONTROLS, vmx->primary_now);
	atomic_store(&vcpu->takes_posted, posts);
}

static uint32_t *bits_at(const struct vcpu *vcpu, uint32_t offset, unsigned i)
{
	return (uint32_t *)(void *)((uint8_t *)vcpu->virtual_apic + offset + 16 * i);
}

/* Vectors whose EOI the VMM wants to hear of. */
static void write_eoi_exits(const struct vcpu *vcpu, struct vmx_vcpu *vmx)
{
	static const vmcs_field64 fields[4] = {VMCS_EOI_EXIT_0, VMCS_EOI_EXIT_1, VMCS_EOI_EXIT_2, VMCS_EOI_EXIT_3};

	for (unsigned i = 0; i < 4; i++) {
		uint64_t wanted = atomic_load(&vcpu->vm->eoi_exits[i]);

		if (wanted == vmx->eoi_exits[i])
			continue;
		vmx->eoi_exits[i] = wanted;
		vmcs_write64(fields[i], wanted);
	}
}

/* Returns the guest interrupt status that belongs to it. */
static uint32_t hand_over(struct vcpu *vcpu)
{
	struct local_apic *apic = &vcpu->apic;
	int in_service = local_apic_in_service(apic);

	*bits_at(vcpu, APIC_PPR, 0) = local_apic_priority(apic);
	for (unsigned i = 0; i < 8; i++) {
		*bits_at(vcpu, APIC_IRR, i) = 0;
		*bits_at(vcpu, APIC_ISR, i) = apic->isr[i];
		apic->isr[i] = 0;
	}
	*bits_at(vcpu, APIC_TPR, 0) = apic->tpr;
	apic->tpr = 0;
	vcpu->apic_is_lent = true;
	return (in_service < 0 ? 0 : (uint32_t)in_service) << 8;
}

/* The higher one of RVI and what software has, which is to be added. */
static uint32_t requesting(const struct vcpu *vcpu, uint32_t status)
{
	int added = local_apic_requested(&vcpu->apic);

	return added > (int)(status & STATUS_REQUESTING) ? (uint32_t)added : status & STATUS_REQUESTING;
}

static void add_requests(struct vcpu *vcpu)
{
	for (unsigned i = 0; i < 8; i++) {
		if (vcpu->apic.irr[i] == 0)
			continue;
		*bits_at(vcpu, APIC_IRR, i) |= vcpu->apic.irr[i];
		vcpu->apic.irr[i] = 0;
	}
}

static void lend(struct vcpu *vcpu, struct vmx_vcpu *vmx)
{
	bool is_new = !vcpu->apic_is_lent;
	uint32_t before = is_new ? hand_over(vcpu) : vmcs_read16(VMCS_GUEST_INTERRUPT_STATUS);
	uint32_t status = (before & ~STATUS_REQUESTING) | requesting(vcpu, before);

	if (local_apic_requested(&vcpu->apic) >= 0)
		add_requests(vcpu);
	write_eoi_exits(vcpu, vmx);
	if (is_new || status != before)
		vmcs_write16(VMCS_GUEST_INTERRUPT_STATUS, (uint16_t)status);
}

/* The CPU keeps PPR and RVI up to date: "Virtualized APIC Registers", "Guest Non-Register State". */
bool vmx_lent_apic_pending(const struct vcpu *vcpu)
{
	uint32_t highest = requesting(vcpu, vmcs_read16(VMCS_GUEST_INTERRUPT_STATUS));

	return (highest & PRIORITY_CLASS) > (*bits_at(vcpu, APIC_PPR, 0) & PRIORITY_CLASS);
}

bool vmx_lend_apic(struct vcpu *vcpu)
{
	struct vmx_vcpu *vmx = vcpu->backend;
	bool on = vmx->has_apicv && local_apic_in_x2apic(&vcpu->apic);

	if (on != vmx->apicv_on)
		switch_controls(vcpu, vmx, on);
	if (on)
		lend(vcpu, vmx);
	return on;
}

/* An illegal vector that the hardware has taken in is an error all the same. */
static uint32_t requested_in_page(struct vcpu *vcpu, unsigned i)
{
	uint32_t requested = *bits_at(vcpu, APIC_IRR, i);

	if (i != 0 || (requested & APIC_ILLEGAL_VECTORS) == 0)
		return requested;
	local_apic_post(&vcpu->apic, 0);
	return requested & ~APIC_ILLEGAL_VECTORS;
}

void vmx_take_apic(struct vcpu *vcpu)
{
	if (!vcpu->apic_is_lent)
		return;
	for (unsigned i = 0; i < 8; i++) {
		uint32_t requested = requested_in_page(vcpu, i);

		vcpu->apic.isr[i] = *bits_at(vcpu, APIC_ISR, i);
		vcpu->apic.irr[i] |= requested;
		interrupts_note_level(vcpu, i, requested | vcpu->apic.isr[i]); /* the hardware keeps no TMR */
	}
	vcpu->apic.tpr = *bits_at(vcpu, APIC_TPR, 0) & 0xff;
	vcpu->apic_is_lent = false;
	atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT); /* it goes back before the next entry */
}

/* The guest has moved on. SDM Vol. 3C, "EOI Virtualization". */
enum exit_verdict exit_virtualized_eoi(struct vcpu *vcpu, const struct exit_info *info)
{
	interrupts_end(vcpu, (uint8_t)info->qualification);
	return EXIT_REENTER;
}

/* The guest has moved on; in x2APIC mode this is a self-IPI of a vector below 16, which software knows as an error. SDM Vol. 3C,
 * "Virtualizing MSR-Based APIC Accesses". */
enum exit_verdict exit_apic_write(struct vcpu *vcpu, const struct exit_info *info)
{
	if (info->qualification != APIC_SELF_IPI)
		return exit_unexpected(vcpu, info);
	if (!msr_policy_write(vcpu, MSR_X2APIC_SELF_IPI, *bits_at(vcpu, APIC_SELF_IPI, 0) & 0xff))
		return exit_inject_gp(vcpu);
	return EXIT_REENTER;
}
