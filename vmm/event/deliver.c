/* Which way an event goes, gates, and real mode. */
#include "vmm/event/deliver.h"

#include "vmm/event/segment.h"

#define REAL_ENTRY_BYTES 4U
#define ERROR_IDT        2U /* of an error code: the index is one of the IDT */

static uint32_t idt_error(const struct event_cpu *cpu, const struct event *event)
{
	return (uint32_t)VCPU_EVENT_VECTOR(event->info) << 3 | ERROR_IDT | cpu->external;
}

enum status gate_read(struct event_cpu *cpu, const struct event *event, unsigned bytes, uint32_t type_mask, struct gate *out)
{
	const struct vcpu_registers *r = &cpu->registers;
	uint32_t error = idt_error(cpu, event), offset = VCPU_EVENT_VECTOR(event->info) * bytes, attributes;
	uint64_t low, high = 0, linear = r->idtr.base + offset;
	enum status status;

	if (offset + bytes - 1 > r->idtr.limit)
		return event_raise(cpu, VECTOR_GP, error);
	status = linear_read(cpu, bytes == 8 ? (uint32_t)linear : linear, 8, LINEAR_TABLE, &low);
	if (status == OK && bytes == 16)
		status = linear_read(cpu, linear + 8, 8, LINEAR_TABLE, &high);
	if (status != OK)
		return status;
	attributes = (uint32_t)(low >> 40) & 0xffU;
	out->type = attributes & (SEGMENT_S | 0xfU);
	out->selector = (uint16_t)(low >> 16);
	out->offset = (low & 0xffff) | (low >> 32 & 0xffff0000U) | high << 32;
	out->stack_table = (unsigned)(low >> 32) & 7U;
	if ((type_mask >> out->type & 1) == 0)
		return event_raise(cpu, VECTOR_GP, error);
	if (event_is_of_instruction(event) && VCPU_EVENT_TYPE(event->info) != VCPU_EVENT_INT1 &&
	    SEGMENT_DPL(attributes) < SEGMENT_DPL(r->ss.attributes))
		return event_raise(cpu, VECTOR_GP, error);
	return (attributes & SEGMENT_PRESENT) != 0 ? OK : event_raise(cpu, VECTOR_NP, error);
}

enum status gate_code(struct event_cpu *cpu, const struct gate *gate, struct descriptor *code, unsigned *level)
{
	unsigned cpl = SEGMENT_DPL(cpu->registers.ss.attributes);
	enum status status = descriptor_read(cpu, gate->selector, code);

	if (status == ERR_NOT_FOUND)
		return event_raise_selector(cpu, VECTOR_GP, gate->selector);
	if (status != OK)
		return status;
	if (!segment_is_code(code->attributes) || SEGMENT_DPL(code->attributes) > cpl)
		return event_raise_selector(cpu, VECTOR_GP, gate->selector);
	if ((code->attributes & SEGMENT_PRESENT) == 0)
		return event_raise_selector(cpu, VECTOR_NP, gate->selector);
	*level = segment_is_conforming(code->attributes) ? cpl : SEGMENT_DPL(code->attributes);
	return OK;
}

uint64_t handler_flags(uint64_t flags, bool clears_if)
{
	return flags & ~(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM | (clears_if ? RFLAGS_IF : 0));
}

/* SDM Vol. 3B, "Interrupt and Exception Handling" of real-address mode. */
enum status deliver_real(struct event_cpu *cpu, const struct event *event)
{
	struct vcpu_registers *r = &cpu->registers;
	uint32_t offset = VCPU_EVENT_VECTOR(event->info) * REAL_ENTRY_BYTES;
	struct stack stack = stack_now(cpu);
	uint64_t entry;
	enum status status;

	if (offset + REAL_ENTRY_BYTES - 1 > r->idtr.limit)
		return event_raise(cpu, VECTOR_GP, 0);
	status = linear_read(cpu, (uint32_t)(r->idtr.base + offset), REAL_ENTRY_BYTES, LINEAR_TABLE, &entry);
	if (status == OK)
		status = stack_push(cpu, &stack, 2, event_saved_flags(cpu, event) & 0xffff);
	if (status == OK)
		status = stack_push(cpu, &stack, 2, r->cs.selector);
	if (status == OK)
		status = stack_push(cpu, &stack, 2, event_saved_rip(cpu, event) & 0xffff);
	if (status != OK)
		return status;
	r->gpr[GPR_RSP] = stack.pointer;
	r->rip = entry & 0xffff;
	r->cs.selector = (uint16_t)(entry >> 16);
	r->cs.base = (uint64_t)r->cs.selector << 4;
	r->rflags &= ~(RFLAGS_IF | RFLAGS_TF | RFLAGS_AC | RFLAGS_RF);
	return OK;
}

enum status event_deliver(struct event_cpu *cpu, const struct event *event)
{
	const struct vcpu_registers *r = &cpu->registers;
	uint32_t type = VCPU_EVENT_TYPE(event->info);
	bool is_real = (r->cr0 & CR0_PE) == 0;
	enum status status;

	cpu->external = event_is_external(event) ? 1 : 0;
	if ((r->cr4 & CR4_CET) != 0)
		return event_refuse(cpu, "delivery of an event with CET");
	if ((r->rflags & RFLAGS_VM) != 0 && type == VCPU_EVENT_SOFTWARE_INTERRUPT && (r->cr4 & CR4_VME) != 0)
		return event_refuse(cpu, "INT n in virtual-8086 mode with CR4.VME");
	if ((r->efer & EFER_LMA) != 0)
		status = deliver_long(cpu, event);
	else
		status = is_real ? deliver_real(cpu, event) : deliver_protected(cpu, event);
	if (status == OK) {
		cpu->is_committed = true;
		if (type == VCPU_EVENT_NMI)
			cpu->registers.nmi_blocked = 1;
	}
	return status;
}
