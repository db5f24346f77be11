/* The instruction behind an access to device memory. */
#pragma once
#include <stdbool.h>

#include "abi/status.h"

struct execution_environment;
struct fault;
struct fetched_code;
struct machine_vcpu;
struct recalled;

/* The instruction that the vCPU stands at; it holds until the next call. NULL: it cannot be emulated, and the reply is
 * already given (another try, an exception, the VM's end). Context: the vCPU's thread, exit with decode group. */
const struct recalled *exit_recall(struct machine_vcpu *vcpu);

/* What it does, into vcpu->emulation. False: as above, or it was executed by exit_execute(). Same context. */
bool exit_prepare(struct machine_vcpu *vcpu, const struct recalled *recalled);

/* The long way, for what emulation_prepare() does not support: vmm/decode/execute.h, and its answer. Same context. */
void exit_execute(struct machine_vcpu *vcpu, const struct recalled *recalled);
/* VCPU_EXIT_APIC_VALUE came for it. */
void exit_execute_again(struct machine_vcpu *vcpu);
/* What the instruction meets around it; lives on while the vCPU's thread executes it. */
struct execution_environment exit_environment(struct machine_vcpu *vcpu);

/* Whether the vCPU may run again to try once more what it stands at; its reply then says so. False: it has come back too often and
 * has not moved. */
bool exit_may_try_again(struct machine_vcpu *vcpu);

/* Answers where an instruction was not emulated: another try, an exception, the VM's end. code: what was fetched. */
void exit_cannot_emulate(struct machine_vcpu *vcpu, enum status status, const struct fetched_code *code);
void exit_inject(struct machine_vcpu *vcpu, const struct fault *fault);
