/* System call dispatch: a const table, one function per call, with what each demands of the handles it is given. */
#pragma once
#include <stdint.h>

#include "abi/status.h"

#define SYSCALL_OBJECTS_MAX 3U

struct object;

/* What a call gets. The objects are held for it until it returns: one that keeps an object takes a reference of its own. */
struct syscall_arguments {
	const uint64_t *value; /* six, in the order of the calling convention in abi/syscall.h */
	struct object *object[SYSCALL_OBJECTS_MAX]; /* of the handles that the table names; NULL: not given */
	uint64_t badge; /* of the last handle found */
};

static inline int64_t syscall_error(enum status status)
{
	return -(int64_t)status;
}

/* Gives an object's only reference to a new handle of the caller and returns that; on failure the object goes. */
int64_t syscall_new_handle(struct object *object, unsigned rights);

/* Called by the entry stub: finds the objects of call `number` among value[6], runs it, drops them. */
int64_t syscall_dispatch(uint64_t number, const uint64_t *value);
