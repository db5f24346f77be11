/* Between C and vmx_entry.asm. */
#pragma once
#include <stdint.h>

struct vcpu;
struct vcpu_state;

/* What vmx_exit_dispatch() and vmx_enter() return. */
#define RUN_ENTER_AGAIN    0U
#define RUN_LEAVE          1U /* + enum hv_leave */
#define RUN_VMFAIL_INVALID 0x100U
#define RUN_VMFAIL_VALID   0x101U

/* Enters the guest whose VMCS is current, again and again until the dispatcher says to leave. state: in the VM's slot. */
uint64_t vmx_enter(struct vcpu_state *state);
uint64_t vmx_exit_dispatch(struct vcpu *vcpu);
/* Executes IRET, which ends the blocking of NMIs that an exit by NMI began. */
void vmx_unblock_nmi(void);
