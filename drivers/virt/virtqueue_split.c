/* Split rings: a table of descriptors that link to each other, and two rings of indices, one written by each side.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Split Virtqueues". */
#include <stdatomic.h>

#include "drivers/virt/virtqueue_ring.h"

#define AVAIL_FLAGS 0U /* of the driver area */
#define AVAIL_INDEX 2U
#define AVAIL_RING  4U
#define AVAIL_ENTRY_BYTES 2U
#define VIRTQ_AVAIL_F_NO_INTERRUPT 0x1U

#define USED_FLAGS 0U /* of the device area */
#define USED_INDEX 2U
#define USED_RING  4U
#define USED_ENTRY_BYTES 8U
#define VIRTQ_USED_F_NO_NOTIFY 0x1

struct split_descriptor {
	uint64_t address;
	uint32_t len_bytes;
	uint16_t flags, next;
};

/* Where descriptors are: the queue's table, or an indirect one. */
struct table {
	uint64_t address;
	unsigned count;
	bool is_indirect;
};

_Static_assert(sizeof(struct split_descriptor) == VIRTQ_DESC_BYTES, "split_descriptor layout");

static bool load_descriptor(struct virtqueue *queue, const struct table *table, unsigned index, struct split_descriptor *out)
{
	return index < table->count && virtqueue_load(queue, table->address + index * VIRTQ_DESC_BYTES, out, sizeof(*out));
}

/* A descriptor that stands for a table: the last of the queue's own ones, in no table itself. Its WRITE is to be ignored. */
static bool enter_table(const struct virtqueue *queue, struct table *table, const struct split_descriptor *descriptor)
{
	if (table->is_indirect || (descriptor->flags & VIRTQ_DESC_F_NEXT) != 0)
		return false;
	*table = (struct table){
		.address = descriptor->address,
		.count = virtqueue_table_count(queue, descriptor->len_bytes),
		.is_indirect = true,
	};
	return table->count != 0;
}

/* Ends: each turn but one adds a buffer, of which there are VIRTQUEUE_SEGMENTS_MAX; so loops end, too. */
static bool walk_chain(struct virtqueue *queue, unsigned head, struct virtqueue_walk *walk)
{
	struct table table = {.address = queue->state.descriptor_area, .count = queue->state.size};
	struct split_descriptor descriptor;
	unsigned index = head;

	for (;;) {
		if (!load_descriptor(queue, &table, index, &descriptor))
			return false;
		if ((descriptor.flags & VIRTQ_DESC_F_INDIRECT) != 0) {
			if (!enter_table(queue, &table, &descriptor))
				return false;
			index = 0;
			continue;
		}
		if (!virtqueue_walk_add(walk, descriptor.address, descriptor.len_bytes, descriptor.flags))
			return false;
		if ((descriptor.flags & VIRTQ_DESC_F_NEXT) == 0)
			return true;
		index = descriptor.next;
	}
}

/* How many chains wait; more than the queue has entries: the guest's index jumped. */
static bool count_waiting(struct virtqueue *queue, uint16_t *waiting)
{
	uint16_t index;

	if (!virtqueue_load(queue, queue->state.driver_area + AVAIL_INDEX, &index, sizeof(index)))
		return false;
	*waiting = (uint16_t)(index - queue->state.avail_next);
	return *waiting <= queue->state.size;
}

enum status virtqueue_split_take(struct virtqueue *queue, struct virtqueue_walk *walk)
{
	unsigned slot = queue->state.avail_next & (queue->state.size - 1U);
	uint16_t waiting, head;

	if (!count_waiting(queue, &waiting))
		return ERR_BAD_FORMAT;
	if (waiting == 0)
		return ERR_AGAIN;
	/* Entries and descriptors were written before the index; they are read after it. */
	atomic_thread_fence(memory_order_acquire);
	if (!virtqueue_load(queue, queue->state.driver_area + AVAIL_RING + slot * AVAIL_ENTRY_BYTES, &head, sizeof(head)) ||
	    !walk_chain(queue, head, walk))
		return ERR_BAD_FORMAT;
	walk->chain->id = head;
	walk->chain->descriptors = 1;
	queue->state.avail_next++;
	return OK;
}

/* A used entry is on a multiple of 4, not always of 8: two accesses. */
void virtqueue_split_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes)
{
	unsigned slot = queue->state.used_next & (queue->state.size - 1U);
	uint64_t entry = queue->state.device_area + USED_RING + slot * USED_ENTRY_BYTES;
	uint32_t id = chain->id;

	if (!virtqueue_store(queue, entry, &id, sizeof(id)) ||
	    !virtqueue_store(queue, entry + sizeof(id), &written_bytes, sizeof(written_bytes)))
		return;
	queue->state.used_next++;
	queue->state.unsignalled++;
}

void virtqueue_split_publish(struct virtqueue *queue)
{
	virtqueue_store(queue, queue->state.device_area + USED_INDEX, &queue->state.used_next, sizeof(queue->state.used_next));
}

bool virtqueue_split_wants_interrupt(struct virtqueue *queue, uint16_t unsignalled)
{
	bool has_event = virtqueue_has(queue, VIRTIO_F_EVENT_IDX);
	uint64_t event_offset = AVAIL_RING + queue->state.size * AVAIL_ENTRY_BYTES;
	uint16_t word;

	if (!virtqueue_load(queue, queue->state.driver_area + (has_event ? event_offset : AVAIL_FLAGS), &word, sizeof(word)))
		return false;
	return has_event ? virtqueue_passed(word, queue->state.used_next, unsignalled)
			 : (word & VIRTQ_AVAIL_F_NO_INTERRUPT) == 0;
}

/* With event indices nothing says "never": an index that the guest has passed is as good. */
void virtqueue_split_ask_notify(struct virtqueue *queue, bool wanted)
{
	bool has_event = virtqueue_has(queue, VIRTIO_F_EVENT_IDX);
	uint64_t event_offset = USED_RING + queue->state.size * USED_ENTRY_BYTES;
	uint16_t word = wanted ? 0 : VIRTQ_USED_F_NO_NOTIFY;

	if (has_event)
		word = queue->state.avail_next;
	if (!has_event || wanted)
		virtqueue_store(queue, queue->state.device_area + (has_event ? event_offset : USED_FLAGS), &word, sizeof(word));
}

bool virtqueue_split_has_chain(struct virtqueue *queue)
{
	uint16_t waiting;

	if (count_waiting(queue, &waiting))
		return waiting != 0;
	queue->state.broken = true;
	return false;
}
