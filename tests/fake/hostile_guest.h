/* A guest that does to a virtio device whatever a fuzz target's input says: registers by BARs and by configuration space, resets,
 * queues that move and shrink, chains good and bad in both kinds of rings, indirect tables, memory that changes while the device
 * looks; and the device's thread, which serves what was notified. The type of device is the target's, with its back end.
 *
 * Checked, besides the sanitizers and what tests/fake/queue_judge.h demands: a turn is bounded, one that says that there is more
 * has done something, only a device that runs touches memory, every call out of the device comes under its lock, which is free
 * again after each step, and interrupts go the way that the guest chose. */
#pragma once
#include "drivers/virt/virtio.h"
#include "tests/fake/fuzz_input.h"
#include "tests/fake/guest_ram.h"

#define HOSTILE_RAM_BYTES 0x20000U
#define HOSTILE_DATA      0x8000U /* where buffers are, mostly */
#define HOSTILE_MESSAGE_BYTES 0x80U

struct hostile_type {
	/* Makes the model; what virtio_init() is to get. transport: whose model it is. */
	struct virtio_config (*create)(struct virtio *transport, struct fuzz_input *input);
	/* Something happens at the back end. NULL: there is none. */
	void (*happens)(struct fuzz_input *input);
	/* Something that this type's driver sends, up to HOSTILE_MESSAGE_BYTES; returns its length. */
	size_t (*message)(struct fuzz_input *input, uint8_t *out);
	/* After each step. NULL: nothing more. */
	void (*check)(void);
	/* At most, in a turn. */
	unsigned takes_max;
	uint64_t moved_bytes_max;
};

extern struct guest_ram hostile_ram;

/* Calls out of the model come here, too: it is the device's thread or a vCPU, under the lock. */
void hostile_under_lock(void);
/* The back end gave or took something in this turn. */
void hostile_progress(void);

void hostile_guest_run(const struct hostile_type *type, const uint8_t *data, size_t size);
