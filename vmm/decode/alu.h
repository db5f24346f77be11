/* Results and flags of the integer operations. Pure.
 * Source: SDM Vol. 2, each instruction's "Operation" and "Flags Affected"; Vol. 1, "Status Flags". Undefined flags: zero
 * after the logical operations, unchanged after BT and its kin. */
#pragma once
#include <stdint.h>

#include "vmm/decode/instruction.h"

#define RFLAGS_CF 0x001ULL
#define RFLAGS_PF 0x004ULL
#define RFLAGS_AF 0x010ULL
#define RFLAGS_ZF 0x040ULL
#define RFLAGS_SF 0x080ULL
#define RFLAGS_DF 0x400ULL
#define RFLAGS_OF 0x800ULL
#define RFLAGS_STATUS (RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

struct alu_result {
	uint64_t value; /* cut to the width; TEST, CMP, BT: of no use */
	uint64_t flags; /* all of RFLAGS, with the status flags changed */
};

/* destination and source count with their low width_bytes (1, 2, 4, 8). BT and its kin: source is the bit number, of which
 * the low 3, 4, 5 or 6 bits count. OP_INC, OP_DEC, OP_NOT, OP_NEG: source is not used.
 * OP_MOV, OP_MOVSX, OP_STOS, OP_XCHG: value is the source, flags unchanged. OP_XADD: as OP_ADD. OP_CMPXCHG: as OP_CMP. */
struct alu_result alu_compute(enum operation operation, uint64_t destination, uint64_t source, unsigned width_bytes,
			      uint64_t flags);

/* The low width_bytes of value, the rest zero, or copies of its sign. */
static inline uint64_t alu_truncate(uint64_t value, unsigned width_bytes)
{
	return value & (UINT64_MAX >> (64 - 8 * width_bytes));
}
uint64_t alu_sign_extend(uint64_t value, unsigned width_bytes);

/* SF, ZF and PF of a result that is cut to its width. */
uint64_t alu_sign_zero_parity(uint64_t value, unsigned width_bytes);
