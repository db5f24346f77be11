/* PUSH and POP, near CALL, JMP and RET, ENTER and LEAVE, with the stack or the operand at a device.
 * SDM Vol. 1, "Procedure Stack", "Address-Size Attributes for Stack Accesses"; Vol. 2, "Operation" of each. */
#include "abi/vcpu.h"
#include "vmm/decode/alu.h"
#include "vmm/decode/handlers.h"
#include "vmm/decode/operand.h"

#define SEGMENT_BIG     (1U << 14)
#define RFLAGS_RF_VM    0x30000ULL
#define RFLAGS_VM       0x20000ULL
#define RFLAGS_RF       0x10000ULL
#define RFLAGS_IOPL     0x3000ULL
#define RFLAGS_IF       0x200ULL
#define RFLAGS_POPPED   0x244dd5ULL /* ID, AC, NT, OF, DF, TF and the status flags */
#define IOPL_OF(flags)  ((flags) >> 12 & 3)
#define ENTER_LEVEL(immediate) ((immediate) >> 16 & 31)

static unsigned stack_address_bytes(const struct execution *x)
{
	if (execution_is_64_bit(x))
		return 8;
	return (x->state->exit.ss_attributes & SEGMENT_BIG) != 0 ? 4 : 2;
}

static void set_stack_pointer(struct execution *x, uint64_t value)
{
	execution_set_register(x, GPR_RSP, value, stack_address_bytes(x));
}

/* The slot that offset_bytes from rSP on would be. */
static enum status place_slot(struct execution *x, uint64_t base, uint64_t offset_bytes, bool is_write, struct place *out)
{
	uint64_t offset = alu_truncate(base + offset_bytes, stack_address_bytes(x));

	return operand_place(x, SEGMENT_SS, offset, x->instruction->memory_bytes, is_write, out);
}

static enum status place_pushed(struct execution *x, struct place *out)
{
	return place_slot(x, x->gpr[GPR_RSP], 0 - (uint64_t)x->instruction->memory_bytes, true, out);
}

/* Both are found before one is used. operand: read; ModRM may have named a register. */
static enum status read_source(struct execution *x, uint64_t *value, struct place *slot, bool has_slot)
{
	const struct instruction *instruction = x->instruction;
	struct place place;
	enum status status = OK;

	if (instruction->form == FORM_MEMORY && instruction->has_memory)
		status = operand_place_own(x, 0, instruction->memory_bytes, false, &place);
	if (status == OK && has_slot)
		status = place_pushed(x, slot);
	if (status != OK)
		return status;
	if (instruction->form == FORM_IMMEDIATE)
		*value = instruction->immediate;
	else if (instruction->form == FORM_REGISTER)
		*value = x->gpr[instruction->register_number];
	else if (!instruction->has_memory)
		*value = x->gpr[instruction->rm_register];
	else
		status = operand_read_number(x, &place, value);
	return status;
}

static enum status write_pushed(struct execution *x, const struct place *slot, uint64_t value)
{
	enum status status = operand_write_number(x, slot, value);

	if (status == OK)
		set_stack_pointer(x, x->gpr[GPR_RSP] - x->instruction->memory_bytes);
	return status;
}

static enum status push(struct execution *x)
{
	struct place slot;
	uint64_t value;
	enum status status = read_source(x, &value, &slot, true);

	return status == OK ? write_pushed(x, &slot, value) : status;
}

/* In virtual-8086 mode with IOPL 3 only. */
static enum status push_flags(struct execution *x)
{
	struct place slot;
	enum status status;

	if ((x->rflags & RFLAGS_VM) != 0 && IOPL_OF(x->rflags) != 3)
		return execution_fault(x, EXCEPTION_GP, 0);
	status = place_pushed(x, &slot);
	return status == OK ? write_pushed(x, &slot, x->rflags & ~RFLAGS_RF_VM) : status;
}

/* IOPL changes at CPL 0 only, IF where CPL is within IOPL. SDM Vol. 2B, "POPF/POPFD/POPFQ". The other registers go with them: a
 * reply has no such flags. */
static enum status pop_flags(struct execution *x)
{
	uint64_t popped = RFLAGS_POPPED, value;
	struct place slot;
	enum status status = execution_need_registers(x);

	if ((x->rflags & RFLAGS_VM) != 0 && IOPL_OF(x->rflags) != 3)
		return execution_fault(x, EXCEPTION_GP, 0);
	if (x->state->exit.cpl <= IOPL_OF(x->rflags))
		popped |= RFLAGS_IF;
	if (x->state->exit.cpl == 0)
		popped |= RFLAGS_IOPL;
	if (status == OK)
		status = place_slot(x, x->gpr[GPR_RSP], 0, false, &slot);
	if (status == OK && !x->touches_device)
		return ERR_INVALID;
	if (status == OK)
		status = operand_read_number(x, &slot, &value);
	if (status != OK)
		return status;
	if (x->instruction->memory_bytes == 2)
		popped &= 0xffff;
	x->rflags = (x->rflags & ~popped & ~RFLAGS_RF) | (value & popped);
	x->changes_segments = true;
	set_stack_pointer(x, x->gpr[GPR_RSP] + x->instruction->memory_bytes);
	return OK;
}

/* An operand with rSP as base is found with the rSP after the pop. */
static enum status pop(struct execution *x)
{
	const struct instruction *instruction = x->instruction;
	unsigned bytes = instruction->memory_bytes;
	bool to_memory = instruction->form == FORM_MEMORY && instruction->has_memory;
	struct place slot, target;
	uint64_t value;
	enum status status = place_slot(x, x->gpr[GPR_RSP], 0, false, &slot);

	set_stack_pointer(x, x->gpr[GPR_RSP] + bytes);
	if (status == OK && to_memory)
		status = operand_place_own(x, 0, bytes, true, &target);
	if (status == OK)
		status = operand_read_number(x, &slot, &value);
	if (status != OK)
		return status;
	if (to_memory)
		return operand_write_number(x, &target, value);
	execution_set_register(x, instruction->form == FORM_REGISTER ? instruction->register_number : instruction->rm_register,
			       value, bytes);
	return OK;
}

enum status execute_jump(struct execution *x, uint64_t target, unsigned bytes)
{
	enum status status = OK;

	target = alu_truncate(target, bytes);
	if (execution_is_64_bit(x)) {
		if (!execution_is_canonical(x, target))
			return execution_fault(x, EXCEPTION_GP, 0);
	} else {
		status = execution_need_registers(x);
		if (status == OK && target > x->registers.cs.limit)
			return execution_fault(x, EXCEPTION_GP, 0);
	}
	x->rip = target;
	return status;
}

static enum status call(struct execution *x)
{
	uint64_t next = x->rip, target;
	struct place slot;
	enum status status = read_source(x, &target, &slot, true);

	if (status == OK && x->instruction->form == FORM_IMMEDIATE)
		target += next;
	if (status == OK)
		status = execute_jump(x, target, x->instruction->memory_bytes);
	return status == OK ? write_pushed(x, &slot, next) : status;
}

static enum status jump(struct execution *x)
{
	uint64_t target;
	enum status status = read_source(x, &target, NULL, false);

	return status == OK ? execute_jump(x, target, x->instruction->memory_bytes) : status;
}

static enum status return_near(struct execution *x)
{
	unsigned bytes = x->instruction->memory_bytes;
	struct place slot;
	uint64_t target;
	enum status status = place_slot(x, x->gpr[GPR_RSP], 0, false, &slot);

	if (status == OK)
		status = operand_read_number(x, &slot, &target);
	if (status == OK)
		status = execute_jump(x, target, bytes);
	if (status == OK)
		set_stack_pointer(x, x->gpr[GPR_RSP] + bytes + x->instruction->immediate);
	return status;
}

/* Nested frames (level not 0) copy others' frame pointers: no guest has them at a device. */
static enum status enter(struct execution *x)
{
	struct place slot;
	enum status status = ENTER_LEVEL(x->instruction->immediate) == 0 ? place_pushed(x, &slot) : ERR_UNSUPPORTED;

	if (status == OK)
		status = write_pushed(x, &slot, x->gpr[GPR_RBP]);
	if (status != OK)
		return status;
	execution_set_register(x, GPR_RBP, x->gpr[GPR_RSP], x->instruction->memory_bytes);
	set_stack_pointer(x, x->gpr[GPR_RSP] - (x->instruction->immediate & 0xffff));
	return OK;
}

static enum status leave(struct execution *x)
{
	unsigned bytes = x->instruction->memory_bytes;
	uint64_t frame = x->gpr[GPR_RBP], value;
	struct place slot;
	enum status status = place_slot(x, frame, 0, false, &slot);

	if (status == OK)
		status = operand_read_number(x, &slot, &value);
	if (status != OK)
		return status;
	set_stack_pointer(x, frame + bytes);
	execution_set_register(x, GPR_RBP, value, bytes);
	return OK;
}

enum status execute_stack(struct execution *x)
{
	switch ((unsigned)x->instruction->operation) {
	case OP_PUSH:
		return push(x);
	case OP_PUSHF:
		return push_flags(x);
	case OP_POP:
		return pop(x);
	case OP_POPF:
		return pop_flags(x);
	case OP_CALL:
		return execution_has_cet(x) ? ERR_UNSUPPORTED : call(x);
	case OP_JMP:
		return execution_has_cet(x) ? ERR_UNSUPPORTED : jump(x);
	case OP_RET:
		return execution_has_cet(x) ? ERR_UNSUPPORTED : return_near(x);
	case OP_ENTER:
		return enter(x);
	case OP_LEAVE:
		return leave(x);
	default:
		return ERR_UNSUPPORTED;
	}
}
