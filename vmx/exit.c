/* The dispatcher of VM exits, its step over emulated instructions, and VM entries that failed. SDM Vol. 3C, "VM Exits", "Guest
 * Non-Register State", "VM-Entry Failures During or After Loading Guest State". */
#include "vmx/exit.h"

#include <stddef.h>

#include "kernel/log.h"
#include "kernel/panic.h"
#include "virt/hv.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/inject.h"
#include "vmx/vmcs.h"
#include "vmx/vmcs_check.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_cpu.h"
#include "vmx/vmx_run.h"
#include "vmx/vmx_vcpu.h"

#define REASON_ENTRY_FAILED 0x80000000U
#define REASON_MACHINE_CHECK 41U /* "VM-entry failure due to machine-check event" */
#define VECTOR_UD 6U
#define VECTOR_GP 13U

enum exit_verdict exit_stop(struct vcpu *vcpu, const struct exit_info *info, enum vcpu_stop_reason reason)
{
	struct vcpu_exit *exit = &vcpu->state->exit;

	vmx_fill_decode_group(vcpu);
	exit->detail[0] = info->reason;
	exit->detail[1] = info->qualification;
	exit->detail[2] = info->interruption;
	vm_stop(vcpu->vm, reason);
	return EXIT_STOP;
}

enum exit_verdict exit_inject_gp(struct vcpu *vcpu)
{
	vmx_inject_exception(vcpu, VECTOR_GP, true, 0);
	return EXIT_REENTER;
}

enum exit_verdict exit_inject_ud(struct vcpu *vcpu)
{
	vmx_inject_exception(vcpu, VECTOR_UD, false, 0);
	return EXIT_REENTER;
}

enum exit_verdict exit_triple_fault(struct vcpu *vcpu, const struct exit_info *info)
{
	return exit_stop(vcpu, info, VCPU_STOP_TRIPLE_FAULT);
}

enum exit_verdict exit_unexpected(struct vcpu *vcpu, const struct exit_info *info)
{
	log_warn("vm %s vcpu %u: unexpected exit %u (%s) at rip=%lx", vcpu->vm->name, vcpu->index, info->reason,
		 exit_row(info->reason)->name, vmcs_read_natural(VMCS_GUEST_RIP));
	return exit_stop(vcpu, info, VCPU_STOP_UNEXPECTED_EXIT);
}

enum exit_verdict exit_task_switch(struct vcpu *vcpu, const struct exit_info *info)
{
	struct vcpu_exit *exit = &vcpu->state->exit;

	vmx_fill_decode_group(vcpu);
	vmx_tell_event(exit);
	exit->instruction_bytes = (uint8_t)vmcs_read32(VMCS_EXIT_INSTRUCTION_LEN); /* undefined where no instruction is behind it */
	exit->value = info->qualification;
	exit->kind = VCPU_EXIT_TASK_SWITCH;
	return EXIT_TO_VMM;
}

/* Prints which of the manual's checks the guest state breaks. */
static void entry_failed(struct vcpu *vcpu, uint32_t reason, uint32_t instruction_error)
{
	const char *problems[8];
	struct vmcs_snapshot snapshot;
	size_t count;

	vmcs_snapshot(&snapshot);
	count = vmcs_check(&snapshot, &vmx_capabilities, problems, sizeof(problems) / sizeof(problems[0]));
	log_warn("E302 vm %s vcpu %u: VM entry failed, reason %u, instruction error %u, qualification %lx, %lu checks broken",
		 vcpu->vm->name, vcpu->index, reason, instruction_error, snapshot.EXIT_QUALIFICATION, count);
	for (size_t i = 0; i < count; i++)
		log_warn("  %s", problems[i]);
}

/* Kept apart, as are others below that a guest meets once at most. */
static __attribute__((noinline)) enum hv_leave stop_after_failed_entry(struct vcpu *vcpu, uint32_t reason,
								       uint32_t instruction_error)
{
	const struct exit_info info = {.reason = reason};

	entry_failed(vcpu, reason, instruction_error);
	exit_stop(vcpu, &info, VCPU_STOP_ENTRY_FAILED);
	vcpu->state->exit.detail[2] = instruction_error;
	return HV_LEAVE_STOP;
}

/* Kept apart: most instructions need their length alone. */
static __attribute__((noinline)) void read_needed(struct exit_info *info, unsigned needs)
{
	if ((needs & EXIT_NEEDS_LENGTH) != 0)
		info->instruction_bytes = vmcs_read32(VMCS_EXIT_INSTRUCTION_LEN);
	if ((needs & EXIT_NEEDS_QUALIFICATION) != 0)
		info->qualification = vmcs_read_natural(VMCS_EXIT_QUALIFICATION);
	if ((needs & EXIT_NEEDS_INTERRUPTION) != 0)
		info->interruption = vmcs_read32(VMCS_EXIT_INTERRUPTION_INFO);
	if ((needs & EXIT_NEEDS_VECTORING) != 0) {
		uint32_t event = vmcs_read32(VMCS_IDT_VECTORING_INFO);

		info->in_delivery = (event & EVENT_VALID) != 0;
		if (info->in_delivery)
			vmx_reinject(event);
	}
}

/* Also inlined below, in the way of most exits. */
inline void vmx_advance(struct vcpu *vcpu, unsigned bytes)
{
	uint64_t old = vmcs_read_natural(VMCS_GUEST_RIP), rip = old + bytes, rflags = vmcs_read_natural(VMCS_GUEST_RFLAGS);
	uint32_t interruptibility = vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY);

	(void)vcpu;
	/* Only a step across 4 GiB depends on the mode: outside 64-bit code EIP wraps. */
	if (((old ^ rip) >> 32) != 0 && (vmcs_read32(VMCS_GUEST_CS_ATTRIBUTES) & SEGMENT_LONG) == 0)
		rip = (uint32_t)rip;
	vmcs_write_natural(VMCS_GUEST_RIP, rip);
	if ((interruptibility & INTERRUPTIBILITY_SHADOW) != 0)
		vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, interruptibility & ~INTERRUPTIBILITY_SHADOW);
	/* An EPT violation has set it, and the instruction uses it up: "Saving RIP, RSP, RFLAGS, and SSP". */
	if ((rflags & RFLAGS_RF) != 0)
		vmcs_write_natural(VMCS_GUEST_RFLAGS, rflags & ~RFLAGS_RF);
	if ((rflags & RFLAGS_TF) != 0)
		vmcs_write_natural(VMCS_GUEST_PENDING_DEBUG, vmcs_read_natural(VMCS_GUEST_PENDING_DEBUG) | PENDING_DEBUG_BS);
}

void vmx_jump(struct vcpu *vcpu, uint64_t rip)
{
	vmx_advance(vcpu, 0);
	vmcs_write_natural(VMCS_GUEST_RSP, vcpu->state->gpr[GPR_RSP]);
	vmcs_write_natural(VMCS_GUEST_RIP, rip);
}

/* What an answer of a handler is to vmx_entry.asm, where no guest is entered. */
_Static_assert((int)EXIT_BLOCK == RUN_LEAVE + HV_LEAVE_BLOCK && (int)EXIT_TO_VMM == RUN_LEAVE + HV_LEAVE_TO_VMM &&
		   (int)EXIT_STOP == RUN_LEAVE + HV_LEAVE_STOP, "a verdict is such a code");
_Static_assert((int)EXIT_REASON_ROWS <= VM_LEDGER_REASONS, "each has its place in the ledger");

static __attribute__((noinline)) uint64_t unlisted_exit(struct vcpu *vcpu, uint32_t reason)
{
	const struct exit_info info = {.reason = (uint16_t)reason};

	if (info.reason < VM_LEDGER_REASONS)
		vcpu->exits[info.reason]++;
	if (reason == (REASON_ENTRY_FAILED | REASON_MACHINE_CHECK))
		panic("machine check while a guest was entered");
	if ((reason & REASON_ENTRY_FAILED) != 0)
		return RUN_LEAVE + stop_after_failed_entry(vcpu, info.reason, 0);
	return exit_unexpected(vcpu, &info);
}

/* From vmx_entry.asm after each exit: 0 enters the guest again, else why not. */
uint64_t vmx_exit_dispatch(struct vcpu *vcpu)
{
	uint32_t reason = vmcs_read32(VMCS_EXIT_REASON);
	uint32_t basic = (uint16_t)reason;
	struct exit_info info = {.reason = basic};
	const struct exit_row *row;
	enum exit_verdict verdict;

	if ((reason & REASON_ENTRY_FAILED) != 0 || basic >= EXIT_REASON_ROWS || exit_rows[basic].handle == NULL)
		return unlisted_exit(vcpu, reason);
	row = &exit_rows[basic];
	vcpu->exits[basic]++;
	if (row->needs == EXIT_NEEDS_LENGTH)
		info.instruction_bytes = vmcs_read32(VMCS_EXIT_INSTRUCTION_LEN);
	else
		read_needed(&info, row->needs);
	verdict = row->handle(vcpu, &info);
	if (verdict == EXIT_ADVANCE || verdict == EXIT_BLOCK)
		vmx_advance(vcpu, info.instruction_bytes);
	if (verdict > EXIT_REENTER)
		return verdict;
	return atomic_load_explicit(&vcpu->pending, memory_order_relaxed) == 0 ? RUN_ENTER_AGAIN : RUN_LEAVE + HV_LEAVE_ATTENTION;
}

enum hv_leave vmx_run(struct vcpu *vcpu)
{
	uint64_t code = vmx_enter(vcpu->state);

	if (code >= RUN_VMFAIL_INVALID)
		return stop_after_failed_entry(vcpu, 0, code == RUN_VMFAIL_VALID ? vmcs_read32(VMCS_INSTRUCTION_ERROR) : 0);
	return (enum hv_leave)(code - RUN_LEAVE);
}
