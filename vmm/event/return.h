/* IRET, where the frame that it pops lies on a device: the way back from an event that was delivered there.
 * SDM Vol. 2A, "IRET/IRETD/IRETQ--Interrupt Return", operation. */
#pragma once
#include "vmm/event/event_cpu.h"

/* Changes cpu->registers to where the frame leads, with cpu->is_committed. width: the operand size, 2, 4 or 8. Faults leave them as
 * they were. Refusals: NT set, which is a task switch; virtual-8086 mode with IOPL below 3; CET. */
MUST_CHECK enum status event_return(struct event_cpu *cpu, unsigned width);
