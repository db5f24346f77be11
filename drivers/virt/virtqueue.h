/* A virtqueue, split or packed, seen by the device. Its rings are in the guest's memory and hostile: every descriptor is copied
 * once and the copy is checked; whatever the guest writes, a call does a bounded amount of work and touches only what was
 * described. A queue whose rings make no sense is *broken*: it answers nothing until the device is reset (the caller sets
 * DEVICE_NEEDS_RESET).
 *
 * Context of all: the caller holds the device's lock.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Split Virtqueues", "Packed Virtqueues". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "drivers/virt/guest_memory.h"

#define VIRTQUEUE_SIZE_MAX     256U
#define VIRTQUEUE_SEGMENTS_MAX 256U /* of one chain, indirect ones included; a longer one breaks the queue */

/* Features that queues know of. Features are sets of 64 bits, by the specification's bit numbers. */
#define VIRTIO_F_INDIRECT_DESC  28
#define VIRTIO_F_EVENT_IDX      29
#define VIRTIO_F_VERSION_1      32
#define VIRTIO_F_ACCESS_PLATFORM 33
#define VIRTIO_F_RING_PACKED    34
#define VIRTIO_F_IN_ORDER       35
#define VIRTIO_FEATURE(bit)     (1ULL << (bit))

/* All that a saved machine needs. */
struct virtqueue_state {
	uint16_t size; /* a power of two for split rings, 1 .. VIRTQUEUE_SIZE_MAX */
	bool ready;
	bool broken;
	uint64_t descriptor_area, driver_area, device_area;
	uint16_t avail_next;   /* split: the next entry of the available ring; packed: the next descriptor */
	uint16_t used_next;    /* split: the index that the used ring shows; packed: the next descriptor */
	bool avail_wrap, used_wrap; /* packed */
	uint16_t taken;        /* packed: descriptors of chains that were taken and not returned; a ring at most */
	uint16_t unsignalled;  /* entries or descriptors used since the guest was last asked whether it wants an interrupt */
};

struct virtqueue {
	struct virtqueue_state state;
	const struct guest_memory *memory;
	uint64_t features; /* as negotiated */
	bool found_empty;  /* the last take found nothing: the guest's next chain is to be notified */
	/* packed: between put and publish: what makes the first chain of a batch, and so all of them, visible */
	bool has_held;
	uint64_t held, held_address;
};

struct virtqueue_segment {
	uint64_t address;
	uint32_t len_bytes;
};

/* A chain of buffers that the guest made available: first those that the device reads, then those that it writes. A copy. */
struct virtqueue_chain {
	uint16_t id;          /* what names it in the used ring */
	uint16_t descriptors; /* packed: how many the ring holds of it */
	uint16_t readable_count, writable_count;
	uint64_t readable_bytes, writable_bytes; /* all of them, never cut: who copies sets bounds */
	struct virtqueue_segment segments[VIRTQUEUE_SEGMENTS_MAX]; /* readable ones first */
};

static inline bool virtqueue_is_packed(const struct virtqueue *queue)
{
	return (queue->features & VIRTIO_FEATURE(VIRTIO_F_RING_PACKED)) != 0;
}

/* Power-on state, size 0; memory stays. */
void virtqueue_reset(struct virtqueue *queue);

/* The guest has set size and areas and makes it ready. False: size or alignment are not what the specification demands; the
 * queue is broken then. */
bool virtqueue_start(struct virtqueue *queue, uint64_t features);

/* Takes the next chain. Errors: ERR_AGAIN: there is none (also of a queue that is not ready); ERR_BAD_FORMAT: the queue is
 * broken. */
MUST_CHECK enum status virtqueue_take(struct virtqueue *queue, struct virtqueue_chain *chain);

/* Gives the last `count` chains back that were taken and not given back: they are the next to be taken again. Only with chains
 * that were taken one after the other without another call in between. */
void virtqueue_untake(struct virtqueue *queue, const struct virtqueue_chain *chains, unsigned count);

/* Returns a chain, of which the device has written written_bytes. Several chains of one frame (mergeable buffers) are shown to
 * the guest at once: _put() for each, then _publish() once. virtqueue_return() is both for one. */
void virtqueue_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes);
void virtqueue_publish(struct virtqueue *queue);
void virtqueue_return(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes);

/* Whether the guest wants an interrupt for what was published since the last call. */
bool virtqueue_wants_interrupt(struct virtqueue *queue);

/* Before a device stops looking: asks for notifications, then true if a chain is there after all. And while it looks: needs
 * none. The transport does both around a type's serve(): for queues that it found empty. */
bool virtqueue_enable_notify(struct virtqueue *queue);
void virtqueue_disable_notify(struct virtqueue *queue);

/* Copies bytes [offset, offset + len_bytes) of the chain's readable part out, or into its writable part. As many as there are:
 * returns that. Fewer also where a segment is not in the guest's memory; *fault (may be NULL) is then set. */
size_t virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, void *out,
		      size_t len_bytes, bool *fault);
size_t virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, const void *bytes,
		       size_t len_bytes, bool *fault);
