/* The thread of a vCPU: runs the guest, answers its exits. */
#pragma once
#include <stdint.h>

#include "abi/vcpu.h"
#include "vmm/machine.h"

/* A thread_function; argument: struct machine_vcpu. Ends with the VM. */
void vcpu_thread(void *argument);

/* One handler per kind of exit: reads vcpu->state->exit, leaves its answer in *vcpu->reply. */
void exit_port(struct machine_vcpu *vcpu);
void exit_port_string(struct machine_vcpu *vcpu);
void exit_memory(struct machine_vcpu *vcpu);
void exit_local_apic(struct machine_vcpu *vcpu);
void exit_apic_value(struct machine_vcpu *vcpu);
void exit_task_switch(struct machine_vcpu *vcpu);

/* For handlers: the VM stops for this reason; the words are for the user and may say more than the reason's own. */
void vcpu_answer_stop(struct machine_vcpu *vcpu, enum vcpu_stop_reason reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For handlers, after an access: stops the VM where a device asked for that. */
static inline void vcpu_answer_device_request(struct machine_vcpu *vcpu)
{
	uint32_t reason = atomic_load_explicit(&vcpu->machine->stop_request, memory_order_relaxed);

	if (reason == VCPU_STOP_NONE)
		return;
	vcpu->reply->action = VCPU_REPLY_STOP;
	vcpu->reply->value = reason;
}
