/* The steps of the manual's list up to the commit point, and those behind task_load_segments(). */
#include "vmm/event/task_switch.h"

#include "vmm/decode/instruction.h"
#include "vmm/event/linear.h"
#include "vmm/event/segment.h"
#include "vmm/event/task_load.h"
#include "vmm/event/tss.h"

#define ATTRIBUTES_BYTE 5U
/* L0 - L3 and LE: they are the old task's. SDM Vol. 3B, "Debug Control Register (DR7)". */
#define DR7_LOCAL 0x155ULL

struct plan {
	struct descriptor target;
	const struct tss_layout *from, *to;
	uint64_t old_busy; /* linear, of the byte with the old TSS's busy bit; UINT64_MAX: it has no descriptor */
	bool nests;        /* the new task returns to the old one */
};

/* Steps 1 to 4. */
static enum status find_target(struct event_cpu *cpu, const struct task_switch *request, struct plan *plan)
{
	bool returns = request->source == VCPU_TASK_IRET;
	uint8_t invalid = returns ? VECTOR_TS : VECTOR_GP;
	uint32_t type, wanted_busy = returns ? SYSTEM_TSS_BUSY : 0;
	enum status status;

	if ((request->selector & SELECTOR_TI) != 0)
		return event_raise_selector(cpu, invalid, request->selector);
	status = descriptor_read(cpu, request->selector, &plan->target);
	if (status == ERR_NOT_FOUND)
		return event_raise_selector(cpu, invalid, request->selector);
	if (status != OK)
		return status;
	type = plan->target.attributes & (SEGMENT_S | 0xf);
	if ((type & ~(SYSTEM_TSS_BUSY | SYSTEM_32)) != SYSTEM_TSS_16 || (type & SYSTEM_TSS_BUSY) != wanted_busy)
		return event_raise_selector(cpu, invalid, request->selector);
	if ((plan->target.attributes & SEGMENT_PRESENT) == 0)
		return event_raise_selector(cpu, VECTOR_NP, request->selector);
	plan->to = tss_layout_of(type);
	if (plan->target.limit < plan->to->limit_min)
		return event_raise_selector(cpu, VECTOR_TS, request->selector);
	plan->nests = request->source == VCPU_TASK_CALL || request->source == VCPU_TASK_GATE;
	return OK;
}

/* Step 5: the old TSS, the new one and their descriptors can be accessed. */
static enum status probe(struct event_cpu *cpu, const struct task_switch *request, struct plan *plan)
{
	const struct vcpu_segment *tr = &cpu->registers.tr, *gdtr = &cpu->registers.gdtr;
	uint32_t offset = tr->selector & ~7U & 0xffffU;
	enum status status;

	plan->from = tss_layout_of(tr->attributes);
	if (tr->limit < plan->from->saved_last)
		return event_raise_selector(cpu, VECTOR_TS, tr->selector);
	status = linear_probe(cpu, (uint32_t)(tr->base + plan->from->eip), plan->from->saved_last - plan->from->eip + 1, true);
	if (status == OK)
		status = linear_probe(cpu, plan->target.base, plan->to->limit_min + 1, false);
	if (status == OK && plan->nests)
		status = linear_probe(cpu, plan->target.base, TSS_LINK_BYTES, true);
	if (status == OK && request->source != VCPU_TASK_IRET)
		status = linear_probe(cpu, plan->target.linear + ATTRIBUTES_BYTE, 1, true);
	plan->old_busy = UINT64_MAX;
	if (status != OK || plan->nests || offset == 0 || offset + 7 > gdtr->limit)
		return status;
	plan->old_busy = (uint32_t)(gdtr->base + offset + ATTRIBUTES_BYTE);
	return linear_probe(cpu, plan->old_busy, 1, true);
}

static void fill_image(const struct event_cpu *cpu, const struct task_switch *request, struct task_image *image)
{
	const struct vcpu_registers *r = &cpu->registers;
	const struct vcpu_segment *segments[] = {&r->es, &r->cs, &r->ss, &r->ds, &r->fs, &r->gs};

	*image = (struct task_image){.eflags = (uint32_t)event_saved_flags(cpu, &request->event)};
	image->eip = (uint32_t)event_saved_rip(cpu, &request->event);
	if (request->source != VCPU_TASK_GATE) {
		image->eip = (uint32_t)r->rip + request->instruction_bytes;
		image->eflags &= ~(uint32_t)RFLAGS_RF;
	}
	if (request->source == VCPU_TASK_IRET)
		image->eflags &= ~(uint32_t)RFLAGS_NT;
	for (unsigned i = 0; i < 8; i++)
		image->gpr[i] = (uint32_t)r->gpr[i];
	for (unsigned i = 0; i < 6; i++)
		image->segments[i] = (uint16_t)segments[i]->selector;
}

/* Steps 6 to 10, and the fetch of the new state. */
static enum status leave_old_task(struct event_cpu *cpu, const struct task_switch *request, const struct plan *plan,
				  struct task_image *image)
{
	enum status status = OK;

	if (plan->old_busy != UINT64_MAX)
		status = linear_change(cpu, plan->old_busy, SYSTEM_TSS_BUSY, 0);
	fill_image(cpu, request, image);
	if (status == OK)
		status = tss_save(cpu, plan->from, cpu->registers.tr.base, image);
	if (status == OK && plan->nests)
		status = linear_write(cpu, plan->target.base, TSS_LINK_BYTES, LINEAR_TABLE, cpu->registers.tr.selector);
	if (status == OK && request->source != VCPU_TASK_IRET)
		status = linear_change(cpu, plan->target.linear + ATTRIBUTES_BYTE, 0, SYSTEM_TSS_BUSY);
	return status == OK ? tss_load(cpu, plan->to, plan->target.base, image) : status;
}

/* Steps 11 and 12: nothing fails here. */
static void commit(struct event_cpu *cpu, const struct task_switch *request, const struct plan *plan,
		   const struct task_image *image)
{
	struct vcpu_registers *r = &cpu->registers;
	uint32_t type = VCPU_EVENT_TYPE(request->event.info);

	cpu->is_committed = true;
	r->tr = segment_of(request->selector, &plan->target);
	r->tr.attributes |= SYSTEM_TSS_BUSY;
	r->cr0 |= CR0_TS;
	r->dr7 &= ~DR7_LOCAL;
	if (plan->to->width == 4 && (r->cr0 & CR0_PG) != 0)
		r->cr3 = image->cr3;
	task_take_registers(cpu, image);
	if (plan->nests)
		r->rflags |= RFLAGS_NT;
	/* IRET ends the blocking by an NMI, also where it faults. */
	if (request->source == VCPU_TASK_IRET)
		r->nmi_blocked = 0;
	else if (request->source == VCPU_TASK_GATE && (request->event.info & VCPU_EVENT_VALID) != 0 && type == VCPU_EVENT_NMI)
		r->nmi_blocked = 1;
}

/* An exception's error code goes onto the new task's stack, in the width of its TSS. */
static enum status push_error_code(struct event_cpu *cpu, const struct task_switch *request, const struct plan *plan)
{
	const uint32_t wanted = VCPU_EVENT_VALID | VCPU_EVENT_HAS_ERROR_CODE;
	struct stack stack = stack_now(cpu);
	enum status status;

	if ((request->event.info & wanted) != wanted)
		return OK;
	status = stack_push(cpu, &stack, plan->to->width, request->event.error_code);
	if (status == OK)
		cpu->registers.gpr[GPR_RSP] = stack.pointer;
	return status;
}

static enum status begin_new_task(struct event_cpu *cpu, const struct task_image *image)
{
	if (cpu->registers.rip > cpu->registers.cs.limit)
		return event_raise(cpu, VECTOR_GP, cpu->external);
	if (!image->traps)
		return OK;
	cpu->fault = (struct event_fault){.vector = VECTOR_DB, .value = DR6_BT};
	return ERR_FAULT;
}

enum status task_switch(struct event_cpu *cpu, const struct task_switch *request)
{
	uint32_t old_cr3 = (uint32_t)cpu->registers.cr3;
	struct task_image image;
	struct plan plan;
	enum status status;

	if ((cpu->registers.efer & EFER_LMA) != 0 || (cpu->registers.cr0 & CR0_PE) == 0)
		return event_refuse(cpu, "a task switch outside legacy protected mode");
	if ((cpu->registers.cr4 & CR4_CET) != 0)
		return event_refuse(cpu, "a task switch with CET");
	cpu->external = event_is_external(&request->event) ? 1 : 0;
	status = find_target(cpu, request, &plan);
	if (status == OK)
		status = probe(cpu, request, &plan);
	if (status == OK)
		status = leave_old_task(cpu, request, &plan, &image);
	if (status != OK)
		return status;
	commit(cpu, request, &plan, &image);
	status = task_load_segments(cpu, &image, old_cr3);
	if (status == OK)
		status = push_error_code(cpu, request, &plan);
	return status == OK ? begin_new_task(cpu, &image) : status;
}
