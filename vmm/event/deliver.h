/* Delivery of an event through the IDT, as a CPU does it, for events whose delivery met memory that is none: a table or the stack
 * lies on a device, or nowhere. SDM Vol. 3A, "Interrupt and Exception Handling", Vol. 2A, "INT n/INTO/INT3/INT1", operation. */
#pragma once
#include "vmm/event/event_cpu.h"

/* Changes cpu->registers to the handler's first instruction, with cpu->is_committed. Faults leave them as they were; a task gate
 * is a task switch, with its faults. Refusals: INT n in virtual-8086 mode with CR4.VME; CET. */
MUST_CHECK enum status event_deliver(struct event_cpu *cpu, const struct event *event);

/* By mode: event_deliver() chooses. All set cpu->registers on OK only. */
MUST_CHECK enum status deliver_real(struct event_cpu *cpu, const struct event *event);
MUST_CHECK enum status deliver_protected(struct event_cpu *cpu, const struct event *event);
MUST_CHECK enum status deliver_long(struct event_cpu *cpu, const struct event *event);

/* Shared by the last two: a gate of the IDT.
 * Checks: within the limit, one of the types (bits of type_mask), DPL for INT n, INT3 and INTO, present. */
struct gate {
	uint64_t offset;
	uint16_t selector;
	unsigned type;
	unsigned stack_table; /* IST, IA-32e mode only */
};
MUST_CHECK enum status gate_read(struct event_cpu *cpu, const struct event *event, unsigned bytes, uint32_t type_mask,
				 struct gate *out);

/* Its code segment: #GP and #NP as they are due. *level: the CPL of the handler. */
struct descriptor;
MUST_CHECK enum status gate_code(struct event_cpu *cpu, const struct gate *gate, struct descriptor *code, unsigned *level);

/* The flags that every handler begins with; clears_if: by an interrupt gate. */
uint64_t handler_flags(uint64_t flags, bool clears_if);

#define GATE_INTERRUPT_16 6U
#define GATE_TRAP_16      7U
#define GATE_INTERRUPT_32 14U
#define GATE_TRAP_32      15U
#define GATE_IS_TRAP(type) (((type) & 1U) != 0)

static inline bool event_has_error_code(const struct event *event)
{
	return (event->info & VCPU_EVENT_HAS_ERROR_CODE) != 0;
}
