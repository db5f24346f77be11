/* What happens on an exception: a program's stops that program, ring 0's is our bug and ends the run, but for the few
 * instructions that are allowed to fault. */
#include <stdint.h>

#include "kernel/cpu_insn.h"
#include "kernel/interrupt.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/space_internal.h"
#include "kernel/syscall.h"
#include "kernel/thread_internal.h"
#include "kernel/trap.h"

#define RFLAGS_TF (1ULL << 8)
#define PAGE_FAULT_PRESENT 0x1U /* of its error code */

extern const uint8_t user_copy_insn[], user_copy_fixup[], rdmsr_safe_insn[], wrmsr_safe_insn[], msr_fixup[];
extern const uint8_t sysenter_entry[], syscall_entry[];

void exception_from_stub(struct trap_frame *frame);

static bool fix_up(struct trap_frame *frame)
{
	const struct {
		const uint8_t *instruction;
		const uint8_t *continuation;
	} fault_fixups[] = {
		{user_copy_insn, user_copy_fixup},
		{rdmsr_safe_insn, msr_fixup},
		{wrmsr_safe_insn, msr_fixup},
	};

	if (frame->vector != EXCEPTION_PF && frame->vector != EXCEPTION_GP)
		return false;
	for (unsigned i = 0; i < sizeof(fault_fixups) / sizeof(fault_fixups[0]); i++) {
		if (frame->rip == (uintptr_t)fault_fixups[i].instruction) {
			frame->rip = (uintptr_t)fault_fixups[i].continuation;
			return true;
		}
	}
	return false;
}

/* SYSENTER keeps TF: a program that single-steps into it gets a #DB at the entry's first instruction. Not our bug. */
static bool single_step_into_entry(struct trap_frame *frame)
{
	if (frame->vector != EXCEPTION_DB || !(frame->rflags & RFLAGS_TF))
		return false;
	frame->rflags &= ~RFLAGS_TF;
	return frame->rip - (uintptr_t)sysenter_entry < 32 || frame->rip - (uintptr_t)syscall_entry < 32;
}

void exception_from_stub(struct trap_frame *frame)
{
	if (frame->vector == EXCEPTION_NMI) {
		kernel_nmi();
		return;
	}
	if (frame->vector == EXCEPTION_MC)
		panic_exception(frame);
	if (!trap_from_user(frame)) {
		if (!fix_up(frame) && !single_step_into_entry(frame))
			panic_exception(frame);
		return;
	}
	if (frame->vector == EXCEPTION_DB || frame->vector == EXCEPTION_DF) {
		/* These have stacks of their own, on which no thread can be ended: the thread dies at its next entry, which an
		 * interrupt of our own brings about at once. */
		frame->rflags &= ~RFLAGS_TF;
		space_fault(percpu_self()->current->space, frame, 0);
		interrupt_send(percpu_self()->apic_id, VECTOR_RESCHEDULE);
		return;
	}
	if (frame->vector == EXCEPTION_PF && (frame->error_code & PAGE_FAULT_PRESENT) == 0 &&
	    space_fill(percpu_self()->current->space, read_cr2()))
		return;
	space_fault(percpu_self()->current->space, frame, frame->vector == EXCEPTION_PF ? read_cr2() : 0);
	thread_exit_current();
}
