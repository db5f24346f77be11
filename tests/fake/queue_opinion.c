/* What the specification says of rings, once more and by other means than drivers/virt: whole descriptors, links followed by
 * recursion, positions counted from the start. */
#include "tests/fake/queue_opinion.h"

#define F_NEXT     0x1U
#define F_WRITE    0x2U
#define F_INDIRECT 0x4U
#define F_AVAIL    0x80U
#define F_USED     0x8000U

/* A chain as it is in memory. */
struct descriptor {
	uint64_t address;
	uint32_t len_bytes;
	uint16_t word[2]; /* split: flags, next; packed: ID, flags */
};

static const struct guest_ram *memory;

static bool get(uint64_t address, void *out, size_t len_bytes)
{
	return guest_ram_get(memory, address, out, len_bytes);
}

static bool add(struct queue_opinion *opinion, const struct descriptor *descriptor, unsigned flags)
{
	struct virtqueue_chain *chain = &opinion->chain;
	bool writes = (flags & F_WRITE) != 0;
	uint64_t bytes = descriptor->len_bytes;
	struct virtqueue_segment *segment = &chain->segments[chain->readable_count + chain->writable_count];

	if (opinion->buffers++ == VIRTQUEUE_SEGMENTS_MAX || bytes == 0 || (chain->writable_bytes != 0 && !writes))
		return false;
	if (descriptor->address + (bytes - 1) < descriptor->address)
		return false;
	*segment = (struct virtqueue_segment){.address = descriptor->address, .len_bytes = (uint32_t)bytes};
	if (writes) {
		chain->writable_count++;
		chain->writable_bytes += bytes;
	} else {
		chain->readable_count++;
		chain->readable_bytes += bytes;
	}
	return true;
}

static bool is_table(const struct virtqueue *queue, const struct descriptor *descriptor, unsigned flags)
{
	return (queue->features >> VIRTIO_F_INDIRECT_DESC & 1) != 0 && (flags & F_NEXT) == 0 && descriptor->len_bytes != 0 &&
	       descriptor->len_bytes % 16 == 0 && descriptor->len_bytes <= 16 * VIRTQUEUE_SEGMENTS_MAX;
}

/* Along the links of a table of `count`, from one on; tables that descriptors stand for: once, of no further ones. */
static bool follow_links(const struct virtqueue *queue, struct queue_opinion *opinion, uint64_t table, unsigned count,
			 unsigned index, bool may_enter)
{
	struct descriptor descriptor;

	do {
		if (index >= count || !get(table + 16ULL * index, &descriptor, sizeof(descriptor)))
			return false;
		if ((descriptor.word[0] & F_INDIRECT) != 0)
			return may_enter && is_table(queue, &descriptor, descriptor.word[0]) &&
			       follow_links(queue, opinion, descriptor.address, descriptor.len_bytes / 16, 0, false);
		if (!add(opinion, &descriptor, descriptor.word[0]))
			return false;
		index = descriptor.word[1];
	} while ((descriptor.word[0] & F_NEXT) != 0);
	return true;
}

static void judge_split(const struct virtqueue *queue, struct queue_opinion *opinion)
{
	const struct virtqueue_state *state = &queue->state;
	uint16_t index, head;

	opinion->status = ERR_BAD_FORMAT;
	if (!get(state->driver_area + 2, &index, 2) || (uint16_t)(index - state->avail_next) > state->size)
		return;
	if (index == state->avail_next) {
		opinion->status = ERR_AGAIN;
		return;
	}
	if (!get(state->driver_area + 4 + 2ULL * (state->avail_next % state->size), &head, 2) ||
	    !follow_links(queue, opinion, state->descriptor_area, state->size, head, true))
		return;
	opinion->chain.id = head;
	opinion->chain.descriptors = 1;
	opinion->status = OK;
}

static bool walk_packed_table(const struct virtqueue *queue, struct queue_opinion *opinion, const struct descriptor *table)
{
	struct descriptor descriptor;

	if (!is_table(queue, table, table->word[1]))
		return false;
	for (uint64_t at = 0; at < table->len_bytes; at += 16) {
		if (!get(table->address + at, &descriptor, sizeof(descriptor)) || (descriptor.word[1] & F_INDIRECT) != 0 ||
		    !add(opinion, &descriptor, descriptor.word[1]))
			return false;
	}
	return true;
}

static bool walk_packed(const struct virtqueue *queue, struct queue_opinion *opinion)
{
	struct descriptor descriptor;
	unsigned count = 0;

	do {
		unsigned position = (queue->state.avail_next + count) % queue->state.size;

		if (count++ == queue->state.size ||
		    !get(queue->state.descriptor_area + 16ULL * position, &descriptor, sizeof(descriptor)))
			return false;
		opinion->chain.id = descriptor.word[0];
		opinion->chain.descriptors = (uint16_t)count;
		if ((descriptor.word[1] & F_INDIRECT) != 0)
			return count == 1 && walk_packed_table(queue, opinion, &descriptor);
		if (!add(opinion, &descriptor, descriptor.word[1]))
			return false;
	} while ((descriptor.word[1] & F_NEXT) != 0);
	return true;
}

static void judge_packed(const struct virtqueue *queue, unsigned taken, struct queue_opinion *opinion)
{
	uint16_t flags;

	opinion->status = ERR_BAD_FORMAT;
	if (!get(queue->state.descriptor_area + 16ULL * queue->state.avail_next + 14, &flags, 2))
		return;
	if (((flags & F_AVAIL) != 0) != queue->state.avail_wrap || ((flags & F_USED) != 0) == queue->state.avail_wrap)
		opinion->status = ERR_AGAIN;
	else if (walk_packed(queue, opinion) && opinion->chain.descriptors + taken <= queue->state.size)
		opinion->status = OK;
}

void queue_opinion_form(const struct guest_ram *ram, const struct virtqueue *queue, unsigned taken, struct queue_opinion *opinion)
{
	memory = ram;
	opinion->chain.readable_count = opinion->chain.writable_count = 0;
	opinion->chain.readable_bytes = opinion->chain.writable_bytes = 0;
	opinion->buffers = 0;
	opinion->status = queue->state.broken ? ERR_BAD_FORMAT : ERR_AGAIN;
	if (queue->state.broken || !queue->state.ready)
		return;
	if (virtqueue_is_packed(queue))
		judge_packed(queue, taken, opinion);
	else
		judge_split(queue, opinion);
}
