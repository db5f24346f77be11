/* Pops, checks, and only then changes registers. */
#include "vmm/event/return.h"

#include "vmm/event/deliver.h"
#include "vmm/event/segment.h"

#define RFLAGS_IOPL 0x3000U
#define IOPL(flags) ((unsigned)((flags) >> 12) & 3U)
/* CF, PF, AF, ZF, SF, TF, DF, OF, NT; RF, AC, ID; VIF, VIP. */
#define FLAGS_ALWAYS 0x4dd5ULL
#define FLAGS_UPPER  0x250000ULL
#define FLAGS_VIRTUAL 0x180000ULL
#define FLAGS_LOW    0xffffULL
#define FLAGS_8086   0x3f7fd7ULL

struct frame {
	uint64_t rip, cs, flags, rsp, ss;
};

static bool is_64_bit(const struct event_cpu *cpu)
{
	return (cpu->registers.efer & EFER_LMA) != 0 && (cpu->registers.cs.attributes & SEGMENT_L) != 0;
}

static enum status pop_first(struct event_cpu *cpu, struct stack *stack, unsigned width, struct frame *frame)
{
	enum status status = stack_pop(cpu, stack, width, &frame->rip);

	if (status == OK)
		status = stack_pop(cpu, stack, width, &frame->cs);
	if (status == OK)
		status = stack_pop(cpu, stack, width, &frame->flags);
	frame->cs &= 0xffff;
	return status;
}

static enum status pop_stack(struct event_cpu *cpu, struct stack *stack, unsigned width, struct frame *frame)
{
	enum status status = stack_pop(cpu, stack, width, &frame->rsp);

	if (status == OK)
		status = stack_pop(cpu, stack, width, &frame->ss);
	frame->ss &= 0xffff;
	return status;
}

/* What this privilege level may change, of as many bits as were popped. */
static uint64_t returned_flags(const struct event_cpu *cpu, uint64_t image, unsigned width, unsigned cpl)
{
	uint64_t old = cpu->registers.rflags, mask = FLAGS_ALWAYS | FLAGS_UPPER;

	mask |= cpl <= IOPL(old) ? RFLAGS_IF : 0;
	mask |= cpl == 0 ? RFLAGS_IOPL | FLAGS_VIRTUAL : 0;
	mask &= width == 2 ? FLAGS_LOW : UINT64_MAX;
	return (old & ~mask) | (image & mask);
}

/* Real and virtual-8086 mode. */
static enum status return_8086(struct event_cpu *cpu, unsigned width)
{
	struct vcpu_registers *r = &cpu->registers;
	bool is_8086 = (r->rflags & RFLAGS_VM) != 0;
	struct stack stack = stack_now(cpu);
	struct frame frame;
	enum status status;

	if (is_8086 && IOPL(r->rflags) != 3)
		return event_refuse(cpu, "IRET from a device in virtual-8086 mode with IOPL below 3");
	status = pop_first(cpu, &stack, width, &frame);
	if (status != OK)
		return status;
	if (frame.rip > r->cs.limit)
		return event_raise(cpu, VECTOR_GP, 0);
	r->gpr[GPR_RSP] = stack.pointer;
	r->rip = frame.rip;
	r->cs.selector = (uint16_t)frame.cs;
	r->cs.base = frame.cs << 4;
	r->rflags = (returned_flags(cpu, frame.flags, width, is_8086 ? 3 : 0) & ~FLAGS_VIRTUAL) | (r->rflags & FLAGS_VIRTUAL);
	return OK;
}

static enum status to_8086(struct event_cpu *cpu, struct stack *stack, const struct frame *frame)
{
	struct vcpu_registers *r = &cpu->registers;
	uint64_t rsp, selectors[5]; /* SS, ES, DS, FS, GS */
	enum status status = stack_pop(cpu, stack, 4, &rsp);

	for (unsigned i = 0; i < 5 && status == OK; i++)
		status = stack_pop(cpu, stack, 4, &selectors[i]);
	if (status != OK)
		return status;
	if ((frame->rip & ~0xffffULL) != 0)
		return event_raise(cpu, VECTOR_GP, 0);
	r->cs = segment_8086((uint16_t)frame->cs);
	r->ss = segment_8086((uint16_t)selectors[0]);
	r->es = segment_8086((uint16_t)selectors[1]);
	r->ds = segment_8086((uint16_t)selectors[2]);
	r->fs = segment_8086((uint16_t)selectors[3]);
	r->gs = segment_8086((uint16_t)selectors[4]);
	r->gpr[GPR_RSP] = rsp;
	r->rip = frame->rip;
	r->rflags = (frame->flags & FLAGS_8086) | RFLAGS_ONE;
	return OK;
}

static enum status check_code(struct event_cpu *cpu, uint16_t selector, unsigned cpl, struct descriptor *code)
{
	const uint32_t both = SEGMENT_L | SEGMENT_DB;
	unsigned rpl = selector & SELECTOR_RPL, dpl;
	enum status status = descriptor_read(cpu, selector, code);

	if (status == ERR_NOT_FOUND)
		return event_raise_selector(cpu, VECTOR_GP, selector);
	if (status != OK)
		return status;
	dpl = SEGMENT_DPL(code->attributes);
	if (!segment_is_code(code->attributes) || rpl < cpl ||
	    (segment_is_conforming(code->attributes) ? dpl > rpl : dpl != rpl))
		return event_raise_selector(cpu, VECTOR_GP, selector);
	if ((cpu->registers.efer & EFER_LMA) != 0 && (code->attributes & both) == both)
		return event_raise_selector(cpu, VECTOR_GP, selector);
	if ((code->attributes & SEGMENT_PRESENT) == 0)
		return event_raise_selector(cpu, VECTOR_NP, selector);
	return OK;
}

/* 64-bit code below CPL 3 needs no stack segment. */
static enum status load_stack(struct event_cpu *cpu, uint16_t selector, unsigned rpl, bool to_64_bit, struct vcpu_segment *out)
{
	struct descriptor data;
	enum status status;

	if ((selector & SELECTOR_INDEX_TI) == 0) {
		*out = segment_unusable(selector, rpl);
		return is_64_bit(cpu) && to_64_bit && rpl != 3 && selector == rpl ? OK : event_raise(cpu, VECTOR_GP, 0);
	}
	status = descriptor_read(cpu, selector, &data);
	if (status == ERR_NOT_FOUND)
		return event_raise_selector(cpu, VECTOR_GP, selector);
	if (status != OK)
		return status;
	if ((selector & SELECTOR_RPL) != rpl || SEGMENT_DPL(data.attributes) != rpl || !segment_is_writable_data(data.attributes))
		return event_raise_selector(cpu, VECTOR_GP, selector);
	if ((data.attributes & SEGMENT_PRESENT) == 0)
		return event_raise_selector(cpu, VECTOR_SS, selector);
	status = descriptor_mark(cpu, &data);
	*out = segment_of(selector, &data);
	return status;
}

/* What the less privileged code may not have is gone. */
static void drop_data(struct vcpu_registers *r, unsigned cpl)
{
	struct vcpu_segment *const data[] = {&r->ds, &r->es, &r->fs, &r->gs};

	for (unsigned i = 0; i < 4; i++) {
		uint32_t attributes = data[i]->attributes;

		if ((attributes & SEGMENT_NONE) != 0 || segment_is_conforming(attributes) || SEGMENT_DPL(attributes) >= cpl)
			continue;
		data[i]->selector = 0;
		data[i]->attributes |= SEGMENT_NONE;
	}
}

/* The stack that the frame names or, on the same level outside 64-bit mode, the one it lay on. */
static void set_stack(struct event_cpu *cpu, const struct vcpu_segment *segment, uint64_t pointer)
{
	struct vcpu_registers *r = &cpu->registers;
	bool is_16_bit = !is_64_bit(cpu) && (segment->attributes & (SEGMENT_DB | SEGMENT_NONE)) == 0;

	r->ss = *segment;
	r->gpr[GPR_RSP] = is_16_bit ? (r->gpr[GPR_RSP] & ~0xffffULL) | (pointer & 0xffff) : pointer;
}

static enum status return_protected(struct event_cpu *cpu, unsigned width)
{
	struct vcpu_registers *r = &cpu->registers;
	unsigned cpl = SEGMENT_DPL(r->ss.attributes), rpl;
	struct stack stack = stack_now(cpu);
	struct vcpu_segment segment = stack.segment;
	struct descriptor code;
	struct frame frame;
	bool to_64_bit;
	enum status status;

	stack.is_64_bit = is_64_bit(cpu);
	status = pop_first(cpu, &stack, width, &frame);
	if (status != OK)
		return status;
	if ((frame.flags & RFLAGS_VM) != 0 && width == 4 && cpl == 0 && (r->efer & EFER_LMA) == 0)
		return to_8086(cpu, &stack, &frame);
	rpl = frame.cs & SELECTOR_RPL;
	status = check_code(cpu, (uint16_t)frame.cs, cpl, &code);
	if (status != OK)
		return status;
	to_64_bit = (r->efer & EFER_LMA) != 0 && (code.attributes & SEGMENT_L) != 0;
	if (stack.is_64_bit || rpl > cpl) {
		status = pop_stack(cpu, &stack, width, &frame);
		if (status == OK)
			status = load_stack(cpu, (uint16_t)frame.ss, rpl, to_64_bit, &segment);
	} else {
		frame.rsp = stack.pointer;
	}
	if (status == OK && (to_64_bit ? !event_is_canonical(cpu, frame.rip) : frame.rip > code.limit))
		status = event_raise(cpu, VECTOR_GP, 0);
	if (status == OK)
		status = descriptor_mark(cpu, &code);
	if (status != OK)
		return status;
	set_stack(cpu, &segment, frame.rsp);
	r->rflags = returned_flags(cpu, frame.flags, width, cpl);
	r->cs = segment_of((uint16_t)frame.cs, &code);
	r->rip = frame.rip;
	if (rpl > cpl)
		drop_data(r, rpl);
	return OK;
}

enum status event_return(struct event_cpu *cpu, unsigned width)
{
	const struct vcpu_registers *r = &cpu->registers;
	bool is_8086 = (r->cr0 & CR0_PE) == 0 || (r->rflags & RFLAGS_VM) != 0;
	enum status status;

	cpu->external = 0;
	if ((r->cr4 & CR4_CET) != 0)
		return event_refuse(cpu, "IRET from a device with CET");
	if (!is_8086 && (r->rflags & RFLAGS_NT) != 0)
		return event_refuse(cpu, "IRET from a device with NT set");
	status = is_8086 ? return_8086(cpu, width) : return_protected(cpu, width);
	if (status == OK) {
		cpu->is_committed = true;
		cpu->registers.nmi_blocked = 0;
	}
	return status;
}
