/* The plan of who runs on which CPU, as ring 0 is told of it and as the user reads it. */
#pragma once
#include <stdbool.h>

#include "abi/syscall.h"
#include "lib/schedule/plan.h"

struct schedule {
	struct schedule_plan plan;
	uint64_t failed_cpus[MANIFEST_CPUS_MAX / 64]; /* where ring 0 did not take the order */
};

/* Fills cores[0 .. cpu_count): threads of one core have the same number. Where ring 0 does not tell, all CPUs count as one core, so
 * that one of them is used and no VM can spy on another; and a message says so, unless VMs may share cores. */
void schedule_read_cores(uint32_t cores[MANIFEST_CPUS_MAX], uint32_t cpu_count, bool may_share);

/* Tells ring 0 what each CPU is for. Context: before the first VM. */
void schedule_apply_cpus(struct schedule *schedule);

/* Tells ring 0 what the program of that VM gets. Context: before its first thread. Errors: those of the call; a CPU that the VM's
 * guarantees rest on did not take its order (ERR_UNSUPPORTED). */
MUST_CHECK enum status schedule_apply_space(const struct schedule *schedule, uint32_t vm_index, handle_t space);

/* Writes each line of the plan that is not the usual, newline included. */
void schedule_print(const struct schedule *schedule, void (*write)(void *context, const char *line), void *context);
