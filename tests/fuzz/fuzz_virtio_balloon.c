/* The balloon under a hostile guest (tests/fake/hostile_guest.h). Checked besides: what is discarded is whole pieces, each of which
 * the guest has given away page by page or reported, and a turn discards a bounded number. */
#include "drivers/virt/virtio_balloon.h"
#include "tests/fake/hostile_guest.h"
#include "tests/fake/queue_judge.h"

#define PIECES     4U
#define PAGES      (PIECES * 512U)
#define DISCARDS_MAX (4 * VIRTIO_BALLOON_QUEUE_COUNT * VIRTIO_BALLOON_TURN_PIECES) /* of a step: rounds of turns of each queue */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio_balloon balloon;
static uint64_t given[PAGES / 64];
static uint32_t target_pages, told_pages;
static unsigned discards;

static void discard(void *ctx, uint64_t address)
{
	(void)ctx;
	hostile_under_lock();
	demand(address % VIRTIO_BALLOON_PIECE_BYTES == 0);
	discards++;
}

static uint32_t get_target(void *ctx)
{
	(void)ctx;
	hostile_under_lock();
	return target_pages;
}

static void told(void *ctx, uint32_t pages, uint64_t free_bytes)
{
	(void)ctx;
	(void)free_bytes;
	hostile_under_lock();
	told_pages = pages;
}

static struct virtio_config create(struct virtio *transport, struct fuzz_input *input)
{
	target_pages = fuzz_u16(input);
	balloon = (struct virtio_balloon){
		.wires = {discard, get_target, told, NULL}, .transport = transport, .given = given, .page_count = PAGES};
	discards = 0;
	return VIRTIO_BALLOON_CONFIG(&balloon);
}

/* Also: as if it had given away all pages but one, so that inputs get to whole pieces. */
static void happens(struct fuzz_input *input)
{
	target_pages = fuzz_u16(input);
	if ((target_pages & 1) == 0)
		return;
	memset(given, 0xff, sizeof(given));
	given[target_pages / 64 % (PAGES / 64)] &= ~(1ULL << target_pages % 64);
}

/* Page numbers in a row, or statistics. */
static size_t message(struct fuzz_input *input, uint8_t *out)
{
	uint32_t first = fuzz_u16(input) % (PAGES + 64);
	unsigned count = fuzz_u8(input) % 33;

	for (unsigned i = 0; i < count && i * 4 < HOSTILE_MESSAGE_BYTES; i++) {
		uint32_t page = first + i;

		memcpy(out + i * 4, &page, sizeof(page));
	}
	return count * 4;
}

static void check(void)
{
	demand(discards <= DISCARDS_MAX && told_pages == balloon.state.actual_pages);
	discards = 0;
}

static const struct hostile_type type = {
	.create = create,
	.happens = happens,
	.message = message,
	.check = check,
	.takes_max = VIRTIO_BALLOON_TURN_CHAINS + 1,
	.moved_bytes_max = VIRTIO_BALLOON_TURN_CHAINS * (VIRTIO_BALLOON_CHAIN_PAGES * 4ULL + 0x1000),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostile_guest_run(&type, data, size);
	return 0;
}
