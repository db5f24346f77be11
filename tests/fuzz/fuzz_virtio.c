/* The virtio transport under a hostile guest (tests/fake/hostile_guest.h): a type of device that answers each chain. Checked
 * besides: the type is called only while the device runs, and its configuration is never left. */
#include "tests/fake/hostile_guest.h"
#include "tests/fake/queue_judge.h"

#define QUEUES       3U
#define CONFIG_BYTES 10U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio *device;
static struct virtqueue_chain chain;
static bool has_started;

static bool serve(void *model, unsigned index)
{
	struct virtqueue *queue = &device->queues[index];
	uint8_t bytes[32] = {0};
	unsigned served = 0;

	(void)model;
	demand(has_started && virtio_is_running(device) && index < QUEUES);
	while (served < VIRTIO_SERVE_CHAINS && virtqueue_take(queue, &chain) == OK) {
		(void)virtqueue_read(queue, &chain, 0, bytes, sizeof(bytes), NULL);
		virtqueue_return(queue, &chain, (uint32_t)virtqueue_write(queue, &chain, 0, bytes, sizeof(bytes), NULL));
		served++;
	}
	virtio_interrupt_queue(device, index);
	return served == VIRTIO_SERVE_CHAINS;
}

static uint64_t read_config(void *model, unsigned offset, unsigned width)
{
	(void)model;
	hostile_under_lock();
	demand(offset + width <= CONFIG_BYTES);
	return offset;
}

static void write_config(void *model, unsigned offset, unsigned width, uint64_t value)
{
	(void)model;
	hostile_under_lock();
	demand(offset + width <= CONFIG_BYTES);
	if (value % 4 == 3)
		virtio_config_changed(device);
	if (value % 64 == 62)
		virtio_fail(device);
}

static void start(void *model, uint64_t features)
{
	(void)model;
	hostile_under_lock();
	demand(!has_started && virtio_is_running(device) && features == device->state.driver_features);
	has_started = true;
}

static void reset(void *model)
{
	(void)model;
	hostile_under_lock();
	has_started = false;
}

static const struct virtio_ops ops = {
	.name = "fuzz",
	.device_id = 4,
	.serve = serve,
	.read_config = read_config,
	.write_config = write_config,
	.start = start,
	.reset = reset,
};

static struct virtio_config create(struct virtio *transport, struct fuzz_input *input)
{
	(void)input;
	device = transport;
	has_started = false;
	return (struct virtio_config){.ops = &ops, .queue_count = QUEUES, .queue_size_max = 64, .config_bytes = CONFIG_BYTES};
}

static void check(void)
{
	demand(has_started || !virtio_is_running(device));
}

static const struct hostile_type type = {
	.create = create,
	.check = check,
	.takes_max = VIRTIO_SERVE_CHAINS + 1,
	.moved_bytes_max = 0x80000,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostile_guest_run(&type, data, size);
	return 0;
}
