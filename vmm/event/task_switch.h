/* A task switch, as a CPU does it outside VMX non-root operation. SDM Vol. 3A, "Task Switching"; Vol. 3C, "Treatment of Task
 * Switches": the exit comes after the privilege checks, and checks of the new TSS that another vCPU may have invalidated since. */
#pragma once
#include "vmm/event/event_cpu.h"

struct task_switch {
	uint16_t selector; /* of the new TSS */
	enum vcpu_task_source source;
	uint8_t instruction_bytes;  /* of CALL, JMP, IRET */
	struct event event;         /* VCPU_TASK_GATE only */
};

/* Switches cpu->registers, and what of it is in memory. Faults before the commit point leave cpu->registers as they were; those
 * after it happen in the new task, with cpu->is_committed, and so does #DB for the T flag. Refusals: IA-32e mode, CET. */
MUST_CHECK enum status task_switch(struct event_cpu *cpu, const struct task_switch *request);
