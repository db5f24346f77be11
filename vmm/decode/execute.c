/* The way of one instruction: which handler, and those with a single operand. */
#include "vmm/decode/execute.h"

#include "lib/base/string.h"
#include "vmm/decode/alu.h"
#include "vmm/decode/emulate.h"
#include "vmm/decode/handlers.h"
#include "vmm/decode/operand.h"

enum status execution_fault(struct execution *x, enum exception vector, uint32_t error_code)
{
	x->fault = (struct fault){.vector = vector, .error_code = error_code};
	return ERR_FAULT;
}

enum status execution_need_registers(struct execution *x)
{
	enum status status = OK;

	if (!x->has_registers)
		status = x->environment->get_registers(x->environment->context, &x->registers);
	x->has_registers = status == OK;
	return status;
}

enum status execution_need_vectors(struct execution *x)
{
	enum status status = OK;

	if (!x->has_vectors)
		status = x->environment->get_vectors(x->environment->context, &x->vectors);
	x->has_vectors = status == OK;
	return status;
}

void execution_set_register(struct execution *x, unsigned number, uint64_t value, unsigned bytes)
{
	x->gpr[number] = emulation_merged(x->gpr[number], value, bytes, false);
}

/* Those of emulate.h: what they compute is the same, only the operand's way differs. */
static enum status execute_simple(struct execution *x)
{
	const struct instruction *instruction = x->instruction;
	bool writes = instruction_writes_memory(instruction);
	struct emulation emulation;
	struct emulation_result result;
	struct place place;
	uint64_t value = 0;
	enum status status = operand_place_own(x, 0, instruction->memory_bytes, writes, &place);

	if (status == OK && instruction_reads_memory(instruction))
		status = operand_read_number(x, &place, &value);
	if (status != OK)
		return status;
	(void)emulation_effective_address(instruction, x->state, &emulation);
	emulation_finish(&emulation, x->state, value, &result);
	if (result.has_divide_error)
		return execution_fault(x, EXCEPTION_DE, 0);
	if (writes)
		status = operand_write_number(x, &place, result.write_value);
	for (unsigned i = 0; i < result.register_count; i++)
		x->gpr[result.registers[i].number] = result.registers[i].value;
	x->rflags = result.flags;
	return status;
}

static enum status execute_table(struct execution *x)
{
	struct place place;
	uint64_t value;
	enum status status = operand_place_own(x, x->gpr[GPR_RAX] & 0xff, 1, false, &place);

	if (status == OK)
		status = operand_read_number(x, &place, &value);
	if (status == OK)
		execution_set_register(x, GPR_RAX, value, 1);
	return status;
}

/* CMPXCHG8B and CMPXCHG16B: the operand is written in any case. The latter's must be aligned. */
static enum status execute_compare_exchange_pair(struct execution *x)
{
	unsigned bytes = x->instruction->memory_bytes, half = bytes / 2;
	uint8_t held[16], expected[16], wanted[16];
	struct place place;
	enum status status = operand_place_own(x, 0, bytes, true, &place);
	bool is_equal;

	if (status == OK && half == 8 && place.parts[0].start.raw % bytes != 0)
		return execution_fault(x, EXCEPTION_GP, 0);
	if (status == OK)
		status = operand_read(x, &place, held);
	if (status != OK)
		return status;
	memcpy(expected, &x->gpr[GPR_RAX], half);
	memcpy(expected + half, &x->gpr[GPR_RDX], half);
	memcpy(wanted, &x->gpr[GPR_RBX], half);
	memcpy(wanted + half, &x->gpr[GPR_RCX], half);
	is_equal = memcmp(held, expected, bytes) == 0;
	status = operand_write(x, &place, is_equal ? wanted : held);
	x->rflags = is_equal ? x->rflags | RFLAGS_ZF : x->rflags & ~RFLAGS_ZF;
	if (is_equal)
		return status;
	x->gpr[GPR_RAX] = x->gpr[GPR_RDX] = 0;
	memcpy(&x->gpr[GPR_RAX], held, half);
	memcpy(&x->gpr[GPR_RDX], held + half, half);
	return status;
}

static enum status execute_with_handler(struct execution *x)
{
	enum operation operation = x->instruction->operation;

	if (operation == OP_STOS || (operation >= OP_MOVS && operation <= OP_SCAS))
		return execute_string(x);
	if (operation < OP_FIRST_GENERAL)
		return execute_simple(x);
	switch ((unsigned)operation) {
	case OP_XLAT:
		return execute_table(x);
	case OP_CMPXCHG8B:
		return execute_compare_exchange_pair(x);
	case OP_MOV_FROM_SEGMENT:
	case OP_MOV_TO_SEGMENT:
	case OP_LOAD_FAR_POINTER:
	case OP_FAR_JMP:
	case OP_LLDT:
	case OP_LTR:
		return execute_segment(x);
	case OP_SMSW:
	case OP_LMSW:
	case OP_SLDT:
	case OP_STR:
		return execute_system(x);
	case OP_VECTOR:
		return execute_vector(x);
	default:
		return execute_stack(x);
	}
}

enum status execute_instruction(struct execution *x)
{
	const struct vcpu_exit *exit = &x->state->exit;
	uint64_t next = exit->rip + x->instruction->length_bytes;
	enum status status;

	memcpy(x->gpr, x->state->gpr, sizeof(x->gpr));
	x->rip = execution_is_64_bit(x) ? next : (uint32_t)next;
	x->rflags = exit->rflags;
	x->has_registers = x->changes_segments = x->has_vectors = x->changes_vectors = x->touches_device = false;
	status = execute_with_handler(x);
	return status == OK && !x->touches_device ? ERR_INVALID : status;
}
