/* System call dispatch: a const table, one function per call. */
#pragma once
#include <stdint.h>

#include "abi/status.h"

/* In the order of the calling convention in abi/syscall.h. The current thread's space is the caller. */
struct syscall_arguments {
	uint64_t value[6];
};

static inline int64_t syscall_error(enum status status)
{
	return -(int64_t)status;
}

/* Called by the entry stub: looks number up, runs it with the current thread's state. */
int64_t syscall_dispatch(uint64_t number, const struct syscall_arguments *arguments);
