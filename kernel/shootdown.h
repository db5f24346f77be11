/* Making CPUs forget translations that were taken out of page tables; only those CPUs are disturbed that may remember some.
 * SDM Vol. 3A, "Propagation of Paging-Structure Changes to Multiple Processors".
 * All return when no CPU uses such a translation any more. Context: ring 0; locks may be held (CPUs that wait for a lock keep
 * answering). Bounded by the others' longest stay in ring 0. */
#pragma once
#include <stdint.h>

#include "kernel/config.h"

struct percpu;

/* What was removed from ring 0's own half, which every CPU may have cached at any time. */
void shootdown_all(void);
/* What was removed from the program's half of the page tables at cr3: CPUs that have them loaded. */
void shootdown_space(uint64_t cr3);
/* Makes those CPUs of the mask (CPUS_MAX bits) that run a guest leave it. The caller has seen to it that they look at what
 * changed before they enter a guest again. */
void shootdown_guests(const uint64_t cpu_mask[CPUS_MAX / 64]);

/* Loads other page tables on this CPU, in the order that shootdown_space() relies on. */
void shootdown_load_cr3(struct percpu *self, uint64_t cr3);

/* Answers requests that are open for this CPU. */
void shootdown_poll(void);
