/* Descriptors, limits, and pushes. */
#include "vmm/event/segment.h"

#define ATTRIBUTES_BYTE 5U /* of a descriptor: type, S, DPL, P */
#define ALIGN_DOWN_8    0xfff8U

enum status descriptor_read(struct event_cpu *cpu, uint16_t selector, struct descriptor *out)
{
	bool is_local = (selector & SELECTOR_TI) != 0;
	const struct vcpu_segment *table = is_local ? &cpu->registers.ldtr : &cpu->registers.gdtr;
	uint32_t offset = selector & ALIGN_DOWN_8, high;
	uint64_t raw;
	enum status status;

	if ((selector & SELECTOR_INDEX_TI) == 0 || offset + 7 > table->limit)
		return ERR_NOT_FOUND;
	if (is_local && (table->attributes & SEGMENT_NONE) != 0)
		return ERR_NOT_FOUND;
	out->linear = table->base + offset;
	if ((cpu->registers.efer & EFER_LMA) == 0)
		out->linear = (uint32_t)out->linear;
	status = linear_read(cpu, out->linear, 8, LINEAR_TABLE, &raw);
	if (status != OK)
		return status;
	high = (uint32_t)(raw >> 32);
	out->base = (uint32_t)(raw >> 16 & 0xffffff) | (high & 0xff000000U);
	out->attributes = high >> 8 & 0xf0ffU;
	out->limit = (uint32_t)(raw & 0xffff) | (high & 0xf0000U);
	if ((out->attributes & SEGMENT_GRANULAR) != 0)
		out->limit = out->limit << 12 | 0xfffU;
	return OK;
}

enum status descriptor_mark(struct event_cpu *cpu, struct descriptor *descriptor)
{
	if ((descriptor->attributes & SEGMENT_ACCESSED) != 0)
		return OK;
	descriptor->attributes |= SEGMENT_ACCESSED;
	return linear_change(cpu, descriptor->linear + ATTRIBUTES_BYTE, 0, SEGMENT_ACCESSED);
}

struct vcpu_segment segment_of(uint16_t selector, const struct descriptor *descriptor)
{
	return (struct vcpu_segment){.base = descriptor->base, .limit = descriptor->limit, .attributes = descriptor->attributes,
				     .selector = selector};
}

struct vcpu_segment segment_unusable(uint16_t selector, unsigned dpl)
{
	return (struct vcpu_segment){.selector = selector, .attributes = SEGMENT_NONE | SEGMENT_OF_DPL(dpl)};
}

/* "Checks on Guest Segment Registers": virtual-8086 mode has just these. */
struct vcpu_segment segment_8086(uint16_t selector)
{
	return (struct vcpu_segment){.base = (uint32_t)selector << 4, .limit = 0xffff, .attributes = 0xf3, .selector = selector};
}

bool segment_holds(const struct vcpu_segment *segment, uint32_t offset, unsigned bytes)
{
	uint32_t last = offset + bytes - 1, highest = UINT32_MAX;

	if (last < offset)
		return false;
	if ((segment->attributes & (SEGMENT_CODE | SEGMENT_DOWN)) != SEGMENT_DOWN)
		return last <= segment->limit;
	if ((segment->attributes & SEGMENT_DB) == 0)
		highest = 0xffff;
	return offset > segment->limit && last <= highest;
}

struct stack stack_now(const struct event_cpu *cpu)
{
	const struct vcpu_registers *r = &cpu->registers;

	return (struct stack){.segment = r->ss,
			      .pointer = r->gpr[GPR_RSP],
			      .kind = SEGMENT_DPL(r->ss.attributes) == 3 ? LINEAR_USER_STACK : LINEAR_STACK,
			      .error_code = cpu->external};
}

enum status stack_push(struct event_cpu *cpu, struct stack *stack, unsigned width, uint64_t value)
{
	uint32_t mask = (stack->segment.attributes & SEGMENT_DB) != 0 ? UINT32_MAX : 0xffff, offset;
	enum status status;

	if (stack->is_64_bit) {
		status = linear_write(cpu, stack->pointer - width, width, stack->kind, value);
		stack->pointer -= status == OK ? width : 0;
		return status;
	}
	offset = ((uint32_t)stack->pointer - width) & mask;
	if ((stack->segment.attributes & SEGMENT_NONE) != 0 || !segment_holds(&stack->segment, offset, width))
		return event_raise(cpu, VECTOR_SS, stack->error_code);
	status = linear_write(cpu, (uint32_t)(stack->segment.base + offset), width, stack->kind, value);
	if (status == OK)
		stack->pointer = (stack->pointer & ~(uint64_t)mask) | offset;
	return status;
}

enum status stack_pop(struct event_cpu *cpu, struct stack *stack, unsigned width, uint64_t *value)
{
	uint32_t mask = (stack->segment.attributes & SEGMENT_DB) != 0 ? UINT32_MAX : 0xffff;
	uint32_t offset = (uint32_t)stack->pointer & mask;
	enum status status;

	if (stack->is_64_bit) {
		status = linear_read(cpu, stack->pointer, width, stack->kind, value);
		stack->pointer += status == OK ? width : 0;
		return status;
	}
	if ((stack->segment.attributes & SEGMENT_NONE) != 0 || !segment_holds(&stack->segment, offset, width))
		return event_raise(cpu, VECTOR_SS, stack->error_code);
	status = linear_read(cpu, (uint32_t)(stack->segment.base + offset), width, stack->kind, value);
	if (status == OK)
		stack->pointer = (stack->pointer & ~(uint64_t)mask) | ((offset + width) & mask);
	return status;
}
