/* A second opinion on what a device does with its queues, for fuzz targets. Calls of virtqueue.h come here first (the linker's
 * --wrap, QUEUE_JUDGE_FLAGS): each chain that is taken is parsed again, in other words, from the same memory; each byte that the
 * device reads or writes must lie in a part of a chain that it has taken and not given back, or in a ring; what is given back must
 * have been taken, and no turn keeps any. Whatever does not hold ends the program.
 *
 * The guest may write while the device looks (judge.disturbs): what the device had read until then cannot be told afterwards, and
 * is not compared. */
#pragma once
#include <stdbool.h>

#include "drivers/virt/virtqueue.h"
#include "tests/fake/demand.h"
#include "tests/fake/guest_ram.h"

struct queue_judge {
	struct guest_ram *ram;
	const struct virtqueue *queues;
	unsigned queue_count;
	/* Called before each access: true: the guest has written something just now. NULL: it never does. */
	bool (*disturbs)(void);
	unsigned takes; /* in this turn, those that found nothing too */
};

extern struct queue_judge judge;

/* A device as at power-on. */
void judge_reset(struct guest_ram *ram, const struct virtqueue *queues, unsigned queue_count);

/* Around a turn: outside of them the device leaves the memory alone. may_keep: what it has taken and not given back is forgotten
 * (it asks for its reset). */
void judge_turn_begins(void);
void judge_turn_ends(bool may_keep);
