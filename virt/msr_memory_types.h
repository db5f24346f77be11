/* Memory types as a guest writes them: PAT and MTRRs, stored and checked, without effect: guest memory is write-back by EPT.
 * Rows of msr_policy.c's table. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct vcpu;

#define MSR_MTRR_PHYS0     0x200U
#define MSR_MTRR_FIX64K    0x250U
#define MSR_MTRR_FIX16K    0x258U
#define MSR_MTRR_FIX4K     0x268U
#define MSR_MTRR_DEF_TYPE  0x2ffU
#define MTRR_VARIABLE_COUNT 8U

/* False: #GP. msr: one of the above and those that follow it. */
MUST_CHECK bool msr_write_pat(struct vcpu *vcpu, uint32_t msr, uint64_t value);
MUST_CHECK bool msr_read_mtrr(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
MUST_CHECK bool msr_write_mtrr_fixed(struct vcpu *vcpu, uint32_t msr, uint64_t value);
MUST_CHECK bool msr_write_mtrr_variable(struct vcpu *vcpu, uint32_t msr, uint64_t value);
MUST_CHECK bool msr_write_mtrr_default(struct vcpu *vcpu, uint32_t msr, uint64_t value);
