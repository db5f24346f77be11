/* MOVS, CMPS, LODS, SCAS and STOS, element by element, with or without a repeat prefix.
 * SDM Vol. 2B, "REP/REPE/REPZ/REPNE/REPNZ-Repeat String Operation Prefix". */
#include "abi/vcpu.h"
#include "vmm/decode/alu.h"
#include "vmm/decode/execute.h"
#include "vmm/decode/handlers.h"
#include "vmm/decode/operand.h"

#define RFLAGS_TF 0x100ULL

static bool has_source(enum operation operation)
{
	return operation == OP_MOVS || operation == OP_CMPS || operation == OP_LODS;
}

static bool has_destination(enum operation operation)
{
	return operation != OP_LODS;
}

static bool compares(enum operation operation)
{
	return operation == OP_CMPS || operation == OP_SCAS;
}

static uint64_t index_of(const struct execution *x, unsigned number)
{
	return alu_truncate(x->gpr[number], x->instruction->address_bytes);
}

static void advance(struct execution *x, unsigned number)
{
	uint64_t step = x->instruction->memory_bytes;

	if ((x->rflags & RFLAGS_DF) != 0)
		step = 0 - step;
	execution_set_register(x, number, x->gpr[number] + step, x->instruction->address_bytes);
}

/* What the element's effect is, once both places are known. */
static enum status move_element(struct execution *x, const struct place *source, const struct place *destination)
{
	enum operation operation = x->instruction->operation;
	unsigned width = x->instruction->memory_bytes;
	uint64_t value = x->gpr[GPR_RAX], other;
	enum status status = OK;

	if (has_source(operation))
		status = operand_read_number(x, source, &value);
	if (status != OK)
		return status;
	if (operation == OP_LODS)
		execution_set_register(x, GPR_RAX, value, width);
	else if (!compares(operation))
		return operand_write_number(x, destination, value);
	else
		status = operand_read_number(x, destination, &other);
	if (status == OK && compares(operation))
		x->rflags = alu_compute(OP_CMP, value, other, width, x->rflags).flags;
	return status;
}

static enum status one_element(struct execution *x)
{
	enum operation operation = x->instruction->operation;
	unsigned width = x->instruction->memory_bytes;
	struct place source, destination;
	enum status status = OK;

	if (has_source(operation))
		status = operand_place(x, x->instruction->memory.segment, index_of(x, GPR_RSI), width, false, &source);
	if (status == OK && has_destination(operation))
		status = operand_place(x, SEGMENT_ES, index_of(x, GPR_RDI), width, !compares(operation), &destination);
	if (status == OK)
		status = move_element(x, &source, &destination);
	if (status != OK)
		return status;
	if (has_source(operation))
		advance(x, GPR_RSI);
	if (has_destination(operation))
		advance(x, GPR_RDI);
	return OK;
}

/* Counts down; true where the instruction is through. */
static bool ends(struct execution *x)
{
	const struct instruction *instruction = x->instruction;
	bool is_equal = (x->rflags & RFLAGS_ZF) != 0;

	if (instruction->repeat == REPEAT_NONE)
		return true;
	execution_set_register(x, GPR_RCX, x->gpr[GPR_RCX] - 1, instruction->address_bytes);
	return index_of(x, GPR_RCX) == 0 || (compares(instruction->operation) && is_equal != (instruction->repeat == REPEAT_EQUAL));
}

/* Elements before one that cannot be done are kept; that one comes again, and with it what it raises. */
enum status execute_string(struct execution *x)
{
	unsigned most = (x->rflags & RFLAGS_TF) != 0 ? 1 : EXECUTE_ELEMENTS;

	if (x->instruction->repeat != REPEAT_NONE && index_of(x, GPR_RCX) == 0) {
		x->touches_device = true; /* nothing to do is done */
		return OK;
	}
	for (unsigned done = 0; done < most; done++) {
		enum status status;

		x->touches_device = false;
		status = one_element(x);
		if (status != OK && done == 0)
			return status;
		if (status != OK)
			break;
		if (!x->touches_device && done == 0)
			return ERR_INVALID;
		if (ends(x)) {
			x->touches_device = true;
			return OK;
		}
	}
	x->touches_device = true;
	x->rip = x->state->exit.rip;
	return OK;
}
