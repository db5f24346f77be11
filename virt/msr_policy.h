/* What RDMSR and WRMSR do in a guest, by a table of rows {first, last, read, write}. A register without a row raises #GP.
 * The few that the hardware switches itself are let through by the backend and never come here. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct vcpu;

/* False: #GP(0). Context: the vCPU's own thread. */
MUST_CHECK bool msr_policy_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
MUST_CHECK bool msr_policy_write(struct vcpu *vcpu, uint32_t msr, uint64_t value);

/* Registers that a guest reads and writes without an exit: they are in the guest's state area, or switched by fpu.c. */
extern const uint32_t msr_passthrough[];
extern const uint32_t msr_passthrough_count;
/* ... and that it reads without one: writes are rare, and each is noted, so that a switch of vCPUs needs not look. */
extern const uint32_t msr_readable[];
extern const uint32_t msr_readable_count;

/* MTRRs and the like at their reset values. */
void msr_policy_reset(struct vcpu *vcpu);
