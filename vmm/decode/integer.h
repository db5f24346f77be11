/* Results and flags of the integer operations from OP_FIRST_INTEGER up to OP_FIRST_GENERAL: shifts, products, quotients, scans,
 * conditions and the bit-manipulation extensions. Pure.
 * Source: SDM Vol. 2, each instruction's "Operation" and "Flags Affected". Flags that the manual leaves undefined: as Intel's
 * processors have them where they agree (MUL, BSF, SHLD), else unchanged. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "vmm/decode/instruction.h"

#define INTEGER_REGISTERS 2U

struct integer_result {
	uint64_t memory;        /* the operand's new value, where it is written */
	uint64_t flags;         /* all of RFLAGS */
	bool divide_error;      /* #DE: nothing else counts */
	uint8_t register_count;
	struct {
		uint64_t value;
		uint8_t number, bytes;
	} registers[INTEGER_REGISTERS];
};

/* gpr: the 16 general registers; memory: the operand's value, cut to its width. Only registers are read besides, those of the
 * instruction, rAX, rDX and CL. */
void integer_compute(const struct instruction *instruction, const uint64_t *gpr, uint64_t flags, uint64_t memory,
		     struct integer_result *out);

/* Whether the condition of Jcc, SETcc, CMOVcc holds. SDM Vol. 2D, "Condition Test Field". */
bool integer_condition(unsigned condition, uint64_t flags);
