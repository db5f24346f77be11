/* A whole virtio device under accesses that the input dictates: registers, configuration space, notifications, and rings that it
 * writes, with a device type that answers each chain. Checked besides the sanitizers: a turn is bounded, the device works only
 * after DRIVER_OK and not once it asked for its reset, and its configuration is never left. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/virt/virtio_registers.h"

#define MEMORY_BYTES 0x2000U
#define STEP_BYTES   8U
#define STEPS_MAX    2048
#define QUEUES       3U
#define CONFIG_BYTES 10U
#define ACCESSES_MAX 0x20000U /* of a turn: 64 chains of 256 segments, each read and written by pieces */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[MEMORY_BYTES];
static unsigned accesses;
static struct virtio device;
static struct virtqueue_chain chain;
static uint64_t notified;

static void check(int holds)
{
	if (!holds)
		abort();
}

static enum status load(void *ctx, uint64_t address, void *out, size_t len_bytes)
{
	(void)ctx;
	accesses++;
	if (address > MEMORY_BYTES || len_bytes > MEMORY_BYTES - address)
		return ERR_OUT_OF_RANGE;
	memcpy(out, memory + address, len_bytes);
	return OK;
}

static enum status store(void *ctx, uint64_t address, const void *bytes, size_t len_bytes)
{
	(void)ctx;
	accesses++;
	if (address > MEMORY_BYTES || len_bytes > MEMORY_BYTES - address)
		return ERR_OUT_OF_RANGE;
	memcpy(memory + address, bytes, len_bytes);
	return OK;
}

static bool serve(void *model, unsigned index)
{
	struct virtqueue *queue = &device.queues[index];
	uint8_t bytes[32] = {0};
	unsigned served = 0;

	(void)model;
	check(virtio_is_running(&device) && index < QUEUES);
	while (served < VIRTIO_SERVE_CHAINS && virtqueue_take(queue, &chain) == OK) {
		(void)virtqueue_read(queue, &chain, 0, bytes, sizeof(bytes), NULL);
		virtqueue_return(queue, &chain, (uint32_t)virtqueue_write(queue, &chain, 0, bytes, sizeof(bytes), NULL));
		served++;
	}
	virtio_interrupt_queue(&device, index);
	return served == VIRTIO_SERVE_CHAINS;
}

static uint64_t read_config(void *model, unsigned offset, unsigned width)
{
	(void)model;
	check(offset + width <= CONFIG_BYTES);
	return offset;
}

static void write_config(void *model, unsigned offset, unsigned width, uint64_t value)
{
	(void)model;
	(void)value;
	check(offset + width <= CONFIG_BYTES);
	if (value == 0xff)
		virtio_config_changed(&device);
}

static const struct virtio_ops ops = {
	.name = "fuzz", .device_id = 4, .serve = serve, .read_config = read_config, .write_config = write_config};

static void notify(void *ctx, unsigned queue)
{
	(void)ctx;
	check(queue < QUEUES);
	notified |= 1ULL << queue;
}

static void send(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	(void)data;
}

static void set_pin(void *ctx, bool level)
{
	(void)ctx;
	(void)level;
}

static uint32_t word(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* What a driver does at first, so that inputs get further: it settles features and enables a queue in good places. */
static void bring_up(const uint8_t *input)
{
	static const uint8_t steps[] = {0, 1, 3};

	for (unsigned i = 0; i < sizeof(steps); i++)
		virtio_register_ops.write(&device, VIRTIO_COMMON_DEVICE_STATUS, 1, steps[i], 0);
	device.state.driver_features =
		VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | (uint64_t)(input[1] & 3) << VIRTIO_F_INDIRECT_DESC |
		((input[1] & 4) != 0 ? VIRTIO_FEATURE(VIRTIO_F_RING_PACKED) : 0);
	virtio_register_ops.write(&device, VIRTIO_COMMON_DEVICE_STATUS, 1, 11, 0);
	virtio_register_ops.write(&device, VIRTIO_COMMON_QUEUE_SELECT, 2, input[2] % QUEUES, 0);
	virtio_register_ops.write(&device, VIRTIO_COMMON_QUEUE_SIZE, 2, 8, 0);
	virtio_register_ops.write(&device, VIRTIO_COMMON_QUEUE_DESC, 4, 0x100, 0);
	virtio_register_ops.write(&device, VIRTIO_COMMON_QUEUE_DRIVER, 4, 0x300, 0);
	virtio_register_ops.write(&device, VIRTIO_COMMON_QUEUE_DEVICE, 4, 0x400, 0);
	virtio_register_ops.write(&device, VIRTIO_COMMON_QUEUE_ENABLE, 2, 1, 0);
	virtio_register_ops.write(&device, VIRTIO_COMMON_DEVICE_STATUS, 1, 15, 0);
}

static void serve_notified(void)
{
	for (unsigned queue = 0; queue < QUEUES; queue++) {
		accesses = 0;
		if ((notified >> queue & 1) != 0)
			(void)virtio_serve(&device, queue);
		check(accesses <= ACCESSES_MAX);
	}
	notified = 0;
	check(!virtio_serve_backend(&device));
}

static void step(const uint8_t *input)
{
	uint64_t offset = (uint64_t)(input[1] & 3) << 12 | (input[2] & 0x3f);
	unsigned width = 1U << input[3] % 3;
	unsigned reg = input[1] & ~(width - 1);

	switch (input[0] & 7) {
	case 0:
		bring_up(input);
		break;
	case 1:
		(void)virtio_register_ops.read(&device, offset, width, 0);
		break;
	case 2:
		virtio_register_ops.write(&device, offset, width, word(input + 4), 0);
		break;
	case 3:
		(void)pci_function_ops.read(&device.function, reg, width);
		break;
	case 4:
		pci_function_ops.write(&device.function, reg, width, word(input + 4));
		break;
	case 5:
		virtio_notify_ops.write(&device, input[1], width, word(input + 4), 0);
		serve_notified();
		break;
	default: /* most of the input: the rings */
		memcpy(memory + (input[1] | (input[2] & 7U) << 8), input + 4, 1U << (input[3] & 1));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct virtio_config config = {
		.ops = &ops, .queue_count = QUEUES, .queue_size_max = 64, .config_bytes = CONFIG_BYTES};
	const struct virtio_wires wires = {
		.pci = {.send = send, .pin = {.set = set_pin}}, .memory = {.read = load, .write = store}, .notify = notify};

	memset(memory, 0, sizeof(memory));
	notified = 0;
	check(virtio_init(&device, &config, &wires) == OK);
	for (unsigned i = 0; i < STEPS_MAX && size >= STEP_BYTES; i++, data += STEP_BYTES, size -= STEP_BYTES)
		step(data);
	return 0;
}
