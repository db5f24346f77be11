/* Exits by interrupts, NMIs and intercepted exceptions. SDM Vol. 3C, "Information for VM Exits Due to Vectored Events". */
#include "kernel/cpu_insn.h"
#include "kernel/interrupt.h"
#include "kernel/panic.h"
#include "kernel/thread.h"
#include "virt/vcpu.h"
#include "vmx/exit.h"
#include "vmx/inject.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_run.h"

#define VECTOR_DB 1U
#define VECTOR_NMI 2U
#define VECTOR_AC 17U
#define VECTOR_MC 18U

/* B0 - B3, which a CPU sets and clears; BD and BS, which it sets and leaves to software to clear. Also their places in the exit
 * qualification. SDM Vol. 3B, "Debug Status Register (DR6)". */
#define DR6_BREAKPOINTS 0x000fULL
#define DR6_TRAP_BITS   0x600fULL
#define DR6_BD          0x2000ULL
#define DR6_BS          0x4000ULL
#define DR7_GD          0x2000ULL

/* Anything may have happened: the slice may be over, the virtual timer may be due. */
static void look_around(struct vcpu *vcpu)
{
	if (thread_should_yield())
		atomic_fetch_or(&vcpu->pending, PENDING_YIELD);
	if (rdtsc() >= vcpu->timer_deadline_tsc)
		atomic_fetch_or(&vcpu->pending, PENDING_TIMER);
	if (posted_waits(&vcpu->posted)) /* its notification may have come while no guest ran */
		atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
}

enum exit_verdict exit_external_interrupt(struct vcpu *vcpu, const struct exit_info *info)
{
	interrupt_dispatch(EVENT_VECTOR(info->interruption));
	look_around(vcpu);
	return EXIT_REENTER;
}

/* An interrupt or NMI waits and the guest can take it now. */
enum exit_verdict exit_window(struct vcpu *vcpu, const struct exit_info *info)
{
	(void)info;
	atomic_fetch_or(&vcpu->pending, PENDING_INTERRUPT);
	return EXIT_REENTER;
}

/* IRET unblocked NMIs and then faulted: they are blocked again. "Information for VM Exits Due to Vectored Events". */
static void restore_nmi_blocking(const struct exit_info *info)
{
	if ((info->interruption & EVENT_NMI_UNBLOCKING) != 0 && !info->in_delivery)
		vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) | INTERRUPTIBILITY_NMI);
}

/* The exit left DR6 and DR7 as they were; the guest's handler must find what a CPU would have put there. */
static enum exit_verdict reflect_debug(struct vcpu *vcpu, const struct exit_info *info)
{
	uint32_t shadow = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) & INTERRUPTIBILITY_SHADOW;
	uint64_t causes = info->qualification & DR6_TRAP_BITS;

	if ((causes & DR6_BD) != 0) /* a fault: its instruction, not done yet, has made no single step, though Bochs tells of one */
		causes &= ~DR6_BS;
	write_dr6((read_dr6() & ~DR6_BREAKPOINTS) | causes);
	vmcs_write_natural(VMCS_GUEST_DR7, vmcs_read_natural(VMCS_GUEST_DR7) & ~DR7_GD);
	if (EVENT_TYPE(info->interruption) == EVENT_PRIVILEGED_SOFTWARE_EXCEPTION) { /* INT1 */
		vmcs_write32(VMCS_ENTRY_INSTRUCTION_LEN, vmcs_read32(VMCS_EXIT_INSTRUCTION_LEN));
		vmcs_write32(VMCS_ENTRY_INTERRUPTION_INFO, EVENT_VALID | EVENT_PRIVILEGED_SOFTWARE_EXCEPTION << 8 | VECTOR_DB);
		/* It ends an interrupt shadow, and what was held back in it is lost with its delivery. */
		vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) & ~INTERRUPTIBILITY_SHADOW);
		vmcs_write_natural(VMCS_GUEST_PENDING_DEBUG, 0);
		return EXIT_REENTER;
	}
	/* An entry demands BS while TF is set in an interrupt shadow: "Checks on Guest Non-Register State". */
	if (shadow != 0 && (vmcs_read_natural(VMCS_GUEST_RFLAGS) & RFLAGS_TF) != 0)
		vmcs_write_natural(VMCS_GUEST_PENDING_DEBUG, PENDING_DEBUG_BS);
	vmx_inject_exception(vcpu, VECTOR_DB, false, 0);
	return EXIT_REENTER;
}

enum exit_verdict exit_exception(struct vcpu *vcpu, const struct exit_info *info)
{
	uint8_t vector = EVENT_VECTOR(info->interruption);

	if (EVENT_TYPE(info->interruption) == EVENT_NMI) {
		kernel_nmi();
		vmx_unblock_nmi();
		look_around(vcpu);
		return EXIT_REENTER;
	}
	restore_nmi_blocking(info);
	/* Where its own delivery meets the exception again, the guest reaches no boundary at which an interrupt would exit. */
	take_waiting_interrupts();
	look_around(vcpu);
	switch (vector) {
	case VECTOR_DB: return reflect_debug(vcpu, info);
	case VECTOR_AC:
		vmx_inject_exception(vcpu, VECTOR_AC, true, 0);
		return EXIT_REENTER;
	case VECTOR_MC: panic("machine check while a guest ran");
	default: return exit_unexpected(vcpu, info);
	}
}
