/* What the two kinds of rings share: the walk along a chain, and the ways to the guest's memory. Only for virtqueue*.c.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "The Virtqueue Descriptor Table", "Packed Virtqueues". */
#pragma once
#include "drivers/virt/virtqueue.h"

#define VIRTQ_DESC_F_NEXT     0x0001U
#define VIRTQ_DESC_F_WRITE    0x0002U
#define VIRTQ_DESC_F_INDIRECT 0x0004U
#define VIRTQ_DESC_F_AVAIL    0x0080U
#define VIRTQ_DESC_F_USED     0x8000U

#define VIRTQ_DESC_BYTES 16U

/* A walk in progress. */
struct virtqueue_walk {
	struct virtqueue_chain *chain; /* filled */
	unsigned seen;                 /* descriptors so far, those of indirect tables included */
};

/* One buffer of the chain. False: no driver may do that: too many, no bytes, bytes past the last address, or one for reading
 * behind one for writing. */
MUST_CHECK bool virtqueue_walk_add(struct virtqueue_walk *walk, uint64_t address, uint32_t len_bytes, unsigned flags);

/* How many descriptors an indirect table has; 0: one without sense, or the feature was not negotiated. */
unsigned virtqueue_table_count(const struct virtqueue *queue, uint32_t len_bytes);

/* Both break the queue and return false where that memory is none. */
MUST_CHECK bool virtqueue_load(struct virtqueue *queue, uint64_t address, void *out, size_t len_bytes);
bool virtqueue_store(struct virtqueue *queue, uint64_t address, const void *bytes, size_t len_bytes);

static inline bool virtqueue_has(const struct virtqueue *queue, unsigned feature)
{
	return (queue->features & VIRTIO_FEATURE(feature)) != 0;
}

/* Whether `event` lies among the last `count` indices before `next`: the guest asked to hear of the one after event.
 * Source: "Used Buffer Notification Suppression". */
static inline bool virtqueue_passed(uint16_t event, uint16_t next, uint16_t count)
{
	return (uint16_t)(next - event - 1) < count;
}

/* The functions of virtqueue.h, of each kind. take: ERR_AGAIN or ERR_BAD_FORMAT. */
MUST_CHECK enum status virtqueue_split_take(struct virtqueue *queue, struct virtqueue_walk *walk);
void virtqueue_split_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes);
void virtqueue_split_publish(struct virtqueue *queue);
bool virtqueue_split_wants_interrupt(struct virtqueue *queue, uint16_t unsignalled);
void virtqueue_split_ask_notify(struct virtqueue *queue, bool wanted);
bool virtqueue_split_has_chain(struct virtqueue *queue);

MUST_CHECK enum status virtqueue_packed_take(struct virtqueue *queue, struct virtqueue_walk *walk);
void virtqueue_packed_untake(struct virtqueue *queue, unsigned descriptors);
void virtqueue_packed_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes);
void virtqueue_packed_publish(struct virtqueue *queue);
bool virtqueue_packed_wants_interrupt(struct virtqueue *queue, uint16_t unsignalled);
void virtqueue_packed_ask_notify(struct virtqueue *queue, bool wanted);
bool virtqueue_packed_has_chain(struct virtqueue *queue);
