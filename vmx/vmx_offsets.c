/* Offsets and constants for vmx_entry.asm. */
#include "kernel/offsets.h"

#include "abi/layout.h"
#include "virt/vcpu.h"
#include "virt/vm_slot.h"
#include "vmx/vmx_run.h"

void vmx_offsets(void);

void vmx_offsets(void)
{
	CONSTANT(STATE_GPR_BYTES, sizeof(((struct vcpu_state *)0)->gpr));
	CONSTANT(STATE_TO_PRIVATE, (VCPU_PAGE_PRIVATE - VCPU_PAGE_STATE) * PAGE_SIZE_BYTES);
	OFFSET(PRIVATE_KERNEL_RSP, struct vcpu_private, kernel_rsp);
	OFFSET(PRIVATE_VCPU, struct vcpu_private, vcpu);
	OFFSET(PRIVATE_LAUNCHED, struct vcpu_private, launched);
	CONSTANT(RUN_VMFAIL_INVALID, RUN_VMFAIL_INVALID);
	CONSTANT(RUN_VMFAIL_VALID, RUN_VMFAIL_VALID);
}
