/* Plain moves, the way by which drivers touch device registers: MOV of 4 or 8 bytes between a general register and memory, in
 * 64-bit code, without a segment of its own. What emulate.h does in general is for these a handful of steps, and says the same:
 * tests compare the two.
 * Source: SDM Vol. 2B, "MOV-Move"; Vol. 1, "Specifying an Offset". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/layout.h"
#include "abi/vcpu.h"
#include "vmm/decode/instruction.h"

enum plain_kind { PLAIN_NONE, PLAIN_LOAD, PLAIN_STORE };

struct plain_move {
	enum plain_kind kind;
	uint8_t width_bytes;     /* 4 or 8 */
	uint8_t register_number; /* enum gpr; of a load never GPR_RSP */
	uint8_t length_bytes;
	uint8_t base, index;     /* enum gpr or REGISTER_NONE */
	uint8_t scale_shift;
	uint64_t displacement;   /* of a RIP-relative one: the linear address */
};

/* What instruction, which stands at rip, is as a plain move; kind PLAIN_NONE: it is none. Pure. */
struct plain_move plain_move_of(const struct instruction *instruction, uint64_t rip);

/* Whether it is a plain move and its operand is what faulted, and aligned: what emulation_prepare() checks. Context: state
 * belongs to a vCPU that does not run. */
static inline bool plain_move_hits(const struct plain_move *move, const struct vcpu_state *state)
{
	const struct vcpu_exit *exit = &state->exit;
	uint64_t linear = move->displacement;

	if (move->kind == PLAIN_NONE)
		return false;
	if (move->base != REGISTER_NONE)
		linear += state->gpr[move->base];
	if (move->index != REGISTER_NONE)
		linear += state->gpr[move->index] << move->scale_shift;
	if (exit->gla_valid != 0 && exit->gla != linear)
		return false;
	return ((linear ^ exit->gpa) & (PAGE_SIZE_BYTES - 1)) == 0 && (linear & (move->width_bytes - 1U)) == 0;
}

/* The reply to a plain move: the register that a load fills (with value, whose bits above the width are zero), and the step over
 * it. *reply: its action is set by the caller. */
static inline void plain_move_reply(const struct plain_move *move, uint64_t value, struct vcpu_reply *reply)
{
	reply->register_count = move->kind == PLAIN_LOAD ? 1 : 0;
	reply->registers[0].number = move->register_number;
	reply->registers[0].value = value;
	reply->flags_valid = 0;
	reply->advance_bytes = move->length_bytes;
}
