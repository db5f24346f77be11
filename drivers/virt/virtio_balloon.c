/* Pages given up are bits, so that a guest may name one as often as it likes; a piece leaves when all its bits are set. */
#include "drivers/virt/virtio_balloon.h"

#include "lib/base/string.h"

#define CLASS_OTHERS     0xff0000U /* PCI's class of devices that fit no other */
#define CONFIG_ACTUAL    4U
#define PIECE_PAGES      (VIRTIO_BALLOON_PIECE_BYTES / VIRTIO_BALLOON_PAGE_BYTES)
#define PIECE_WORDS      (PIECE_PAGES / 64)
#define NUMBERS_AT_ONCE  128U
#define NOT_KNOWN        UINT64_MAX

struct stat {
	uint16_t tag;
	uint64_t value;
} __attribute__((packed));

_Static_assert(sizeof(struct stat) == 10, "statistics layout");

static bool piece_is_given(const struct virtio_balloon *balloon, uint64_t page)
{
	const uint64_t *words = &balloon->given[page / PIECE_PAGES * PIECE_WORDS];
	uint64_t all = UINT64_MAX;

	for (unsigned i = 0; i < PIECE_WORDS; i++)
		all &= words[i];
	return all == UINT64_MAX;
}

/* False: no piece may leave in this turn any more. */
static bool leave(struct virtio_balloon *balloon, uint64_t address)
{
	if (balloon->pieces_left == 0)
		return false;
	balloon->pieces_left--;
	balloon->wires.discard(balloon->wires.ctx, address);
	return true;
}

/* False: not now, but in the next turn. */
static bool inflate(struct virtio_balloon *balloon, uint64_t page)
{
	uint64_t *word = &balloon->given[page / 64], bit = 1ULL << page % 64;

	if ((*word & bit) != 0)
		return true;
	*word |= bit;
	if (!piece_is_given(balloon, page) || leave(balloon, page / PIECE_PAGES * VIRTIO_BALLOON_PIECE_BYTES))
		return true;
	*word &= ~bit;
	return false;
}

static bool deflate(struct virtio_balloon *balloon, uint64_t page)
{
	balloon->given[page / 64] &= ~(1ULL << page % 64);
	return true;
}

/* The chain holds page numbers, 32 bits each; *done of them have been taken. False: the rest is for the next turn. */
static bool take_pages(struct virtio_balloon *balloon, const struct virtqueue *queue, uint64_t *done,
		       bool (*take)(struct virtio_balloon *balloon, uint64_t page))
{
	uint32_t numbers[NUMBERS_AT_ONCE];
	size_t bytes = sizeof(numbers);

	while (bytes == sizeof(numbers) && *done < VIRTIO_BALLOON_CHAIN_PAGES) {
		bytes = virtqueue_read(queue, &balloon->chain, *done * sizeof(numbers[0]), numbers, sizeof(numbers), NULL);
		for (size_t i = 0; i < bytes / sizeof(numbers[0]); i++, ++*done) {
			if (numbers[i] < balloon->page_count && !take(balloon, numbers[i]))
				return false;
		}
	}
	return true;
}

/* The whole pieces of what the driver says it does not use: it gets the chain back when they are gone, and not before. It says so
 * only once, so that none is left out. *done, false: as above, of pieces. */
static bool take_report(struct virtio_balloon *balloon, uint64_t *done)
{
	const struct virtqueue_chain *chain = &balloon->chain;
	uint64_t before = 0; /* pieces of the segments before this one */

	for (unsigned i = 0; i < chain->writable_count; i++) {
		const struct virtqueue_segment *segment = &chain->segments[chain->readable_count + i];
		uint64_t skipped = -segment->address % VIRTIO_BALLOON_PIECE_BYTES;
		uint64_t left = segment->len_bytes > skipped ? segment->len_bytes - skipped : 0;
		uint64_t end = before + left / VIRTIO_BALLOON_PIECE_BYTES;

		if (segment->address > UINT64_MAX - segment->len_bytes)
			continue;
		for (; *done < end; ++*done) {
			uint64_t address = segment->address + skipped + (*done - before) * VIRTIO_BALLOON_PIECE_BYTES;

			if (!leave(balloon, address))
				return false;
		}
		before = end;
	}
	return true;
}

static void tell(struct virtio_balloon *balloon)
{
	balloon->wires.told(balloon->wires.ctx, balloon->state.actual_pages, balloon->state.stats[VIRTIO_BALLOON_STAT_FREE]);
}

/* The driver's buffer is kept in its queue: when it comes back, the driver fills it anew. */
static void serve_statistics(struct virtio_balloon *balloon)
{
	struct virtqueue *queue = &balloon->transport->queues[VIRTIO_BALLOON_STATISTICS];
	struct stat stats[2 * VIRTIO_BALLOON_STATS];
	size_t bytes;

	if (virtqueue_take(queue, &balloon->chain) != OK)
		return;
	bytes = virtqueue_read(queue, &balloon->chain, 0, stats, sizeof(stats), NULL);
	virtqueue_untake(queue, &balloon->chain, 1);
	for (size_t i = 0; i < bytes / sizeof(stats[0]); i++) {
		if (stats[i].tag < VIRTIO_BALLOON_STATS)
			balloon->state.stats[stats[i].tag] = stats[i].value;
	}
	tell(balloon);
}

static void ask_for_statistics(struct virtio_balloon *balloon)
{
	struct virtqueue *queue = &balloon->transport->queues[VIRTIO_BALLOON_STATISTICS];

	if (!virtio_has_feature(balloon->transport, VIRTIO_BALLOON_F_STATS_VQ) || virtqueue_take(queue, &balloon->chain) != OK)
		return;
	virtqueue_return(queue, &balloon->chain, 0);
	/* Seen empty, the queue is notified of the buffer that comes back. */
	if (virtqueue_take(queue, &balloon->chain) == OK)
		virtqueue_untake(queue, &balloon->chain, 1);
	virtio_interrupt_queue(balloon->transport, VIRTIO_BALLOON_STATISTICS);
}

static bool serve_chain(struct virtio_balloon *balloon, unsigned index)
{
	const struct virtqueue *queue = &balloon->transport->queues[index];
	uint64_t *done = &balloon->done[index];

	if (index == VIRTIO_BALLOON_INFLATE)
		return take_pages(balloon, queue, done, inflate);
	if (index == VIRTIO_BALLOON_DEFLATE)
		return take_pages(balloon, queue, done, deflate);
	return !virtio_has_feature(balloon->transport, VIRTIO_BALLOON_F_PAGE_REPORTING) || take_report(balloon, done);
}

/* A chain that is not done with stays the next one of its queue. */
static bool serve(void *model, unsigned index)
{
	struct virtio_balloon *balloon = model;
	struct virtqueue *queue = &balloon->transport->queues[index];
	unsigned served = 0;
	bool is_done = true;

	if (index == VIRTIO_BALLOON_STATISTICS && virtio_has_feature(balloon->transport, VIRTIO_BALLOON_F_STATS_VQ)) {
		serve_statistics(balloon);
		return false;
	}
	balloon->pieces_left = VIRTIO_BALLOON_TURN_PIECES;
	while (is_done && served < VIRTIO_BALLOON_TURN_CHAINS && virtqueue_take(queue, &balloon->chain) == OK) {
		is_done = serve_chain(balloon, index);
		if (!is_done) {
			virtqueue_untake(queue, &balloon->chain, 1);
			break;
		}
		balloon->done[index] = 0;
		virtqueue_return(queue, &balloon->chain, 0);
		served++;
	}
	virtio_interrupt_queue(balloon->transport, index);
	return !is_done || served == VIRTIO_BALLOON_TURN_CHAINS;
}

static bool serve_backend(void *model)
{
	struct virtio_balloon *balloon = model;
	uint32_t target_pages = balloon->wires.target_pages(balloon->wires.ctx);

	if (target_pages != balloon->state.target_pages) {
		balloon->state.target_pages = target_pages;
		virtio_config_changed(balloon->transport);
	}
	ask_for_statistics(balloon);
	return false;
}

static uint64_t read_config(void *model, unsigned offset, unsigned width)
{
	const struct virtio_balloon *balloon = model;
	const uint32_t config[] = {balloon->state.target_pages, balloon->state.actual_pages};
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)config + offset, width);
	return value;
}

static void write_config(void *model, unsigned offset, unsigned width, uint64_t value)
{
	struct virtio_balloon *balloon = model;

	if (offset != CONFIG_ACTUAL || width != sizeof(balloon->state.actual_pages))
		return;
	balloon->state.actual_pages = (uint32_t)value;
	tell(balloon);
}

/* A driver that begins anew has all its pages. */
static void reset(void *model)
{
	struct virtio_balloon *balloon = model;

	balloon->state.actual_pages = 0;
	balloon->state.target_pages = balloon->wires.target_pages(balloon->wires.ctx);
	memset(balloon->given, 0, balloon->page_count / 8);
	memset(balloon->done, 0, sizeof(balloon->done));
	for (unsigned i = 0; i < VIRTIO_BALLOON_STATS; i++)
		balloon->state.stats[i] = NOT_KNOWN;
	tell(balloon);
}

const struct virtio_ops virtio_balloon_ops = {
	.name = "virtio-balloon",
	.device_id = VIRTIO_ID_BALLOON,
	.class_code = CLASS_OTHERS,
	.serve = serve,
	.serve_backend = serve_backend,
	.read_config = read_config,
	.write_config = write_config,
	.reset = reset,
};
