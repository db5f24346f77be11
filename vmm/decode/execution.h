/* One instruction under execution by vmm/decode/execute.h: a copy of the vCPU's registers, which only a caller that got OK makes
 * the vCPU's, and what the machine around it does. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"
#include "vmm/decode/instruction.h"
#include "vmm/gmem.h"

enum exception {
	EXCEPTION_DE = 0,
	EXCEPTION_UD = 6,
	EXCEPTION_NM = 7,
	EXCEPTION_TS = 10,
	EXCEPTION_NP = 11,
	EXCEPTION_SS = 12,
	EXCEPTION_GP = 13,
	EXCEPTION_PF = 14,
	EXCEPTION_MF = 16,
	EXCEPTION_AC = 17,
};

/* What is at addresses without memory, and registers that only ring 0 has. width: 1, 2, 4, 8; address: a multiple of it.
 * ERR_BUSY of an access: not done; the instruction can be tried again from its beginning, perhaps with another answer. */
struct execution_environment {
	void *context;
	const struct gmem *gmem;
	enum status (*read_device)(void *context, uint64_t address, unsigned width, uint64_t *value);
	enum status (*write_device)(void *context, uint64_t address, unsigned width, uint64_t value);
	enum status (*get_registers)(void *context, struct vcpu_registers *out);
	enum status (*get_vectors)(void *context, struct vcpu_vectors *out);
};

struct fault {
	enum exception vector;
	uint32_t error_code; /* where the vector has one */
	uint64_t address;    /* #PF: CR2 */
};

struct execution {
	/* input */
	const struct execution_environment *environment;
	const struct instruction *instruction;
	const struct vcpu_state *state;
	/* registers as the instruction leaves them; RIP: the next instruction, or this one where it goes on */
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
	bool has_registers;      /* registers is filled: the segments count */
	bool changes_segments;   /* ... or CR0; then all of registers goes back, with gpr, rip and rflags above */
	struct vcpu_registers registers;
	bool has_vectors, changes_vectors;
	struct vcpu_vectors vectors;
	bool touches_device;     /* some operand is in no memory; nothing is written before that is so */
	struct fault fault;      /* ERR_FAULT */
};

/* Fills fault. Returns ERR_FAULT. */
MUST_CHECK enum status execution_fault(struct execution *x, enum exception vector, uint32_t error_code);

/* Fetch registers, vectors once. */
MUST_CHECK enum status execution_need_registers(struct execution *x);
MUST_CHECK enum status execution_need_vectors(struct execution *x);

static inline bool execution_is_64_bit(const struct execution *x)
{
	return x->instruction->code_size == CODE_64;
}

/* Not in real-address or virtual-8086 mode. */
/* What a branch or a return does to shadow stack and branch tracking is not emulated. SDM Vol. 1, "Control-flow Enforcement
 * Technology (CET)". */
static inline bool execution_has_cet(const struct execution *x)
{
	const uint64_t cr4_cet = 1ULL << 23;

	return (x->state->exit.cr4 & cr4_cet) != 0;
}

static inline bool execution_is_protected(const struct execution *x)
{
	return (x->state->exit.cr0 & 1) != 0 && (x->state->exit.rflags & 1ULL << 17) == 0;
}

/* Sets the low bytes of a general register. */
void execution_set_register(struct execution *x, unsigned number, uint64_t value, unsigned bytes);

/* Whether all bits above the linear-address width are copies of the highest one in it. */
bool execution_is_canonical(const struct execution *x, uint64_t address);
