/* Packed rings: one ring of descriptors that both sides write; two flags, compared with a counter that flips at each turn around
 * the ring, say whose a descriptor is. Length, id and flags are one aligned word: read and written by one access.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Packed Virtqueues". */
#include <stdatomic.h>

#include "drivers/virt/virtqueue_ring.h"

#define DESC_ADDRESS 0U
#define DESC_TAIL    8U

/* Event suppression structures: a position of the ring, then flags. */
#define RING_EVENT_FLAGS_ENABLE  0x0U
#define RING_EVENT_FLAGS_DISABLE 0x1U
#define RING_EVENT_FLAGS_DESC    0x2U
#define EVENT_WRAP 0x8000U

struct packed_tail {
	uint32_t len_bytes;
	uint16_t id, flags;
};

struct packed_event {
	uint16_t position, flags;
};

_Static_assert(sizeof(struct packed_tail) == 8, "packed_tail layout");
_Static_assert(sizeof(struct packed_event) == 4, "packed_event layout");

/* A place in the ring and the counter that belongs to it. */
struct cursor {
	unsigned position;
	bool wrap;
};

static void step(const struct virtqueue *queue, struct cursor *cursor, unsigned descriptors)
{
	cursor->position += descriptors;
	if (cursor->position >= queue->state.size) {
		cursor->position -= queue->state.size;
		cursor->wrap = !cursor->wrap;
	}
}

static uint64_t descriptor_at(const struct virtqueue *queue, unsigned position)
{
	return queue->state.descriptor_area + position * VIRTQ_DESC_BYTES;
}

static bool load_tail(struct virtqueue *queue, unsigned position, struct packed_tail *tail)
{
	return virtqueue_load(queue, descriptor_at(queue, position) + DESC_TAIL, tail, sizeof(*tail));
}

static bool load_address(struct virtqueue *queue, unsigned position, uint64_t *address)
{
	return virtqueue_load(queue, descriptor_at(queue, position) + DESC_ADDRESS, address, sizeof(*address));
}

/* "A driver marks a descriptor as available by AVAIL = its counter, USED = the inverse". */
static bool is_available(const struct packed_tail *tail, bool wrap)
{
	return ((tail->flags & VIRTQ_DESC_F_AVAIL) != 0) == wrap && ((tail->flags & VIRTQ_DESC_F_USED) != 0) != wrap;
}

/* In a table descriptors follow one another; of their flags only WRITE means something. */
static bool walk_table(struct virtqueue *queue, uint64_t table, uint32_t len_bytes, struct virtqueue_walk *walk)
{
	unsigned count = virtqueue_table_count(queue, len_bytes);

	for (unsigned i = 0; i < count; i++) {
		struct {
			uint64_t address;
			struct packed_tail tail;
		} descriptor;

		if (!virtqueue_load(queue, table + i * VIRTQ_DESC_BYTES, &descriptor, sizeof(descriptor)) ||
		    (descriptor.tail.flags & VIRTQ_DESC_F_INDIRECT) != 0 ||
		    !virtqueue_walk_add(walk, descriptor.address, descriptor.tail.len_bytes, descriptor.tail.flags))
			return false;
	}
	return count != 0;
}

/* first: what was read of the descriptor at the cursor. A chain is at most as long as the ring. A table stands alone. */
static bool walk_chain(struct virtqueue *queue, struct cursor *cursor, const struct packed_tail *first, struct virtqueue_walk *walk)
{
	struct packed_tail tail = *first;
	unsigned count = 0;
	uint64_t address;

	for (;;) {
		if (!load_address(queue, cursor->position, &address))
			return false;
		step(queue, cursor, 1);
		count++;
		if ((tail.flags & VIRTQ_DESC_F_INDIRECT) != 0) {
			if (count != 1 || (tail.flags & VIRTQ_DESC_F_NEXT) != 0 ||
			    !walk_table(queue, address, tail.len_bytes, walk))
				return false;
			break;
		}
		if (!virtqueue_walk_add(walk, address, tail.len_bytes, tail.flags))
			return false;
		if ((tail.flags & VIRTQ_DESC_F_NEXT) == 0)
			break;
		if (count == queue->state.size || !load_tail(queue, cursor->position, &tail))
			return false;
	}
	walk->chain->id = tail.id; /* "in the last descriptor of the list" */
	walk->chain->descriptors = (uint16_t)count;
	return true;
}

enum status virtqueue_packed_take(struct virtqueue *queue, struct virtqueue_walk *walk)
{
	struct cursor cursor = {queue->state.avail_next, queue->state.avail_wrap};
	struct packed_tail tail;

	if (!load_tail(queue, cursor.position, &tail))
		return ERR_BAD_FORMAT;
	if (!is_available(&tail, cursor.wrap))
		return ERR_AGAIN;
	/* The first descriptor's flags were written last; everything else of the chain is read after them. */
	atomic_thread_fence(memory_order_acquire);
	if (!walk_chain(queue, &cursor, &tail, walk))
		return ERR_BAD_FORMAT;
	/* A guest that marks descriptors anew before they came back would have more than the ring holds. */
	if (walk->chain->descriptors > queue->state.size - queue->state.taken)
		return ERR_BAD_FORMAT;
	queue->state.taken = (uint16_t)(queue->state.taken + walk->chain->descriptors);
	queue->state.avail_next = (uint16_t)cursor.position;
	queue->state.avail_wrap = cursor.wrap;
	return OK;
}

/* Never more than were taken, which is a ring at most: virtqueue_packed_take(). */
void virtqueue_packed_untake(struct virtqueue *queue, unsigned descriptors)
{
	struct virtqueue_state *state = &queue->state;

	state->taken = (uint16_t)(state->taken - descriptors);
	if (descriptors > state->avail_next) {
		state->avail_next = (uint16_t)(state->avail_next + state->size);
		state->avail_wrap = !state->avail_wrap;
	}
	state->avail_next = (uint16_t)(state->avail_next - descriptors);
}

/* The guest looks at them in order: until the first of a batch is there, it sees none. So that one is held back. */
void virtqueue_packed_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes)
{
	struct cursor cursor = {queue->state.used_next, queue->state.used_wrap};
	uint64_t address = descriptor_at(queue, cursor.position) + DESC_TAIL;
	uint64_t flags = (cursor.wrap ? VIRTQ_DESC_F_AVAIL | VIRTQ_DESC_F_USED : 0) |
			 (written_bytes != 0 ? VIRTQ_DESC_F_WRITE : 0);
	uint64_t tail = written_bytes | (uint64_t)chain->id << 32 | flags << 48;

	if (!queue->has_held) {
		queue->has_held = true;
		queue->held = tail;
		queue->held_address = address;
	} else {
		virtqueue_store(queue, address, &tail, sizeof(tail));
	}
	step(queue, &cursor, chain->descriptors);
	queue->state.taken = (uint16_t)(queue->state.taken - chain->descriptors);
	queue->state.used_next = (uint16_t)cursor.position;
	queue->state.used_wrap = cursor.wrap;
	queue->state.unsignalled = (uint16_t)(queue->state.unsignalled + chain->descriptors);
}

void virtqueue_packed_publish(struct virtqueue *queue)
{
	if (queue->has_held)
		virtqueue_store(queue, queue->held_address, &queue->held, sizeof(queue->held));
	queue->has_held = false;
}

bool virtqueue_packed_wants_interrupt(struct virtqueue *queue, uint16_t unsignalled)
{
	struct packed_event event;
	uint16_t position;

	if (!virtqueue_load(queue, queue->state.driver_area, &event, sizeof(event)))
		return false;
	if (event.flags != RING_EVENT_FLAGS_DESC || !virtqueue_has(queue, VIRTIO_F_EVENT_IDX))
		return event.flags != RING_EVENT_FLAGS_DISABLE;
	position = event.position & (uint16_t)~EVENT_WRAP;
	/* A position of the turn before lies a ring behind. */
	if (((event.position & EVENT_WRAP) != 0) != queue->state.used_wrap)
		position = (uint16_t)(position - queue->state.size);
	return virtqueue_passed(position, queue->state.used_next, unsignalled);
}

void virtqueue_packed_ask_notify(struct virtqueue *queue, bool wanted)
{
	struct packed_event event = {.flags = wanted ? RING_EVENT_FLAGS_ENABLE : RING_EVENT_FLAGS_DISABLE};

	if (wanted && virtqueue_has(queue, VIRTIO_F_EVENT_IDX)) {
		event.position = (uint16_t)(queue->state.avail_next | (queue->state.avail_wrap ? EVENT_WRAP : 0));
		event.flags = RING_EVENT_FLAGS_DESC;
	}
	virtqueue_store(queue, queue->state.device_area, &event, sizeof(event));
}

bool virtqueue_packed_has_chain(struct virtqueue *queue)
{
	struct packed_tail tail;

	return load_tail(queue, queue->state.avail_next, &tail) && is_available(&tail, queue->state.avail_wrap);
}
