/* virtio entropy device: buffers of one queue come back with random bytes. Where they come from is its machine's business.
 * A buffer gets VIRTIO_RNG_BUFFER_BYTES at most, and a turn serves a bounded number of them: guests ask again.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Entropy Device". */
#pragma once
#include <stddef.h>

#include "drivers/virt/virtio.h"

#define VIRTIO_ID_ENTROPY       4U
#define VIRTIO_RNG_BUFFER_BYTES 256U
#define VIRTIO_RNG_TURN_BUFFERS 16U

struct virtio_rng_wires {
	/* Fills out with up to len_bytes (not 0) random bytes and returns how many; 0: there are none, and there will be none. */
	size_t (*take)(void *ctx, void *out, size_t len_bytes);
	void *ctx;
};

struct virtio_rng {
	struct virtio_rng_wires wires;
	struct virtio *transport;     /* whose model this is */
	struct virtqueue_chain chain; /* that is being served */
};

extern const struct virtio_ops virtio_rng_ops;

#define VIRTIO_RNG_CONFIG(rng) \
	((struct virtio_config){.ops = &virtio_rng_ops, .model = (rng), .queue_count = 1, .queue_size_max = 64})
