/* The instruction behind an access to device memory. */
#pragma once
#include <stdbool.h>

struct machine_vcpu;

/* Fetches and decodes the instruction that the vCPU stands at into vcpu->emulation. False: it cannot be emulated, and the
 * reply is already given (another try, an exception, the VM's end). Context: the vCPU's thread, exit with decode group. */
bool exit_decode(struct machine_vcpu *vcpu);
