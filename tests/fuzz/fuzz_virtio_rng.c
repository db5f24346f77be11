/* The entropy device under a hostile guest (tests/fake/hostile_guest.h), with a source that runs dry. */
#include "drivers/virt/virtio_rng.h"
#include "tests/fake/hostile_guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio_rng rng;
static size_t left_bytes;

static size_t take(void *ctx, void *out, size_t len_bytes)
{
	size_t count = len_bytes < left_bytes ? len_bytes : left_bytes;

	(void)ctx;
	hostile_under_lock();
	memset(out, 0xa5, count);
	left_bytes -= count;
	return count;
}

static struct virtio_config create(struct virtio *transport, struct fuzz_input *input)
{
	left_bytes = fuzz_u16(input) * 16U;
	rng = (struct virtio_rng){.wires = {.take = take}, .transport = transport};
	return VIRTIO_RNG_CONFIG(&rng);
}

static const struct hostile_type type = {
	.create = create,
	.takes_max = VIRTIO_RNG_TURN_BUFFERS,
	.moved_bytes_max = 0x20000,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostile_guest_run(&type, data, size);
	return 0;
}
