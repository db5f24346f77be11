/* VM exits: what a handler gets, what it answers, and the handlers by family. Only the dispatcher moves RIP. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/vcpu.h"

struct vcpu;

enum exit_verdict {
	EXIT_ADVANCE, /* instruction emulated: step over it */
	EXIT_REENTER, /* state already right: fault injected, interrupt handled */
	EXIT_BLOCK,   /* HLT: step over it, then wait */
	EXIT_TO_VMM,  /* decoded into state->exit: vcpu_run returns to ring 3 */
	EXIT_STOP,    /* this VM cannot go on; vm_stop() was called */
};

/* Fields of the VMCS that a reason needs; others are not read and are zero. */
#define EXIT_NEEDS_LENGTH        0x1U /* only where the manual defines it for this reason; but see exit_apic_access() */
#define EXIT_NEEDS_QUALIFICATION 0x2U
#define EXIT_NEEDS_INTERRUPTION  0x4U
#define EXIT_NEEDS_VECTORING     0x8U /* the exit may have broken off the delivery of an event, which is injected again */

struct exit_info {
	uint32_t reason; /* basic exit reason */
	uint32_t instruction_bytes;
	uint64_t qualification;
	uint32_t interruption;
	bool in_delivery;
};

typedef enum exit_verdict (*exit_handler)(struct vcpu *vcpu, const struct exit_info *info);

struct exit_row {
	exit_handler handle;
	unsigned needs;
	const char *name;
};

/* Stops the VM and leaves in state->exit what a report needs. Always EXIT_STOP. */
enum exit_verdict exit_stop(struct vcpu *vcpu, const struct exit_info *info, enum vcpu_stop_reason reason);
/* Faults of the guest's own making. Always EXIT_REENTER. */
enum exit_verdict exit_inject_gp(struct vcpu *vcpu);
enum exit_verdict exit_inject_ud(struct vcpu *vcpu);

/* The number in bits 15:0 of the exit reason, the name and handler, what it needs. SDM Vol. 3D, "VMX Basic Exit Reasons". */
#define EXIT_REASONS(X) \
	X(0, EXCEPTION_OR_NMI, exit_exception, EXIT_NEEDS_INTERRUPTION | EXIT_NEEDS_QUALIFICATION | EXIT_NEEDS_VECTORING) \
	X(1, EXTERNAL_INTERRUPT, exit_external_interrupt, EXIT_NEEDS_INTERRUPTION) \
	X(2, TRIPLE_FAULT, exit_triple_fault, 0) \
	X(7, INTERRUPT_WINDOW, exit_window, 0) \
	X(8, NMI_WINDOW, exit_window, 0) \
	X(9, TASK_SWITCH, exit_task_switch, EXIT_NEEDS_QUALIFICATION | EXIT_NEEDS_VECTORING) \
	X(10, CPUID, exit_cpuid, EXIT_NEEDS_LENGTH) \
	X(11, GETSEC, exit_undefined, 0) \
	X(12, HLT, exit_hlt, EXIT_NEEDS_LENGTH) \
	X(13, INVD, exit_nothing, EXIT_NEEDS_LENGTH) \
	X(15, RDPMC, exit_rdpmc, 0) \
	X(17, RSM, exit_undefined, 0) \
	X(18, VMCALL, exit_vmcall, EXIT_NEEDS_LENGTH) \
	X(19, VMCLEAR, exit_undefined, 0) \
	X(20, VMLAUNCH, exit_undefined, 0) \
	X(21, VMPTRLD, exit_undefined, 0) \
	X(22, VMPTRST, exit_undefined, 0) \
	X(23, VMREAD, exit_undefined, 0) \
	X(24, VMRESUME, exit_undefined, 0) \
	X(25, VMWRITE, exit_undefined, 0) \
	X(26, VMXOFF, exit_undefined, 0) \
	X(27, VMXON, exit_undefined, 0) \
	X(28, CR_ACCESS, exit_cr_access, EXIT_NEEDS_LENGTH | EXIT_NEEDS_QUALIFICATION) \
	X(30, IO_INSTRUCTION, exit_io, EXIT_NEEDS_LENGTH | EXIT_NEEDS_QUALIFICATION) \
	X(31, RDMSR, exit_rdmsr, EXIT_NEEDS_LENGTH) \
	X(32, WRMSR, exit_wrmsr, EXIT_NEEDS_LENGTH) \
	X(36, MWAIT, exit_undefined, 0) \
	X(39, MONITOR, exit_undefined, 0) \
	X(40, PAUSE, exit_pause, EXIT_NEEDS_LENGTH) \
	X(44, APIC_ACCESS, exit_apic_access, EXIT_NEEDS_LENGTH | EXIT_NEEDS_QUALIFICATION | EXIT_NEEDS_VECTORING) \
	X(45, VIRTUALIZED_EOI, exit_virtualized_eoi, EXIT_NEEDS_QUALIFICATION | EXIT_NEEDS_VECTORING) \
	X(48, EPT_VIOLATION, exit_ept_violation, EXIT_NEEDS_QUALIFICATION | EXIT_NEEDS_VECTORING) \
	X(49, EPT_MISCONFIG, exit_unexpected, EXIT_NEEDS_VECTORING) \
	X(50, INVEPT, exit_undefined, 0) \
	X(53, INVVPID, exit_undefined, 0) \
	X(54, WBINVD, exit_nothing, EXIT_NEEDS_LENGTH) \
	X(55, XSETBV, exit_xsetbv, EXIT_NEEDS_LENGTH) \
	X(56, APIC_WRITE, exit_apic_write, EXIT_NEEDS_QUALIFICATION | EXIT_NEEDS_VECTORING) \
	X(59, VMFUNC, exit_undefined, 0) \
	X(60, ENCLS, exit_undefined, 0) \
	X(70, ENCLV, exit_undefined, 0) \
	X(76, SEAMCALL, exit_undefined, 0) \
	X(77, TDCALL, exit_undefined, 0) \
	X(84, RDMSR_IMM, exit_undefined, 0) \
	X(85, WRMSRNS_IMM, exit_undefined, 0)

enum exit_reason {
#define EXIT_REASON_ENUM(number, name, handler, needs) EXIT_REASON_##name = (number),
	EXIT_REASONS(EXIT_REASON_ENUM)
#undef EXIT_REASON_ENUM
	EXIT_REASON_ROWS = 86
};

/* Total by exit_row() only: what the list leaves out has no handler here. */
extern const struct exit_row exit_rows[EXIT_REASON_ROWS];
extern const struct exit_row exit_row_unexpected;

/* The row of a basic exit reason; any number has one. */
static inline const struct exit_row *exit_row(uint32_t reason)
{
	return reason < EXIT_REASON_ROWS && exit_rows[reason].handle != 0 ? &exit_rows[reason] : &exit_row_unexpected;
}

#define EXIT_HANDLER(name) enum exit_verdict name(struct vcpu *vcpu, const struct exit_info *info)
/* exit_interrupt.c */
EXIT_HANDLER(exit_exception);
EXIT_HANDLER(exit_external_interrupt);
EXIT_HANDLER(exit_window);
/* apicv.c */
EXIT_HANDLER(exit_virtualized_eoi);
EXIT_HANDLER(exit_apic_write);
/* exit_instruction.c */
EXIT_HANDLER(exit_cpuid);
EXIT_HANDLER(exit_hlt);
EXIT_HANDLER(exit_nothing);
EXIT_HANDLER(exit_pause);
EXIT_HANDLER(exit_rdmsr);
EXIT_HANDLER(exit_rdpmc);
EXIT_HANDLER(exit_undefined);
EXIT_HANDLER(exit_vmcall);
EXIT_HANDLER(exit_wrmsr);
EXIT_HANDLER(exit_xsetbv);
/* exit_cr.c */
EXIT_HANDLER(exit_cr_access);
/* exit_access.c */
EXIT_HANDLER(exit_apic_access);
EXIT_HANDLER(exit_ept_violation);
EXIT_HANDLER(exit_io);
/* exit.c */
EXIT_HANDLER(exit_task_switch);
EXIT_HANDLER(exit_triple_fault);
EXIT_HANDLER(exit_unexpected);
#undef EXIT_HANDLER
