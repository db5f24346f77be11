/* Which decoded instructions are plain moves. */
#include "vmm/decode/plain.h"

static bool is_plain(const struct instruction *instruction)
{
	enum segment segment = instruction->memory.segment;

	if (instruction->operation != OP_MOV || !instruction->has_memory || instruction->code_size != CODE_64 ||
	    instruction->address_bytes != 8 || segment == SEGMENT_FS || segment == SEGMENT_GS)
		return false;
	if (instruction->memory_bytes < 4 || instruction->register_bytes != instruction->memory_bytes)
		return false;
	if (instruction->form == FORM_REGISTER_MEMORY)
		return instruction->register_number != GPR_RSP;
	return instruction->form == FORM_MEMORY_REGISTER;
}

struct plain_move plain_move_of(const struct instruction *instruction, uint64_t rip)
{
	const struct memory_operand *memory = &instruction->memory;

	if (!is_plain(instruction))
		return (struct plain_move){.kind = PLAIN_NONE};
	return (struct plain_move){
		.kind = instruction->form == FORM_REGISTER_MEMORY ? PLAIN_LOAD : PLAIN_STORE,
		.width_bytes = instruction->memory_bytes,
		.register_number = instruction->register_number,
		.length_bytes = instruction->length_bytes,
		.base = memory->base,
		.index = memory->index,
		.scale_shift = memory->scale_shift,
		.displacement = memory->displacement + (memory->is_rip_relative ? rip + instruction->length_bytes : 0),
	};
}
