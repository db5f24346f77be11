/* Events that go into the guest with the next entry: at most one, in the VM-entry fields of the current VMCS.
 * SDM Vol. 3C, "Event Injection". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct vcpu;
struct vcpu_exit;

bool vmx_event_pending(const struct vcpu *vcpu);
bool vmx_interrupt_open(const struct vcpu *vcpu);
bool vmx_nmi_open(const struct vcpu *vcpu);
void vmx_inject_interrupt(struct vcpu *vcpu, uint8_t vector);
void vmx_inject_nmi(struct vcpu *vcpu);
/* With an event already waiting: by the rules for double faults, or the waiting one is put back to where it came from. */
void vmx_inject_exception(struct vcpu *vcpu, uint8_t vector, bool has_error_code, uint32_t error_code);
void vmx_set_windows(struct vcpu *vcpu, bool interrupt, bool nmi);

/* After an exit that broke off the delivery of an event: that goes into the entry fields again. info: the exit's IDT-vectoring
 * information, valid. */
void vmx_reinject(uint32_t info);

/* The event that waits for the next entry, 0 for none, into state->exit for the VMM. */
void vmx_tell_event(struct vcpu_exit *exit);

/* Steps over the instruction that exited: RIP, the interrupt shadow, and #DB when TF is set. */
void vmx_advance(struct vcpu *vcpu, unsigned bytes);
void vmx_jump(struct vcpu *vcpu, uint64_t rip);
