/* A plan as what ring 0 is told: struct schedule_cpu for each CPU, struct schedule_space for each VM's program. */
#pragma once
#include "abi/schedule.h"
#include "lib/schedule/plan.h"

/* epoch_tsc: the same for all CPUs. Context: pure. */
void schedule_order_cpu(const struct schedule_plan *plan, uint32_t cpu, uint64_t tsc_hz, uint64_t epoch_tsc,
			struct schedule_cpu *order);
void schedule_order_space(const struct schedule_plan *plan, uint32_t vm_index, uint64_t tsc_hz, struct schedule_space *order);
