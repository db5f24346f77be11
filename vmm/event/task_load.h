/* The second half of a task switch: what happens in the new task, whose registers are in cpu->registers already. */
#pragma once
#include "vmm/event/event_cpu.h"
#include "vmm/event/tss.h"

/* What of the new task needs no check: segments hold their selectors and nothing else; in virtual-8086 mode they are whole. */
void task_take_registers(struct event_cpu *cpu, const struct task_image *image);

/* Loads PDPTEs, LDTR and segments with their checks. SDM Vol. 3A, table "Exception Conditions Checked During a Task Switch".
 * Faults: #GP, #TS, #NP, #SS, #PF; then what was not loaded is unusable. */
MUST_CHECK enum status task_load_segments(struct event_cpu *cpu, const struct task_image *image, uint32_t old_cr3);
