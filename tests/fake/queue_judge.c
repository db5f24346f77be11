/* What a device has of its queues, and the calls that come here first. */
#include "tests/fake/queue_judge.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fake/queue_opinion.h"

#define HELD_MAX 128U
#define F_AVAIL 0x80U
#define F_USED  0x8000U

struct queue_judge judge;

/* A chain that the device has taken. */
static struct held {
	const struct virtqueue *queue;
	struct virtqueue_chain chain;
	uint16_t avail_next; /* of its queue, before */
	bool avail_wrap, is_held;
} held[HELD_MAX];
static unsigned held_count; /* the last one of these is held */
static bool in_turn, was_disturbed;
static const struct held *moving; /* whose bytes are being moved now */
static bool moving_in;

static bool is_within(uint64_t address, uint64_t len_bytes, uint64_t base, uint64_t size_bytes)
{
	return address >= base && address - base <= size_bytes && len_bytes <= size_bytes - (address - base);
}

/* What of a queue's rings the device writes. */
static bool is_in_ring(const struct virtqueue *queue, uint64_t address, uint64_t len_bytes)
{
	const struct virtqueue_state *state = &queue->state;

	if (!state->ready)
		return false;
	if (!virtqueue_is_packed(queue))
		return is_within(address, len_bytes, state->device_area, 6 + 8ULL * state->size);
	return is_within(address, len_bytes, state->device_area, 4) ||
	       (is_within(address, len_bytes, state->descriptor_area, 16ULL * state->size) && address % 16 == 8 && len_bytes == 8);
}

static bool is_in_chain(const struct virtqueue_chain *chain, uint64_t address, uint64_t len_bytes, bool writes)
{
	unsigned first = writes ? chain->readable_count : 0;
	unsigned end = chain->readable_count + (writes ? chain->writable_count : 0);

	for (unsigned i = first; i < end; i++) {
		if (is_within(address, len_bytes, chain->segments[i].address, chain->segments[i].len_bytes))
			return true;
	}
	return false;
}

static void look(uint64_t address, size_t len_bytes, bool writes)
{
	bool is_ring = false;

	demand(in_turn);
	if (moving != NULL) {
		demand(writes == moving_in && is_in_chain(&moving->chain, address, len_bytes, writes));
	} else if (writes) {
		for (unsigned i = 0; i < judge.queue_count && !is_ring; i++)
			is_ring = is_in_ring(&judge.queues[i], address, len_bytes);
		demand(is_ring);
	}
	if (judge.disturbs != NULL && judge.disturbs())
		was_disturbed = true;
}

void judge_reset(struct guest_ram *ram, const struct virtqueue *queues, unsigned queue_count)
{
	judge = (struct queue_judge){.ram = ram, .queues = queues, .queue_count = queue_count};
	ram->looks = look;
	held_count = 0;
	in_turn = false;
	moving = NULL;
}

void judge_turn_begins(void)
{
	demand(!in_turn && held_count == 0);
	in_turn = true;
	judge.takes = 0;
}

void judge_turn_ends(bool may_keep)
{
	demand(in_turn && (held_count == 0 || may_keep));
	held_count = 0;
	in_turn = false;
}

static bool is_same(const struct virtqueue_chain *one, const struct virtqueue_chain *other)
{
	unsigned count = one->readable_count + one->writable_count;

	if (one->id != other->id || one->descriptors != other->descriptors || one->readable_count != other->readable_count ||
	    one->writable_count != other->writable_count || one->readable_bytes != other->readable_bytes ||
	    one->writable_bytes != other->writable_bytes)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (one->segments[i].address != other->segments[i].address ||
		    one->segments[i].len_bytes != other->segments[i].len_bytes)
			return false;
	}
	return true;
}

static unsigned taken_of(const struct virtqueue *queue)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < held_count; i++) {
		if (held[i].is_held && held[i].queue == queue)
			taken += held[i].chain.descriptors;
	}
	demand(!virtqueue_is_packed(queue) || queue->state.broken || !queue->state.ready || queue->state.taken == taken);
	return taken;
}

static struct held *find(const struct virtqueue *queue, const struct virtqueue_chain *chain)
{
	for (unsigned i = 0; i < held_count; i++) {
		if (held[i].is_held && held[i].queue == queue && is_same(&held[i].chain, chain))
			return &held[i];
	}
	abort();
}

static void let_go(struct held *of)
{
	of->is_held = false;
	while (held_count > 0 && !held[held_count - 1].is_held)
		held_count--;
}

enum status __real_virtqueue_take(struct virtqueue *queue, struct virtqueue_chain *chain);
enum status __wrap_virtqueue_take(struct virtqueue *queue, struct virtqueue_chain *chain);
void __real_virtqueue_untake(struct virtqueue *queue, const struct virtqueue_chain *chains, unsigned count);
void __wrap_virtqueue_untake(struct virtqueue *queue, const struct virtqueue_chain *chains, unsigned count);
void __real_virtqueue_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes);
void __wrap_virtqueue_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes);
void __real_virtqueue_publish(struct virtqueue *queue);
void __wrap_virtqueue_publish(struct virtqueue *queue);
void __real_virtqueue_return(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes);
void __wrap_virtqueue_return(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes);
size_t __real_virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, void *out,
			     size_t len_bytes, bool *fault);
size_t __wrap_virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, void *out,
			     size_t len_bytes, bool *fault);
size_t __real_virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, const void *bytes,
			      size_t len_bytes, bool *fault);
size_t __wrap_virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, const void *bytes,
			      size_t len_bytes, bool *fault);

enum status __wrap_virtqueue_take(struct virtqueue *queue, struct virtqueue_chain *chain)
{
	static struct queue_opinion opinion;
	struct held *entry = &held[held_count];
	enum status status;

	demand(in_turn && held_count < HELD_MAX);
	judge.takes++;
	entry->queue = queue;
	entry->avail_next = queue->state.avail_next;
	entry->avail_wrap = queue->state.avail_wrap;
	queue_opinion_form(judge.ram, queue, taken_of(queue), &opinion);
	was_disturbed = false;
	status = __real_virtqueue_take(queue, chain);
	if (!was_disturbed)
		demand(status == opinion.status && (status != OK || is_same(chain, &opinion.chain)));
	if (status != OK)
		return status;
	entry->chain = *chain;
	entry->is_held = true;
	held_count++;
	return OK;
}

/* The last ones, in their order: they are the next again. */
void __wrap_virtqueue_untake(struct virtqueue *queue, const struct virtqueue_chain *chains, unsigned count)
{
	const struct held *last = NULL;

	for (unsigned i = count; i > 0; i--) {
		struct held *of = &held[held_count - 1];

		demand(held_count > 0 && of->queue == queue && is_same(&of->chain, &chains[i - 1]));
		last = of;
		let_go(of);
	}
	__real_virtqueue_untake(queue, chains, count);
	demand(last == NULL || (queue->state.avail_next == last->avail_next && queue->state.avail_wrap == last->avail_wrap));
}

/* What the guest sees of a chain that came back. */
static void check_entry(const struct virtqueue *before, const struct virtqueue *after, uint16_t id, uint32_t written_bytes)
{
	uint64_t at = before->state.device_area + 4 + 8ULL * (before->state.used_next & (before->state.size - 1U));
	uint32_t words[2];
	struct {
		uint64_t address;
		uint32_t len_bytes;
		uint16_t id, flags;
	} used;

	if (!after->state.ready || after->state.broken || was_disturbed)
		return;
	if (!virtqueue_is_packed(after)) {
		demand(guest_ram_get(judge.ram, at, words, sizeof(words)) && words[0] == id && words[1] == written_bytes);
		return;
	}
	at = before->state.descriptor_area + 16ULL * before->state.used_next;
	demand(guest_ram_get(judge.ram, at, &used, sizeof(used)) && used.id == id && used.len_bytes == written_bytes);
	demand(((used.flags & F_USED) != 0) == before->state.used_wrap &&
	       ((used.flags & F_AVAIL) != 0) == before->state.used_wrap);
}

void __wrap_virtqueue_put(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes)
{
	struct virtqueue before = *queue;

	demand(written_bytes <= chain->writable_bytes);
	let_go(find(queue, chain));
	was_disturbed = false;
	__real_virtqueue_put(queue, chain, written_bytes);
	if (!virtqueue_is_packed(queue)) /* of packed ones the first waits for its fellows */
		check_entry(&before, queue, chain->id, written_bytes);
}

static void check_index(const struct virtqueue *queue)
{
	uint16_t index;

	if (queue->state.ready && !queue->state.broken && !was_disturbed && !virtqueue_is_packed(queue))
		demand(guest_ram_get(judge.ram, queue->state.device_area + 2, &index, 2) && index == queue->state.used_next);
}

/* From here on the guest sees all that was put before. */
void __wrap_virtqueue_publish(struct virtqueue *queue)
{
	struct virtqueue before = *queue;
	uint64_t tail;

	was_disturbed = false;
	__real_virtqueue_publish(queue);
	check_index(queue);
	if (!virtqueue_is_packed(queue) || !before.has_held || !queue->state.ready || queue->state.broken || was_disturbed)
		return;
	demand(guest_ram_get(judge.ram, before.held_address, &tail, sizeof(tail)) && tail == before.held && !queue->has_held);
}

void __wrap_virtqueue_return(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written_bytes)
{
	struct virtqueue before = *queue;

	demand(written_bytes <= chain->writable_bytes && !queue->has_held);
	let_go(find(queue, chain));
	was_disturbed = false;
	__real_virtqueue_return(queue, chain, written_bytes);
	check_entry(&before, queue, chain->id, written_bytes);
	check_index(queue);
}

size_t __wrap_virtqueue_read(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, void *out,
			     size_t len_bytes, bool *fault)
{
	size_t done;

	moving = find(queue, chain);
	moving_in = false;
	done = __real_virtqueue_read(queue, chain, offset, out, len_bytes, fault);
	moving = NULL;
	demand(done <= len_bytes);
	return done;
}

size_t __wrap_virtqueue_write(const struct virtqueue *queue, const struct virtqueue_chain *chain, size_t offset, const void *bytes,
			      size_t len_bytes, bool *fault)
{
	size_t done;

	moving = find(queue, chain);
	moving_in = true;
	done = __real_virtqueue_write(queue, chain, offset, bytes, len_bytes, fault);
	moving = NULL;
	demand(done <= len_bytes);
	return done;
}
