/* The instruction behind an access to device memory. */
#pragma once
#include <stdbool.h>

struct machine_vcpu;
struct recalled;

/* The instruction that the vCPU stands at; it holds until the next call. NULL: it cannot be emulated, and the reply is
 * already given (another try, an exception, the VM's end). Context: the vCPU's thread, exit with decode group. */
const struct recalled *exit_recall(struct machine_vcpu *vcpu);

/* What it does, into vcpu->emulation. False: as above. Same context. */
bool exit_prepare(struct machine_vcpu *vcpu, const struct recalled *recalled);
