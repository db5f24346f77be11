/* Legacy protected mode: gates of 16 and 32 bits, to the same or a more privileged level, also from virtual-8086 mode; task
 * gates. */
#include "vmm/event/deliver.h"
#include "vmm/event/segment.h"
#include "vmm/event/task_switch.h"
#include "vmm/event/tss.h"

#define GATE_TYPES \
	(1U << SYSTEM_TASK_GATE | 1U << GATE_INTERRUPT_16 | 1U << GATE_TRAP_16 | 1U << GATE_INTERRUPT_32 | 1U << GATE_TRAP_32)

/* The stack of a more privileged level, from the TSS. */
static enum status inner_stack(struct event_cpu *cpu, unsigned level, struct stack *stack)
{
	uint16_t selector;
	uint32_t pointer;
	struct descriptor data;
	enum status status = tss_inner_stack(cpu, level, &selector, &pointer);

	if (status != OK)
		return status;
	status = descriptor_read(cpu, selector, &data);
	if (status == ERR_NOT_FOUND)
		return event_raise_selector(cpu, VECTOR_TS, selector);
	if (status != OK)
		return status;
	if ((selector & SELECTOR_RPL) != level || SEGMENT_DPL(data.attributes) != level ||
	    !segment_is_writable_data(data.attributes))
		return event_raise_selector(cpu, VECTOR_TS, selector);
	if ((data.attributes & SEGMENT_PRESENT) == 0)
		return event_raise_selector(cpu, VECTOR_SS, selector);
	status = descriptor_mark(cpu, &data);
	*stack = (struct stack){.segment = segment_of(selector, &data),
				.pointer = pointer,
				.kind = LINEAR_STACK,
				.error_code = (selector & SELECTOR_INDEX_TI) | cpu->external};
	return status;
}

static enum status push_all(struct event_cpu *cpu, struct stack *stack, unsigned width, const uint64_t *values, unsigned count)
{
	enum status status = OK;

	for (unsigned i = 0; i < count && status == OK; i++)
		status = stack_push(cpu, stack, width, values[i]);
	return status;
}

/* Virtual-8086 mode's data segments, the old stack, the place to return to, the error code: what of them there is. */
static enum status push_frame(struct event_cpu *cpu, const struct event *event, struct stack *stack, unsigned width, bool is_inner)
{
	const struct vcpu_registers *r = &cpu->registers;
	const uint64_t data[] = {r->gs.selector, r->fs.selector, r->ds.selector, r->es.selector};
	const uint64_t outer[] = {r->ss.selector, r->gpr[GPR_RSP]};
	const uint64_t back[] = {event_saved_flags(cpu, event), r->cs.selector, event_saved_rip(cpu, event), event->error_code};
	enum status status = OK;

	if (is_inner && (r->rflags & RFLAGS_VM) != 0)
		status = push_all(cpu, stack, width, data, 4);
	if (status == OK && is_inner)
		status = push_all(cpu, stack, width, outer, 2);
	return status == OK ? push_all(cpu, stack, width, back, event_has_error_code(event) ? 4 : 3) : status;
}

static void enter(struct event_cpu *cpu, const struct gate *gate, const struct vcpu_segment *code, const struct stack *stack)
{
	struct vcpu_registers *r = &cpu->registers;

	if ((r->rflags & RFLAGS_VM) != 0)
		r->ds = r->es = r->fs = r->gs = segment_unusable(0, 0);
	r->cs = *code;
	r->ss = stack->segment;
	r->gpr[GPR_RSP] = stack->pointer;
	r->rip = gate->offset;
	r->rflags = handler_flags(r->rflags, !GATE_IS_TRAP(gate->type));
}

static enum status through_gate(struct event_cpu *cpu, const struct event *event, struct gate *gate)
{
	unsigned cpl = SEGMENT_DPL(cpu->registers.ss.attributes), level;
	bool is_8086 = (cpu->registers.rflags & RFLAGS_VM) != 0, is_inner;
	struct stack stack = stack_now(cpu);
	struct vcpu_segment segment;
	struct descriptor code;
	enum status status = gate_code(cpu, gate, &code, &level);

	if (status != OK)
		return status;
	is_inner = level < cpl;
	if (is_8086 && level != 0)
		return event_raise_selector(cpu, VECTOR_GP, gate->selector);
	if (gate->type < GATE_INTERRUPT_32)
		gate->offset &= 0xffff;
	if (is_inner)
		status = inner_stack(cpu, level, &stack);
	if (status == OK)
		status = push_frame(cpu, event, &stack, gate->type < GATE_INTERRUPT_32 ? 2 : 4, is_inner);
	if (status == OK && gate->offset > code.limit)
		status = event_raise(cpu, VECTOR_GP, cpu->external);
	if (status == OK)
		status = descriptor_mark(cpu, &code);
	if (status != OK)
		return status;
	segment = segment_of((uint16_t)((gate->selector & ~SELECTOR_RPL) | level), &code);
	enter(cpu, gate, &segment, &stack);
	return OK;
}

enum status deliver_protected(struct event_cpu *cpu, const struct event *event)
{
	struct gate gate;
	struct task_switch request;
	enum status status = gate_read(cpu, event, 8, GATE_TYPES, &gate);

	if (status != OK)
		return status;
	if (gate.type != SYSTEM_TASK_GATE)
		return through_gate(cpu, event, &gate);
	request = (struct task_switch){.selector = gate.selector, .source = VCPU_TASK_GATE, .event = *event};
	return task_switch(cpu, &request);
}
