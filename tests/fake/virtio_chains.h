/* Queues and transport of a virtio device as tests see them: chains are offered whole, without rings, and what became of them can
 * be looked at. Stands in for drivers/virt/virtqueue.c and virtio.c, so that a type of device is tested alone. */
#pragma once
#include "drivers/virt/virtio.h"

#define FAKE_CHAIN_BYTES  0x11000U
#define FAKE_CHAINS_MAX   300U
#define FAKE_MEMORY_BYTES 0x1000000U /* of the guest; chains are laid out there one after the other, 16 bytes apart or more */

struct fake_chain {
	uint32_t queue;
	struct virtqueue_chain chain;
	bool taken, returned;
	uint32_t written_bytes; /* as the device said */
};

struct fake_virtio {
	struct virtio device;
	uint8_t memory[FAKE_MEMORY_BYTES];
	uint64_t used_bytes;
	struct fake_chain chains[FAKE_CHAINS_MAX];
	unsigned chain_count;
	unsigned interrupts[VIRTIO_QUEUES_MAX]; /* times that the device wanted one */
	unsigned config_changes;
	bool has_failed;
	unsigned broken_queue; /* 1 + the queue whose chains make no sense; 0: none */
};

extern struct fake_virtio fake_virtio;

/* Forgets all. features: as negotiated. */
void fake_virtio_reset(uint64_t features);

/* Offers a chain: a readable buffer with these bytes, a writable one of writable_bytes; either may be empty. Returns its number. */
unsigned fake_offer(unsigned queue, const void *readable, size_t readable_bytes, size_t writable_bytes);
/* Offers one that consists of these segments, the last writable_count of them writable; they need not lie in memory. */
unsigned fake_offer_segments(unsigned queue, const struct virtqueue_segment *segments, unsigned count, unsigned writable_count);

/* What the device wrote into a chain's (only) writable buffer. */
const uint8_t *fake_written(unsigned number);
/* How many chains of a queue came back. */
unsigned fake_returned_count(unsigned queue);
