/* Shifts and rotations. Pure. Source: SDM Vol. 2B, "SAL/SAR/SHL/SHR-Shift", "RCL/RCR/ROL/ROR-Rotate", "SHLD", "SHRD". OF of counts
 * above 1 and AF are undefined: OF as for a count of 1, AF unchanged. */
#pragma once
#include <stdint.h>

#include "vmm/decode/alu.h"

/* operation: OP_ROL to OP_SAR. count: any. */
struct alu_result shift_compute(enum operation operation, uint64_t value, uint64_t count, unsigned width_bytes, uint64_t flags);

/* OP_SHLD, OP_SHRD: filled from the other operand. */
struct alu_result shift_double(enum operation operation, uint64_t value, uint64_t fill, uint64_t count, unsigned width_bytes,
			       uint64_t flags);
