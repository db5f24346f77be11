/* A virtio device that gives each chain back with a byte, on the rings of tests/fake/ring_memory.h, and what it told its machine.
 */
#pragma once
#include "drivers/virt/pci_config.h"
#include "drivers/virt/pci_decode.h"
#include "drivers/virt/virtio_registers.h"
#include "tests/fake/ring_memory.h"
#include "tests/unit/unit.h"

#define TOY_QUEUES       3U
#define TOY_SIZE         8U
#define TOY_CONFIG_BYTES 6U
#define TOY_FEATURE      VIRTIO_FEATURE(5)
#define TOY_MODERN       VIRTIO_FEATURE(VIRTIO_F_VERSION_1)

static struct virtio toy;
static struct virtqueue_chain toy_chain;
static struct {
	uint8_t config[TOY_CONFIG_BYTES];
	unsigned serves, starts, resets, backends, messages;
	uint32_t message; /* data of the last one */
	uint64_t notified; /* a bit for each queue */
	uint64_t started_features;
	bool pin;
	bool is_idle;    /* serve() takes nothing */
	bool comes_late; /* a chain is offered after the last was taken */
} told;

static bool toy_serve(void *model, unsigned queue)
{
	struct virtqueue *served = &toy.queues[queue];

	assert_ptr_equal(model, &told);
	told.serves++;
	while (!told.is_idle && virtqueue_take(served, &toy_chain) == OK)
		virtqueue_return(served, &toy_chain, 1);
	if (told.comes_late)
		ring_offer(0, &(struct ring_buffer){RING_DATA, 4, RING_F_WRITE}, 1);
	told.comes_late = false;
	virtio_interrupt_queue(&toy, queue);
	return false;
}

static bool toy_backend(void *model)
{
	assert_ptr_equal(model, &told);
	told.backends++;
	return false;
}

static uint64_t toy_read_config(void *model, unsigned offset, unsigned width)
{
	uint64_t value = 0;

	assert_ptr_equal(model, &told);
	assert_true(offset + width <= TOY_CONFIG_BYTES);
	memcpy(&value, told.config + offset, width);
	return value;
}

static void toy_write_config(void *model, unsigned offset, unsigned width, uint64_t value)
{
	assert_ptr_equal(model, &told);
	assert_true(offset + width <= TOY_CONFIG_BYTES);
	memcpy(told.config + offset, &value, width);
}

static void toy_start(void *model, uint64_t features)
{
	assert_ptr_equal(model, &told);
	told.starts++;
	told.started_features = features;
}

static void toy_reset(void *model)
{
	assert_ptr_equal(model, &told);
	told.resets++;
}

static const struct virtio_ops toy_ops = {
	.name = "toy",
	.device_id = 4,
	.class_code = 0xff0000,
	.serve = toy_serve,
	.serve_backend = toy_backend,
	.read_config = toy_read_config,
	.write_config = toy_write_config,
	.start = toy_start,
	.reset = toy_reset,
};

static void toy_send(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	told.messages++;
	told.message = data;
}

static void toy_pin(void *ctx, bool level)
{
	(void)ctx;
	told.pin = level;
}

static void toy_notify(void *ctx, unsigned queue)
{
	(void)ctx;
	told.notified |= 1ULL << queue;
}

static int toy_setup(void **state)
{
	const struct virtio_config config = {
		.ops = &toy_ops,
		.model = &told,
		.features = TOY_FEATURE,
		.queue_count = TOY_QUEUES,
		.queue_size_max = TOY_SIZE,
		.config_bytes = TOY_CONFIG_BYTES,
	};
	struct virtio_wires wires = {.pci = {.send = toy_send, .pin = {.set = toy_pin}}, .notify = toy_notify};

	(void)state;
	memset(&told, 0, sizeof(told));
	ring_start(TOY_SIZE, 0);
	wires.memory = ring.memory;
	assert_int_equal(virtio_init(&toy, &config, &wires), OK);
	told.resets = 0;
	return 0;
}

static inline uint32_t toy_get(unsigned offset, unsigned width)
{
	return (uint32_t)virtio_register_ops.read(&toy, offset, width, 0);
}

static inline void toy_put(unsigned offset, unsigned width, uint32_t value)
{
	virtio_register_ops.write(&toy, offset, width, value, 0);
}

static inline uint32_t toy_status(void)
{
	return toy_get(VIRTIO_COMMON_DEVICE_STATUS, 1);
}

static inline void toy_put_status(uint8_t status)
{
	toy_put(VIRTIO_COMMON_DEVICE_STATUS, 1, status);
}

/* Up to FEATURES_OK, which need not have been accepted. */
static inline void toy_negotiate(uint64_t features)
{
	toy_put_status(0);
	toy_put_status(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	for (uint32_t half = 0; half < 2; half++) {
		toy_put(VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 4, half);
		toy_put(VIRTIO_COMMON_DRIVER_FEATURE, 4, (uint32_t)(features >> half * 32));
	}
	toy_put_status(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK);
}

static inline void toy_enable(uint16_t queue, uint64_t descriptor_area)
{
	toy_put(VIRTIO_COMMON_QUEUE_SELECT, 2, queue);
	toy_put(VIRTIO_COMMON_QUEUE_DESC, 4, (uint32_t)descriptor_area);
	toy_put(VIRTIO_COMMON_QUEUE_DESC + 4, 4, (uint32_t)(descriptor_area >> 32));
	toy_put(VIRTIO_COMMON_QUEUE_DRIVER, 4, RING_DRIVER);
	toy_put(VIRTIO_COMMON_QUEUE_DEVICE, 4, RING_DEVICE);
	toy_put(VIRTIO_COMMON_QUEUE_ENABLE, 2, 1);
}

#define TOY_DRIVER_OK \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_FEATURES_OK | VIRTIO_STATUS_DRIVER_OK)

/* A working device with queue 1 on the rings. */
static inline void toy_run(uint64_t features)
{
	toy_negotiate(features | TOY_MODERN);
	toy_enable(1, RING_DESC);
	toy_put_status(TOY_DRIVER_OK);
}

static inline uint32_t toy_config_get(unsigned reg, unsigned width)
{
	return pci_function_ops.read(&toy.function, reg, width);
}

static inline void toy_config_put(unsigned reg, unsigned width, uint32_t value)
{
	pci_function_ops.write(&toy.function, reg, width, value);
}

/* The nth vendor capability of this cfg_type; 0: there is none. */
static inline unsigned toy_capability(uint8_t type, unsigned nth)
{
	unsigned at = toy_config_get(PCI_CONFIG_CAPABILITIES, 1);

	for (; at != 0; at = toy_config_get(at + 1, 1)) {
		if (toy_config_get(at, 1) == PCI_CAPABILITY_VENDOR && toy_config_get(at + 3, 1) == type && nth-- == 0)
			return at;
	}
	return 0;
}
