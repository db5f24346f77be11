/* What a queue's next chain is, told by the memory alone: a second implementation of the rules, to compare with. */
#pragma once
#include "drivers/virt/virtqueue.h"
#include "tests/fake/guest_ram.h"

struct queue_opinion {
	enum status status; /* what virtqueue_take() must return */
	struct virtqueue_chain chain;
	unsigned buffers; /* of the chain, those too that lie behind its most bytes */
};

/* taken: descriptors of chains that the device has: a packed ring has no more than its size of them. */
void queue_opinion_form(const struct guest_ram *ram, const struct virtqueue *queue, unsigned taken, struct queue_opinion *opinion);
