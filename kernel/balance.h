/* Which CPU should have a thread that waits: the balance of load between CPUs. Each CPU gives away its own threads, nobody
 * takes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct percpu;
struct thread;

/* A CPU that is idle and on which the thread may run, but not this one; NULL: none. It is the caller's: nobody else is given it
 * before it is idle again. */
struct percpu *balance_take_idle_cpu(const struct thread *thread);
/* cpu says that it is idle, or no longer. */
void balance_set_idle(struct percpu *cpu, bool is_idle);
/* cpu was given a thread: it keeps what it has for a while. */
void balance_arrived(struct percpu *cpu, uint64_t now_tsc);
/* What waits on this CPU and should wait on another; *target: there. NULL: nothing. Looks at few threads, and at loads not
 * more often than each BALANCE_US. */
struct thread *balance_choose(struct percpu *cpu, uint64_t now_tsc, struct percpu **target);
