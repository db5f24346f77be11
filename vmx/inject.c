/* Event injection. SDM Vol. 3C, "Event Injection", "Information for VM Exits During Event Delivery". */
#include "vmx/inject.h"

#include "lib/x86/fault_combine.h"
#include "virt/control_registers.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/apicv.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_vcpu.h"

#define VECTOR_NMI 2U
#define VECTOR_DF  8U
#define BIT(vector) (1U << (vector))
#define NO_FAULTS  (BIT(1) | BIT(3) | BIT(4) | BIT(VECTOR_DF) | BIT(18)) /* #DB, #BP, #OF, #DF, #MC: traps and aborts */
/* An entry may demand the rest to be zero. */
#define ERROR_CODE_BITS 0x7fffU

static uint32_t waiting_event(void)
{
	return vmcs_read32(VMCS_ENTRY_INTERRUPTION_INFO);
}

static void put_event(uint32_t info)
{
	vmcs_write32(VMCS_ENTRY_INTERRUPTION_INFO, info | EVENT_VALID);
}

bool vmx_event_pending(const struct vcpu *vcpu)
{
	(void)vcpu;
	return (waiting_event() & EVENT_VALID) != 0;
}

/* A debug trap goes first: an entry that injects an interrupt or NMI would lose it. SDM Vol. 3C, "Delivery of Pending Debug
 * Exceptions after VM Entry". */
static bool no_trap_waits(void)
{
	return (vmcs_read_natural(VMCS_GUEST_PENDING_DEBUG) & PENDING_DEBUG_WAITS) == 0;
}

bool vmx_interrupt_open(const struct vcpu *vcpu)
{
	(void)vcpu;
	return (vmcs_read_natural(VMCS_GUEST_RFLAGS) & RFLAGS_IF) != 0 &&
	       (vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) & INTERRUPTIBILITY_SHADOW) == 0 && no_trap_waits();
}

bool vmx_nmi_open(const struct vcpu *vcpu)
{
	(void)vcpu;
	return (vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) & (INTERRUPTIBILITY_SHADOW | INTERRUPTIBILITY_NMI)) == 0 &&
	       no_trap_waits();
}

void vmx_inject_interrupt(struct vcpu *vcpu, uint8_t vector)
{
	(void)vcpu;
	put_event(EVENT_EXTERNAL_INTERRUPT << 8 | vector);
}

void vmx_inject_nmi(struct vcpu *vcpu)
{
	(void)vcpu;
	put_event(EVENT_NMI << 8 | VECTOR_NMI);
}

/* An interrupt or NMI whose delivery an exception broke off waits again; a software event's instruction runs again. */
static void put_back(struct vcpu *vcpu, uint32_t info)
{
	uint8_t vector = EVENT_VECTOR(info);

	vmx_take_apic(vcpu);
	if (EVENT_TYPE(info) == EVENT_NMI) {
		vcpu->nmis_waiting = vcpu->nmis_waiting == 0 ? 1 : 2;
	} else if (EVENT_TYPE(info) == EVENT_EXTERNAL_INTERRUPT && (vcpu->apic.isr[vector / 32] >> vector % 32 & 1) == 0) {
		vcpu->extint_taken = true; /* an 8259's: the local APIC knows nothing of it */
		vcpu->extint_vector = vector;
	} else if (EVENT_TYPE(info) == EVENT_EXTERNAL_INTERRUPT) {
		vcpu->apic.isr[vector / 32] &= ~(1U << vector % 32);
		vcpu->apic.irr[vector / 32] |= 1U << vector % 32;
	}
	atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
}

/* A fault's handler finds RF set in the flags it returns to, which an entry saves as they are: "Resume Flag" in SDM Vol. 3B,
 * "Instruction-Breakpoint Exception Condition". */
static void set_resume_flag(uint8_t vector)
{
	if ((NO_FAULTS >> vector & 1) == 0)
		vmcs_write_natural(VMCS_GUEST_RFLAGS, vmcs_read_natural(VMCS_GUEST_RFLAGS) | RFLAGS_RF);
}

void vmx_inject_exception(struct vcpu *vcpu, uint8_t vector, bool has_error_code, uint32_t error_code)
{
	uint32_t waiting = waiting_event();

	if ((waiting & EVENT_VALID) != 0 && EVENT_TYPE(waiting) == EVENT_HARDWARE_EXCEPTION) {
		switch (fault_combine(EVENT_VECTOR(waiting), vector)) {
		case FAULT_SERIAL: break;
		case FAULT_DOUBLE:
			vector = VECTOR_DF;
			has_error_code = true;
			error_code = 0;
			break;
		case FAULT_TRIPLE: vm_stop(vcpu->vm, VCPU_STOP_TRIPLE_FAULT); return;
		}
	} else if ((waiting & EVENT_VALID) != 0) {
		put_back(vcpu, waiting);
	}
	set_resume_flag(vector);
	/* Real mode pushes no error codes, and an entry there refuses one: "VM-Entry Control Fields". */
	has_error_code = has_error_code && (vmcs_read_natural(VMCS_GUEST_CR0) & CR0_PE) != 0;
	if (has_error_code)
		vmcs_write32(VMCS_ENTRY_EXCEPTION_ERROR_CODE, error_code & ERROR_CODE_BITS);
	put_event(EVENT_HARDWARE_EXCEPTION << 8 | vector | (has_error_code ? EVENT_HAS_ERROR_CODE : 0));
}

/* Then an NMI window may exit before each instruction, for ever: "Other Causes of VM Exits". IF is set behind STI, so an interrupt
 * window opens as soon as the NMI can be injected. */
static bool only_sti_blocks_nmis(void)
{
	uint32_t blocking = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);

	return (blocking & INTERRUPTIBILITY_STI) != 0 && (blocking & INTERRUPTIBILITY_NMI) == 0;
}

void vmx_set_windows(struct vcpu *vcpu, bool interrupt, bool nmi)
{
	struct vmx_vcpu *vmx = vcpu->backend;
	uint32_t primary = vmx->primary_base;

	if (nmi && only_sti_blocks_nmis()) {
		interrupt = true;
		nmi = false;
	}
	primary |= interrupt ? PRIMARY_PROC_INTERRUPT_WINDOW : 0;
	primary |= nmi ? PRIMARY_PROC_NMI_WINDOW : 0;
	if (primary == vmx->primary_now)
		return;
	vmx->primary_now = primary;
	vmcs_write32(VMCS_PRIMARY_PROC_CONTROLS, primary);
}

void vmx_reinject(uint32_t info)
{
	uint32_t type = EVENT_TYPE(info);

	if ((info & EVENT_HAS_ERROR_CODE) != 0)
		vmcs_write32(VMCS_ENTRY_EXCEPTION_ERROR_CODE, vmcs_read32(VMCS_IDT_VECTORING_ERROR_CODE));
	/* The exit's instruction length is defined in just these cases of event delivery. */
	if (type >= EVENT_SOFTWARE_INTERRUPT && type <= EVENT_SOFTWARE_EXCEPTION)
		vmcs_write32(VMCS_ENTRY_INSTRUCTION_LEN, vmcs_read32(VMCS_EXIT_INSTRUCTION_LEN));
	/* Its delivery began, so NMIs are blocked already; injecting it again asks for them not to be. */
	if (type == EVENT_NMI)
		vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) & ~INTERRUPTIBILITY_NMI);
	put_event(info & ~EVENT_NMI_UNBLOCKING); /* bit 12 is undefined here and reserved there */
}

void vmx_tell_event(struct vcpu_exit *exit)
{
	uint32_t waiting = waiting_event();

	exit->event = (waiting & EVENT_VALID) != 0 ? waiting : 0;
	exit->event_error_code = vmcs_read32(VMCS_ENTRY_EXCEPTION_ERROR_CODE);
	exit->instruction_bytes = (uint8_t)vmcs_read32(VMCS_ENTRY_INSTRUCTION_LEN);
}
