/* IA-32e mode: gates of 64 bits. SDM Vol. 3A, "Exception and Interrupt Handling in 64-bit Mode", "Interrupt Stack Table". */
#include "vmm/event/deliver.h"
#include "vmm/event/segment.h"

#define GATE_TYPES     (1U << GATE_INTERRUPT_32 | 1U << GATE_TRAP_32)
#define TSS64_RSP0     0x04U
#define TSS64_IST1     0x24U

/* A stack of the TSS: by the gate's table entry, else the more privileged level's. */
static enum status stack_from_tss(struct event_cpu *cpu, const struct gate *gate, unsigned level, uint64_t *pointer)
{
	const struct vcpu_segment *tr = &cpu->registers.tr;
	uint32_t offset = gate->stack_table != 0 ? TSS64_IST1 + (gate->stack_table - 1) * 8 : TSS64_RSP0 + level * 8;
	enum status status;

	if (offset + 7 > tr->limit)
		return event_raise_selector(cpu, VECTOR_TS, tr->selector);
	status = linear_read(cpu, tr->base + offset, 8, LINEAR_TABLE, pointer);
	if (status == OK && !event_is_canonical(cpu, *pointer))
		return event_raise(cpu, VECTOR_SS, cpu->external);
	return status;
}

static enum status push_frame(struct event_cpu *cpu, const struct event *event, struct stack *stack)
{
	const struct vcpu_registers *r = &cpu->registers;
	const uint64_t values[] = {r->ss.selector, r->gpr[GPR_RSP], event_saved_flags(cpu, event), r->cs.selector,
				   event_saved_rip(cpu, event), event->error_code};
	unsigned count = event_has_error_code(event) ? 6 : 5;
	enum status status = OK;

	stack->pointer &= ~15ULL;
	for (unsigned i = 0; i < count && status == OK; i++)
		status = stack_push(cpu, stack, 8, values[i]);
	return status;
}

enum status deliver_long(struct event_cpu *cpu, const struct event *event)
{
	struct vcpu_registers *r = &cpu->registers;
	unsigned cpl = SEGMENT_DPL(r->ss.attributes), level;
	struct stack stack = stack_now(cpu);
	struct descriptor code;
	struct gate gate;
	enum status status = gate_read(cpu, event, 16, GATE_TYPES, &gate);

	if (status == OK)
		status = gate_code(cpu, &gate, &code, &level);
	if (status != OK)
		return status;
	if ((code.attributes & (SEGMENT_L | SEGMENT_DB)) != SEGMENT_L)
		return event_raise_selector(cpu, VECTOR_GP, gate.selector);
	stack.is_64_bit = true;
	stack.kind = level == 3 ? LINEAR_USER_STACK : LINEAR_STACK;
	if (gate.stack_table != 0 || level < cpl)
		status = stack_from_tss(cpu, &gate, level, &stack.pointer);
	if (status == OK)
		status = push_frame(cpu, event, &stack);
	if (status == OK && !event_is_canonical(cpu, gate.offset))
		status = event_raise(cpu, VECTOR_GP, cpu->external);
	if (status == OK)
		status = descriptor_mark(cpu, &code);
	if (status != OK)
		return status;
	r->cs = segment_of((uint16_t)((gate.selector & ~SELECTOR_RPL) | level), &code);
	if (level < cpl)
		r->ss = segment_unusable((uint16_t)level, level);
	r->gpr[GPR_RSP] = stack.pointer;
	r->rip = gate.offset;
	r->rflags = handler_flags(r->rflags, !GATE_IS_TRAP(gate.type));
	return OK;
}
