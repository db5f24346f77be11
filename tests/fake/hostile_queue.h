/* What a hostile guest puts into its queues, and where it has them. Only for tests/fake/hostile_*.c. */
#pragma once
#include "tests/fake/hostile_guest.h"

/* The driver's own view of a queue, as it would be if it kept to it. */
struct hostile_queue {
	uint32_t descriptors, driver, device; /* areas */
	uint16_t size, next, avail_index;
	bool is_packed, wrap;
};

struct hostile_guest {
	struct virtio device;
	struct hostile_queue queues[VIRTIO_QUEUES_MAX];
};

extern struct hostile_guest hostile;

/* Registers in BAR 4, under the lock. */
uint32_t hostile_read(unsigned offset, unsigned width);
void hostile_write(unsigned offset, unsigned width, uint32_t value);

void hostile_queues_reset(void);

/* Gives a queue its size and areas, enables it, and begins anew in it: at its own place, or anywhere. The device need not follow:
 * a queue that works stays as it is. */
void hostile_queue_set_up(unsigned queue, struct fuzz_input *input);

/* A chain, a part of one, or an index: what picks. Returns the queue. */
unsigned hostile_queue_step(unsigned what, const struct hostile_type *type, struct fuzz_input *input);
