/* What all of this folder shares: how exceptions are noted, and what an event leaves behind. */
#include "vmm/event/event_cpu.h"

#include "vmm/event/segment.h"

#define VECTOR_MC 18U
#define CR4_LA57  (1ULL << 12)

enum status event_raise(struct event_cpu *cpu, uint8_t vector, uint32_t error_code)
{
	cpu->fault = (struct event_fault){.vector = vector, .error_code = error_code};
	return ERR_FAULT;
}

enum status event_raise_selector(struct event_cpu *cpu, uint8_t vector, uint32_t selector)
{
	return event_raise(cpu, vector, (selector & SELECTOR_INDEX_TI) | cpu->external);
}

enum status event_refuse(struct event_cpu *cpu, const char *why)
{
	cpu->refusal = why;
	return ERR_UNSUPPORTED;
}

bool event_is_of_instruction(const struct event *event)
{
	uint32_t type = VCPU_EVENT_TYPE(event->info);

	return (event->info & VCPU_EVENT_VALID) != 0 && type >= VCPU_EVENT_SOFTWARE_INTERRUPT &&
	       type <= VCPU_EVENT_SOFTWARE_EXCEPTION;
}

bool event_is_external(const struct event *event)
{
	return (event->info & VCPU_EVENT_VALID) != 0 &&
	       (!event_is_of_instruction(event) || VCPU_EVENT_TYPE(event->info) == VCPU_EVENT_INT1);
}

uint64_t event_saved_rip(const struct event_cpu *cpu, const struct event *event)
{
	uint64_t rip = cpu->registers.rip;

	if (!event_is_of_instruction(event))
		return rip;
	rip += event->instruction_bytes;
	return (cpu->registers.efer & EFER_LMA) != 0 && (cpu->registers.cs.attributes & SEGMENT_L) != 0 ? rip : (uint32_t)rip;
}

/* Traps and aborts are not begun again: #DB, #DF, #MC. An instruction that is over has used up its RF. */
uint64_t event_saved_flags(const struct event_cpu *cpu, const struct event *event)
{
	uint8_t vector = VCPU_EVENT_VECTOR(event->info);
	bool is_fault = (event->info & VCPU_EVENT_VALID) != 0 && VCPU_EVENT_TYPE(event->info) == VCPU_EVENT_EXCEPTION &&
			vector != VECTOR_DB && vector != VECTOR_DF && vector != VECTOR_MC;

	if (event_is_of_instruction(event))
		return cpu->registers.rflags & ~RFLAGS_RF;
	return cpu->registers.rflags | (is_fault ? RFLAGS_RF : 0);
}

bool event_is_canonical(const struct event_cpu *cpu, uint64_t address)
{
	unsigned bits = (cpu->registers.cr4 & CR4_LA57) != 0 ? 57 : 48;
	uint64_t upper = address >> (bits - 1);

	return upper == 0 || upper == UINT64_MAX >> (bits - 1);
}
