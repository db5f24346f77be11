/* Further threads of the calling program, each with a stack of THREAD_STACK_BYTES and nothing mapped below it. */
#pragma once
#include <stdint.h>

#include "abi/syscall.h"
#include "user/layout.h"

typedef void thread_function(void *argument);

/* Says who pays and where stacks go. One per program; all zeros but space and pool. */
struct thread_maker {
	handle_t space; /* this program's own */
	handle_t pool;  /* pays for threads and stacks */
	uint32_t thread_count;
};

/* Starts function(argument) in a thread of its own. name: at most 15 characters, for reports. cpu_mask: bit n % 64 of word
 * n / 64 allows CPU n; NULL: any. A thread ends when its function returns; its stack stays until the program ends.
 * Errors: ERR_NO_SPACE after THREADS_MAX threads; those of the calls. Context: one thread at a time. */
MUST_CHECK enum status thread_create(struct thread_maker *maker, const char *name, thread_function *function, void *argument,
				     const uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64]);
