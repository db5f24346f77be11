/* Limits and types of segments, and canonical addresses. */
#pragma once
#include "vmm/decode/execution.h"

/* The linear address of bytes at offset, which may be read or, is_write, written there. In 64-bit code not cut, else to 32 bits.
 * Errors: ERR_FAULT (#GP(0), of SS #SS(0)). */
MUST_CHECK enum status segment_check(struct execution *x, enum segment segment, uint64_t offset, unsigned bytes, bool is_write,
				     uint64_t *linear);

struct vcpu_segment *execution_segment(struct vcpu_registers *registers, enum segment segment);
