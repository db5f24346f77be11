/* Emulation of one instruction on device memory: where its operand lies, what it reads, writes and computes. */
#include "vmm/decode/emulate.h"

#include "abi/layout.h"
#include "vmm/decode/alu.h"
#include "vmm/decode/integer.h"

#define RFLAGS_TF 0x100ULL

uint64_t emulation_segment_base(const struct vcpu_exit *exit, enum segment segment, enum code_size code_size)
{
	if (code_size == CODE_64 && segment != SEGMENT_FS && segment != SEGMENT_GS)
		return 0;
	switch (segment) {
	case SEGMENT_ES:
		return exit->es_base;
	case SEGMENT_CS:
		return exit->cs_base;
	case SEGMENT_SS:
		return exit->ss_base;
	case SEGMENT_DS:
		return exit->ds_base;
	case SEGMENT_FS:
		return exit->fs_base;
	case SEGMENT_GS:
		return exit->gs_base;
	}
	return 0;
}

static uint64_t register_value(const struct vcpu_state *state, unsigned number, unsigned width_bytes, bool is_high)
{
	return alu_truncate(is_high ? state->gpr[number] >> 8 : state->gpr[number], width_bytes);
}

/* The whole register after its low width_bytes (or bits 15:8) were written: 32-bit writes clear the upper half
 * (SDM Vol. 1, "General-Purpose Registers in 64-Bit Mode"). */
uint64_t emulation_merged(uint64_t old, uint64_t value, unsigned width_bytes, bool is_high)
{
	uint64_t mask;

	if (width_bytes >= 4)
		return alu_truncate(value, width_bytes);
	mask = width_bytes == 1 ? 0xff : 0xffff;
	if (is_high) {
		mask <<= 8;
		value <<= 8;
	}
	return (old & ~mask) | (value & mask);
}

static bool is_bit_operation(enum operation operation)
{
	return operation == OP_BT || operation == OP_BTS || operation == OP_BTR || operation == OP_BTC;
}

/* A bit number in a register reaches beyond the operand: signed, whole operands away.
 * SDM Vol. 2A, "BT-Bit Test", "bit string" addressing. */
static uint64_t bit_string_offset(const struct instruction *instruction, uint64_t bit_number)
{
	uint64_t signed_number = alu_sign_extend(bit_number, instruction->register_bytes);
	uint64_t operand_bits = 8ULL * instruction->memory_bytes;

	return (signed_number - (signed_number & (operand_bits - 1))) / 8 |
	       (signed_number >> 63 != 0 ? 0xe000000000000000 : 0);
}

/* Without the bit string's offset, if there is one. */
static uint64_t effective_address(const struct instruction *instruction, const struct vcpu_state *state)
{
	const struct memory_operand *memory = &instruction->memory;
	uint64_t address = memory->displacement;

	if (memory->base != REGISTER_NONE)
		address += state->gpr[memory->base];
	if (memory->index != REGISTER_NONE)
		address += state->gpr[memory->index] << memory->scale_shift;
	if (memory->is_rip_relative)
		address += state->exit.rip + instruction->length_bytes;
	return address;
}

static uint64_t linear_address(const struct instruction *instruction, const struct vcpu_exit *exit, uint64_t effective)
{
	effective += emulation_segment_base(exit, instruction->memory.segment, instruction->code_size);
	return instruction->code_size == CODE_64 ? effective : (uint32_t)effective;
}

/* How many of the accesses of a repeated string store lie in the page of its first one, and how far apart. */
static void set_repetition(struct device_access *access, const struct instruction *instruction,
			   const struct vcpu_state *state)
{
	uint64_t left = alu_truncate(state->gpr[GPR_RCX], instruction->address_bytes);
	uint64_t offset = access->start.raw & (PAGE_SIZE_BYTES - 1);
	bool goes_down = (state->exit.rflags & RFLAGS_DF) != 0;
	uint64_t in_page = goes_down ? offset / access->width_bytes + 1 : (PAGE_SIZE_BYTES - offset) / access->width_bytes;

	access->step_bytes = (int8_t)(goes_down ? -(int)access->width_bytes : (int)access->width_bytes);
	if (instruction->is_repeated)
		access->count = (uint16_t)(left < in_page ? left : in_page);
}

static bool writes_rsp(const struct instruction *instruction)
{
	bool writes_register = instruction->operation == OP_XCHG || instruction->operation == OP_XADD ||
			       (instruction->form == FORM_REGISTER_MEMORY && instruction->operation != OP_CMP);

	if (instruction->operation == OP_MULX && instruction->other_register == GPR_RSP)
		return true;
	return writes_register && instruction->register_number == GPR_RSP;
}

static uint64_t bit_number(const struct instruction *instruction, const struct vcpu_state *state)
{
	if (instruction->form == FORM_MEMORY_IMMEDIATE)
		return instruction->immediate;
	return register_value(state, instruction->register_number, instruction->register_bytes, false);
}

uint64_t emulation_effective_address(const struct instruction *instruction, const struct vcpu_state *state, struct emulation *out)
{
	uint64_t effective = effective_address(instruction, state);

	out->instruction = instruction;
	if (is_bit_operation(instruction->operation)) {
		out->bit_number = bit_number(instruction, state);
		if (instruction->form == FORM_MEMORY_REGISTER)
			effective += bit_string_offset(instruction, out->bit_number);
	}
	return alu_truncate(effective, instruction->address_bytes);
}

enum status emulation_prepare(const struct instruction *instruction, const struct vcpu_state *state,
			      struct emulation *out)
{
	const struct vcpu_exit *exit = &state->exit;
	uint64_t linear;

	if (instruction->operation >= OP_FIRST_GENERAL)
		return ERR_UNSUPPORTED;
	if (!instruction->has_memory)
		return ERR_INVALID;
	linear = linear_address(instruction, exit, emulation_effective_address(instruction, state, out));
	if ((linear & (instruction->memory_bytes - 1U)) != 0 || writes_rsp(instruction))
		return ERR_UNSUPPORTED;
	if (instruction->operation == OP_STOS && instruction->is_repeated && (exit->rflags & RFLAGS_TF) != 0)
		return ERR_UNSUPPORTED; /* a trap after each element */
	if ((exit->gla_valid != 0 && exit->gla != linear) || ((linear ^ exit->gpa) & (PAGE_SIZE_BYTES - 1)) != 0)
		return ERR_INVALID;
	out->access.start = gpa(exit->gpa);
	out->access.width_bytes = instruction->memory_bytes;
	out->access.reads = instruction_reads_memory(instruction);
	out->access.writes = instruction_writes_memory(instruction);
	out->access.count = 1;
	if (instruction->operation == OP_STOS)
		set_repetition(&out->access, instruction, state);
	return OK;
}

static void set_register(struct emulation_result *out, const struct vcpu_state *state, unsigned number, uint64_t value,
			 unsigned width_bytes, bool is_high)
{
	out->registers[out->register_count].number = (uint8_t)number;
	out->registers[out->register_count].value = emulation_merged(state->gpr[number], value, width_bytes, is_high);
	out->register_count++;
}

/* Moves rDI, and with REP counts rCX down; the instruction ends when that is 0. */
static void finish_string_store(const struct emulation *e, const struct vcpu_state *state, struct emulation_result *out)
{
	const struct instruction *instruction = e->instruction;
	unsigned address_bytes = instruction->address_bytes;
	uint64_t distance = (uint64_t)((int64_t)e->access.count * e->access.step_bytes);
	uint64_t left = register_value(state, GPR_RCX, address_bytes, false) - e->access.count;

	out->write_value = register_value(state, GPR_RAX, instruction->memory_bytes, false);
	set_register(out, state, GPR_RDI, state->gpr[GPR_RDI] + distance, address_bytes, false);
	if (!instruction->is_repeated)
		return;
	set_register(out, state, GPR_RCX, left, address_bytes, false);
	if (left != 0)
		out->advance_bytes = 0;
}

/* Moves: nothing is computed, no flag changes. Only they have operands of two widths. */
static void finish_move(const struct instruction *instruction, const struct vcpu_state *state, uint64_t read_value,
			struct emulation_result *out)
{
	unsigned width = instruction->memory_bytes;
	bool is_high = instruction->register_is_high;

	if (instruction->form == FORM_REGISTER_MEMORY) {
		if (instruction->operation == OP_MOVSX)
			read_value = alu_sign_extend(read_value, width);
		set_register(out, state, instruction->register_number, read_value, instruction->register_bytes, is_high);
	} else if (instruction->form == FORM_MEMORY_REGISTER) {
		out->write_value = register_value(state, instruction->register_number, width, is_high);
	} else {
		out->write_value = alu_truncate(instruction->immediate, width);
	}
}

/* Operations with memory as destination. old: what it held. */
static void finish_to_memory(const struct emulation *e, const struct vcpu_state *state, uint64_t old,
			     struct emulation_result *out)
{
	const struct instruction *instruction = e->instruction;
	unsigned width = instruction->memory_bytes;
	unsigned number = instruction->register_number;
	bool has_register = instruction->form == FORM_MEMORY_REGISTER;
	uint64_t source = has_register ? register_value(state, number, width, instruction->register_is_high)
				       : instruction->immediate;
	struct alu_result result;

	if (is_bit_operation(instruction->operation))
		source = e->bit_number;
	if (instruction->operation == OP_CMPXCHG) {
		uint64_t accumulator = register_value(state, GPR_RAX, width, false);
		bool is_equal = accumulator == old;

		result = alu_compute(OP_CMPXCHG, accumulator, old, width, state->exit.rflags);
		out->write_value = is_equal ? source : old;
		if (!is_equal)
			set_register(out, state, GPR_RAX, old, width, false);
	} else {
		result = alu_compute(instruction->operation, old, source, width, state->exit.rflags);
		out->write_value = result.value;
		if (instruction->operation == OP_XCHG || instruction->operation == OP_XADD)
			set_register(out, state, number, old, width, instruction->register_is_high);
	}
	out->flags = result.flags;
}

/* Operations with a register as destination. */
static void finish_to_register(const struct emulation *e, const struct vcpu_state *state, uint64_t source,
			       struct emulation_result *out)
{
	const struct instruction *instruction = e->instruction;
	unsigned width = instruction->register_bytes;
	unsigned number = instruction->register_number;
	bool is_high = instruction->register_is_high;
	struct alu_result result = alu_compute(instruction->operation, register_value(state, number, width, is_high), source, width,
					       state->exit.rflags);

	out->flags = result.flags;
	if (instruction->operation != OP_CMP)
		set_register(out, state, number, result.value, width, is_high);
}

static void finish_integer(const struct instruction *instruction, const struct vcpu_state *state, uint64_t value,
			   struct emulation_result *out)
{
	struct integer_result result;

	integer_compute(instruction, state->gpr, state->exit.rflags, value, &result);
	out->has_divide_error = result.divide_error;
	out->flags = result.flags;
	out->write_value = result.memory;
	for (unsigned i = 0; i < result.register_count; i++)
		set_register(out, state, result.registers[i].number, result.registers[i].value, result.registers[i].bytes,
			     instruction->register_is_high && result.registers[i].bytes == 1);
}

/* Kept apart, so that the commonest instructions need no stack for it. */
static __attribute__((noinline)) void finish_others(const struct emulation *emulation, const struct vcpu_state *state,
						    uint64_t value, struct emulation_result *out)
{
	const struct instruction *instruction = emulation->instruction;

	if (instruction->operation == OP_STOS)
		finish_string_store(emulation, state, out);
	else if (instruction->operation >= OP_FIRST_INTEGER)
		finish_integer(instruction, state, value, out);
	else if (instruction->form == FORM_REGISTER_MEMORY)
		finish_to_register(emulation, state, value, out);
	else
		finish_to_memory(emulation, state, value, out);
	out->write_value = alu_truncate(out->write_value, instruction->memory_bytes);
	out->changes_flags = out->flags != state->exit.rflags;
}

void emulation_finish(const struct emulation *emulation, const struct vcpu_state *state, uint64_t read_value,
		      struct emulation_result *out)
{
	const struct instruction *instruction = emulation->instruction;
	uint64_t value = alu_truncate(read_value, instruction->memory_bytes);

	out->write_value = 0;
	out->register_count = 0;
	out->changes_flags = false;
	out->has_divide_error = false;
	out->flags = state->exit.rflags;
	out->advance_bytes = instruction->length_bytes;
	if (instruction->operation == OP_MOV || instruction->operation == OP_MOVSX)
		finish_move(instruction, state, value, out);
	else
		finish_others(emulation, state, value, out);
}

void emulation_to_reply(const struct emulation_result *result, struct vcpu_reply *reply)
{
	reply->action = VCPU_REPLY_COMPLETE;
	reply->register_count = result->register_count;
	for (unsigned i = 0; i < result->register_count; i++) {
		reply->registers[i].number = result->registers[i].number;
		reply->registers[i].value = result->registers[i].value;
	}
	reply->flags_valid = result->changes_flags;
	reply->flags = result->flags & VCPU_REPLY_FLAGS_MASK;
	reply->advance_bytes = result->advance_bytes;
}
