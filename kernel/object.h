/* What handles name: a counted object of one kind. Kinds outside kernel/ (VM, vCPU) bring their own release function. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

enum object_kind {
	OBJECT_NONE,
	OBJECT_POOL,
	OBJECT_MEMORY,
	OBJECT_SPACE,
	OBJECT_THREAD,
	OBJECT_EVENT,
	OBJECT_IRQ,
	OBJECT_PORTS,
	OBJECT_HOST,
	OBJECT_VM,
	OBJECT_VCPU,
};

struct object {
	_Atomic uint32_t references;
	uint32_t kind; /* enum object_kind, constant */
	/* Frees it when the last reference is gone; false: a bounded portion of it, to be called again. */
	bool (*release)(struct object *object);
	struct object *next_dead; /* the reaper's */
};

void object_init(struct object *object, enum object_kind kind, bool (*release)(struct object *object)); /* one reference */
void object_get(struct object *object);
/* False: its last reference is gone and it is being released; the caller found it by a pointer that is not counted. */
bool object_get_unless_dying(struct object *object);
/* Events, interrupts and vCPUs go at once when it was the last reference, all else by way of the reaper. Context: any, no lock
 * above RANK_INBOX held. */
void object_put(struct object *object);
