/* Destroying what has no reference left. Big objects are freed in portions by a thread of ring 0, so that no system call and no
 * interrupt does the work of another one's death, and so that other threads run in between. Each CPU has such a thread and frees
 * what lost its last reference there: a VMM's leavings are its own CPUs' work. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct object;
struct thread;

/* Of one CPU, its own business. */
struct reaper {
	struct object *first, *last; /* to be freed, in this order */
	struct object *in_work;
	struct object *threads;      /* dead ones, collected */
	uint64_t threads_late_tsc;   /* from then on they come before objects */
	struct thread *thread;
};

#define REAPER_WORK_NOW 0U

/* Starts the threads; what died before waits for them. Once, before the first program. ERR_NO_MEMORY. */
MUST_CHECK enum status reaper_start(void);
/* Takes over an object without references. Context: any, no lock above RANK_INBOX held. */
void reaper_add(struct object *object);
/* One portion of this CPU's work. Returns when there is more: REAPER_WORK_NOW, a TSC value, or UINT64_MAX: nothing is left. */
uint64_t reaper_step(void);
/* A thread begins its end, and no longer runs: between the two, it is as good as dead. */
void reaper_thread_ends(void);
void reaper_thread_ended(void);
/* Memory of something that was destroyed is not free yet. */
bool reaper_is_behind(void);
