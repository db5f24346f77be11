/* Making every CPU forget translations: TLB and, through virt/, EPT-derived ones. One request serves all who wait. */
#pragma once

/* Returns when no CPU holds a translation that was removed from any page table, space or guest map before the call.
 * Context: ring 0; locks may be held (CPUs that wait for a lock keep answering). Bounded by the others' longest stay in ring 0. */
void shootdown_all(void);

/* Answers a request that is open for this CPU. */
void shootdown_poll(void);
