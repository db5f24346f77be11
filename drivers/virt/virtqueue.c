/* What both kinds of rings have in common: the checks of a chain, its bytes, and the order of memory accesses that a driver on
 * another CPU relies on. Where a ring's fields are: virtqueue_split.c, virtqueue_packed.c. */
#include "drivers/virt/virtqueue.h"

#include <stdatomic.h>

#include "drivers/virt/virtqueue_ring.h"

#define EVENT_BYTES 2U

struct ring_area {
	uint64_t address, size_bytes, alignment;
};

void virtqueue_reset(struct virtqueue *queue)
{
	*queue = (struct virtqueue){.memory = queue->memory};
}

bool virtqueue_load(struct virtqueue *queue, uint64_t address, void *out, size_t len_bytes)
{
	if (guest_memory_read(queue->memory, address, out, len_bytes) == OK)
		return true;
	queue->state.broken = true;
	return false;
}

bool virtqueue_store(struct virtqueue *queue, uint64_t address, const void *bytes, size_t len_bytes)
{
	if (guest_memory_write(queue->memory, address, bytes, len_bytes) == OK)
		return true;
	queue->state.broken = true;
	return false;
}

static bool area_is_sound(const struct ring_area *area)
{
	return area->address % area->alignment == 0 && area->size_bytes <= UINT64_MAX - area->address;
}

/* "Virtqueue alignment", and no ring goes past the last address. */
static bool areas_are_sound(const struct virtqueue *queue)
{
	const struct virtqueue_state *state = &queue->state;
	const struct ring_area split[] = {
		{state->descriptor_area, VIRTQ_DESC_BYTES * state->size, 16},
		{state->driver_area, 4U + 2U * state->size + EVENT_BYTES, 2},
		{state->device_area, 4U + 8U * state->size + EVENT_BYTES, 4},
	};
	const struct ring_area packed[] = {
		{state->descriptor_area, VIRTQ_DESC_BYTES * state->size, 16},
		{state->driver_area, 4, 4},
		{state->device_area, 4, 4},
	};
	const struct ring_area *areas = virtqueue_is_packed(queue) ? packed : split;

	return area_is_sound(&areas[0]) && area_is_sound(&areas[1]) && area_is_sound(&areas[2]);
}

static bool size_is_sound(const struct virtqueue *queue)
{
	uint16_t size = queue->state.size;

	return size != 0 && size <= VIRTQUEUE_SIZE_MAX && (virtqueue_is_packed(queue) || (size & (size - 1)) == 0);
}

bool virtqueue_start(struct virtqueue *queue, uint64_t features)
{
	struct virtqueue_state *state = &queue->state;

	queue->features = features;
	state->broken = !size_is_sound(queue) || !areas_are_sound(queue);
	state->ready = !state->broken;
	state->avail_next = 0;
	state->used_next = 0;
	state->avail_wrap = true;
	state->used_wrap = true;
	state->taken = 0;
	state->unsignalled = 0;
	return state->ready;
}

static bool is_usable(const struct virtqueue *queue)
{
	return queue->state.ready && !queue->state.broken;
}

bool virtqueue_walk_add(struct virtqueue_walk *walk, uint64_t address, uint32_t len_bytes, unsigned flags)
{
	struct virtqueue_chain *chain = walk->chain;
	bool is_writable = (flags & VIRTQ_DESC_F_WRITE) != 0;
	uint64_t *total_bytes = is_writable ? &chain->writable_bytes : &chain->readable_bytes;
	uint16_t *count = is_writable ? &chain->writable_count : &chain->readable_count;

	if (walk->seen == VIRTQUEUE_SEGMENTS_MAX || len_bytes == 0 || len_bytes - 1 > UINT64_MAX - address)
		return false;
	if (!is_writable && chain->writable_count != 0)
		return false;
	walk->seen++;
	chain->segments[chain->readable_count + chain->writable_count] =
		(struct virtqueue_segment){.address = address, .len_bytes = len_bytes};
	*total_bytes += len_bytes;
	(*count)++;
	return true;
}

/* No chain is longer than VIRTQUEUE_SEGMENTS_MAX, and a table has no more than its chain. */
unsigned virtqueue_table_count(const struct virtqueue *queue, uint32_t len_bytes)
{
	if (!virtqueue_has(queue, VIRTIO_F_INDIRECT_DESC) || len_bytes % VIRTQ_DESC_BYTES != 0 ||
	    len_bytes > VIRTQUEUE_SEGMENTS_MAX * VIRTQ_DESC_BYTES)
		return 0;
	return len_bytes / VIRTQ_DESC_BYTES;
}

enum status virtqueue_take(struct virtqueue *queue, struct virtqueue_chain *chain)
{
	struct virtqueue_walk walk = {.chain = chain};
	enum status status;

	if (queue->state.broken)
		return ERR_BAD_FORMAT;
	if (!queue->state.ready)
		return ERR_AGAIN;
	chain->readable_count = 0;
	chain->writable_count = 0;
	chain->readable_bytes = 0;
	chain->writable_bytes = 0;
	status = virtqueue_is_packed(queue) ? virtqueue_packed_take(queue, &walk) : virtqueue_split_take(queue, &walk);
	queue->found_empty = status == ERR_AGAIN;
	if (status == ERR_BAD_FORMAT)
		queue->state.broken = true;
	return status;
}

void virtqueue_untake(struct virtqueue *queue, const struct virtqueue_chain *chains, unsigned count)
{
	unsigned descriptors = 0;

	for (unsigned i = 0; i < count; i++)
		descriptors += chains[i].descriptors;
	if (count != 0)
		queue->found_empty = false;
	if (virtqueue_is_packed(queue))
		virtqueue_packed_untake(queue, descriptors);
	else
		queue->state.avail_next = (uint16_t)(queue->state.avail_next - count);
}

void virtqueue_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes)
{
	if (!is_usable(queue))
		return;
	if (virtqueue_is_packed(queue))
		virtqueue_packed_put(queue, chain, written_bytes);
	else
		virtqueue_split_put(queue, chain, written_bytes);
}

/* The guest that sees the new index, or flags, also sees the entries and the data behind them. */
void virtqueue_publish(struct virtqueue *queue)
{
	if (!is_usable(queue))
		return;
	atomic_thread_fence(memory_order_release);
	if (virtqueue_is_packed(queue))
		virtqueue_packed_publish(queue);
	else
		virtqueue_split_publish(queue);
}

void virtqueue_return(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes)
{
	virtqueue_put(queue, chain, written_bytes);
	virtqueue_publish(queue);
}

/* The guest writes what it wants to hear of and then looks at the used ring; here it is the other way around. Without a full
 * fence between, a CPU may do the read first, and both sides then wait for each other. */
bool virtqueue_wants_interrupt(struct virtqueue *queue)
{
	uint16_t unsignalled = queue->state.unsignalled;

	if (!is_usable(queue) || unsignalled == 0)
		return false;
	queue->state.unsignalled = 0;
	atomic_thread_fence(memory_order_seq_cst);
	return virtqueue_is_packed(queue) ? virtqueue_packed_wants_interrupt(queue, unsignalled)
					  : virtqueue_split_wants_interrupt(queue, unsignalled);
}

static void ask_notify(struct virtqueue *queue, bool wanted)
{
	if (virtqueue_is_packed(queue))
		virtqueue_packed_ask_notify(queue, wanted);
	else
		virtqueue_split_ask_notify(queue, wanted);
}

bool virtqueue_enable_notify(struct virtqueue *queue)
{
	if (!is_usable(queue))
		return false;
	ask_notify(queue, true);
	/* As above: the wish is written before the ring is looked at again. */
	atomic_thread_fence(memory_order_seq_cst);
	return virtqueue_is_packed(queue) ? virtqueue_packed_has_chain(queue) : virtqueue_split_has_chain(queue);
}

void virtqueue_disable_notify(struct virtqueue *queue)
{
	if (is_usable(queue))
		ask_notify(queue, false);
}

/* One of the two: out, what is read goes there; in, what is written comes from there. */
struct transfer {
	uint8_t *out;
	const uint8_t *in;
	size_t len_bytes;
};

static bool move_piece(const struct virtqueue *queue, uint64_t address, const struct transfer *transfer, size_t done, size_t piece)
{
	enum status status;

	if (transfer->out != NULL)
		status = guest_memory_read(queue->memory, address, transfer->out + done, piece);
	else
		status = guest_memory_write(queue->memory, address, transfer->in + done, piece);
	return status == OK;
}

static size_t move(const struct virtqueue *queue, const struct virtqueue_segment *segments, unsigned count, size_t offset,
		   const struct transfer *transfer, bool *fault)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < transfer->len_bytes; i++) {
		size_t piece;

		if (offset >= segments[i].len_bytes) {
			offset -= segments[i].len_bytes;
			continue;
		}
		piece = segments[i].len_bytes - offset;
		piece = piece < transfer->len_bytes - done ? piece : transfer->len_bytes - done;
		if (!move_piece(queue, segments[i].address + offset, transfer, done, piece)) {
			if (fault != NULL)
				*fault = true;
			return done;
		}
		done += piece;
		offset = 0;
	}
	return done;
}

size_t virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, void *out,
		      size_t len_bytes, bool *fault)
{
	const struct transfer transfer = {.out = out, .len_bytes = len_bytes};

	return move(queue, chain->segments, chain->readable_count, offset, &transfer, fault);
}

size_t virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, const void *bytes,
		       size_t len_bytes, bool *fault)
{
	const struct transfer transfer = {.in = bytes, .len_bytes = len_bytes};

	return move(queue, chain->segments + chain->readable_count, chain->writable_count, offset, &transfer, fault);
}
