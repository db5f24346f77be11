/* The new task's segments, in the order of the manual's table as far as one check does not need another one's result.
 * A fault before CS and SS are loaded is handled at CPL 3: so its handler gets a stack from the new TSS, not the one that may be
 * what is wrong. The manual leaves the CPL open, and advises a task gate. */
#include "vmm/event/task_load.h"

#include "vmm/decode/instruction.h"
#include "vmm/event/segment.h"

#define EFLAGS_DEFINED 0x3f7fd7U
#define PDPTE_PRESENT  0x1ULL
/* Address bits from 36 on too: all CPUs with PAE have those below, and an entry fails where one that a CPU lacks is set. */
#define PDPTE_RESERVED 0xfffffff0000001e6ULL
#define CR3_PAE_MASK   0xffffffe0U
/* Code, accessed, readable, present: what an entry accepts where no descriptor gave anything. */
#define CODE_UNLOADED  0x9bU

/* By enum segment. */
static struct vcpu_segment *segment_register(struct vcpu_registers *r, unsigned number)
{
	struct vcpu_segment *const registers[] = {&r->es, &r->cs, &r->ss, &r->ds, &r->fs, &r->gs};

	return registers[number];
}

void task_take_registers(struct event_cpu *cpu, const struct task_image *image)
{
	struct vcpu_registers *r = &cpu->registers;

	r->rip = image->eip;
	r->rflags = (image->eflags & EFLAGS_DEFINED) | RFLAGS_ONE;
	for (unsigned i = 0; i < 8; i++)
		r->gpr[i] = image->gpr[i];
	r->ldtr = segment_unusable(image->ldt, 0);
	for (unsigned i = SEGMENT_ES; i <= SEGMENT_GS; i++) {
		*segment_register(r, i) = (r->rflags & RFLAGS_VM) != 0 ? segment_8086(image->segments[i])
								       : segment_unusable(image->segments[i], 3);
	}
	if ((r->rflags & RFLAGS_VM) == 0)
		r->cs.attributes = CODE_UNLOADED | SEGMENT_OF_DPL(3);
}

/* SDM Vol. 3A, "PDPTE Registers": one that is wrong leaves CR3 and all of them as they were. */
static enum status load_pdptes(struct event_cpu *cpu, uint32_t old_cr3)
{
	struct vcpu_registers *r = &cpu->registers;
	uint64_t entries[4];

	if ((r->cr0 & CR0_PG) == 0 || (r->cr4 & CR4_PAE) == 0)
		return OK;
	for (unsigned i = 0; i < 4; i++) {
		if (gmem_read_u64(cpu->gmem, gpa((r->cr3 & CR3_PAE_MASK) + 8ULL * i), &entries[i]) != OK)
			entries[i] = UINT64_MAX;
		if ((entries[i] & PDPTE_PRESENT) != 0 && (entries[i] & PDPTE_RESERVED) != 0) {
			r->cr3 = old_cr3;
			return event_raise(cpu, VECTOR_GP, cpu->external);
		}
	}
	for (unsigned i = 0; i < 4; i++)
		r->pdpte[i] = entries[i];
	return OK;
}

static enum status load_ldtr(struct event_cpu *cpu, uint16_t selector)
{
	struct descriptor descriptor;
	enum status status;

	if ((selector & SELECTOR_INDEX_TI) == 0)
		return OK;
	status = (selector & SELECTOR_TI) == 0 ? descriptor_read(cpu, selector, &descriptor) : ERR_NOT_FOUND;
	if (status == ERR_NOT_FOUND)
		return event_raise_selector(cpu, VECTOR_TS, selector);
	if (status != OK)
		return status;
	if ((descriptor.attributes & (SEGMENT_S | 0xf)) != SYSTEM_LDT || (descriptor.attributes & SEGMENT_PRESENT) == 0)
		return event_raise_selector(cpu, VECTOR_TS, selector);
	cpu->registers.ldtr = segment_of(selector, &descriptor);
	return OK;
}

/* A segment of the new task; nowhere: #TS. */
static enum status find(struct event_cpu *cpu, uint16_t selector, struct descriptor *out)
{
	enum status status = descriptor_read(cpu, selector, out);

	return status == ERR_NOT_FOUND ? event_raise_selector(cpu, VECTOR_TS, selector) : status;
}

static enum status check_code(struct event_cpu *cpu, uint16_t selector, struct descriptor *code)
{
	unsigned rpl = selector & SELECTOR_RPL, dpl;
	enum status status = find(cpu, selector, code);

	if (status != OK)
		return status;
	dpl = SEGMENT_DPL(code->attributes);
	if (!segment_is_code(code->attributes) || (segment_is_conforming(code->attributes) ? dpl > rpl : dpl != rpl))
		return event_raise_selector(cpu, VECTOR_TS, selector);
	return OK;
}

static enum status check_stack(struct event_cpu *cpu, uint16_t selector, unsigned cpl, struct descriptor *stack)
{
	enum status status = find(cpu, selector, stack);

	if (status != OK)
		return status;
	if (!segment_is_writable_data(stack->attributes))
		return event_raise_selector(cpu, VECTOR_TS, selector);
	if ((stack->attributes & SEGMENT_PRESENT) == 0)
		return event_raise_selector(cpu, VECTOR_SS, selector);
	if (SEGMENT_DPL(stack->attributes) != cpl || (selector & SELECTOR_RPL) != cpl)
		return event_raise_selector(cpu, VECTOR_TS, selector);
	return OK;
}

/* Both at once: an entry demands that their privilege levels agree. */
static enum status load_code_and_stack(struct event_cpu *cpu, const struct task_image *image)
{
	uint16_t cs = image->segments[SEGMENT_CS], ss = image->segments[SEGMENT_SS];
	struct descriptor code, stack;
	enum status status = check_code(cpu, cs, &code);

	if (status == OK)
		status = check_stack(cpu, ss, cs & SELECTOR_RPL, &stack);
	if (status == OK && (code.attributes & SEGMENT_PRESENT) == 0)
		status = event_raise_selector(cpu, VECTOR_NP, cs);
	if (status == OK)
		status = descriptor_mark(cpu, &code);
	if (status == OK)
		status = descriptor_mark(cpu, &stack);
	if (status != OK)
		return status;
	cpu->registers.cs = segment_of(cs, &code);
	cpu->registers.ss = segment_of(ss, &stack);
	return OK;
}

static enum status load_data(struct event_cpu *cpu, unsigned number, uint16_t selector, unsigned cpl)
{
	unsigned rpl = selector & SELECTOR_RPL, needed = rpl > cpl ? rpl : cpl;
	struct descriptor data;
	uint32_t attributes;
	enum status status;

	if ((selector & SELECTOR_INDEX_TI) == 0)
		return OK;
	status = find(cpu, selector, &data);
	if (status != OK)
		return status;
	attributes = data.attributes;
	if ((attributes & SEGMENT_S) == 0 || (attributes & (SEGMENT_CODE | SEGMENT_WRITABLE)) == SEGMENT_CODE)
		return event_raise_selector(cpu, VECTOR_TS, selector);
	if (!segment_is_conforming(attributes) && SEGMENT_DPL(attributes) < needed)
		return event_raise_selector(cpu, VECTOR_TS, selector);
	if ((attributes & SEGMENT_PRESENT) == 0)
		return event_raise_selector(cpu, VECTOR_NP, selector);
	status = descriptor_mark(cpu, &data);
	if (status == OK)
		*segment_register(&cpu->registers, number) = segment_of(selector, &data);
	return status;
}

enum status task_load_segments(struct event_cpu *cpu, const struct task_image *image, uint32_t old_cr3)
{
	static const uint8_t order[] = {SEGMENT_DS, SEGMENT_ES, SEGMENT_FS, SEGMENT_GS};
	enum status status = load_pdptes(cpu, old_cr3);

	if (status == OK)
		status = load_ldtr(cpu, image->ldt);
	if (status != OK || (cpu->registers.rflags & RFLAGS_VM) != 0)
		return status;
	status = load_code_and_stack(cpu, image);
	for (unsigned i = 0; i < sizeof(order) && status == OK; i++)
		status = load_data(cpu, order[i], image->segments[order[i]], image->segments[SEGMENT_CS] & SELECTOR_RPL);
	return status;
}
