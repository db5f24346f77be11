/* Inside lib/schedule/ only: sets of CPUs, and the step of the plan that decides which CPUs are not for everybody. */
#pragma once
#include "lib/schedule/plan.h"

#define CPU_WORDS (MANIFEST_CPUS_MAX / 64)

static inline void cpu_set_add(uint64_t set[CPU_WORDS], uint32_t cpu)
{
	set[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}

static inline void cpu_set_add_set(uint64_t set[CPU_WORDS], const uint64_t more[CPU_WORDS])
{
	for (uint32_t i = 0; i < CPU_WORDS; i++)
		set[i] |= more[i];
}

static inline void cpu_set_remove_set(uint64_t set[CPU_WORDS], const uint64_t less[CPU_WORDS])
{
	for (uint32_t i = 0; i < CPU_WORDS; i++)
		set[i] &= ~less[i];
}

static inline bool cpu_set_is_empty(const uint64_t set[CPU_WORDS])
{
	return (set[0] | set[1] | set[2] | set[3]) == 0;
}

_Static_assert(CPU_WORDS == 4, "cpu_set_is_empty()");

/* Fills the plan's sets, and refuses VMs that want threads of a core that others use (E209). cores: NULL: no CPU shares its
		core. */
void schedule_take_cpus(struct schedule_plan *plan, struct manifest *manifest, const uint32_t *cores);
