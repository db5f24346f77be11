/* The registers of virtio's PCI transport: the common configuration as a table, and what its other structures do. */
#include "drivers/virt/virtio_registers.h"

#include <stddef.h>

#define WIDTH_MAX 4U

static struct virtqueue *selected(struct virtio *device)
{
	unsigned queue = device->state.queue_select;

	return queue < device->config.queue_count ? &device->queues[queue] : NULL;
}

/* Registers of a queue that works do not change until it is reset. */
static struct virtqueue *settable(struct virtio *device)
{
	struct virtqueue *queue = selected(device);

	return queue == NULL || queue->state.ready || queue->state.broken ? NULL : queue;
}

/* Of the 64 features, the half that was selected. */
static uint32_t feature_half(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> select * 32) : 0;
}

static uint32_t read_device_feature(struct virtio *device)
{
	return feature_half(virtio_offered_features(device), device->state.feature_select);
}

static uint32_t read_driver_feature(struct virtio *device)
{
	return feature_half(device->state.driver_features, device->state.driver_feature_select);
}

/* Of bits from 64 on none is offered; one that is set there makes the choice bad as another would: it is kept as no VERSION_1. */
static void write_driver_feature(struct virtio *device, uint32_t value)
{
	uint32_t select = device->state.driver_feature_select;

	if ((device->state.status & VIRTIO_STATUS_FEATURES_OK) != 0)
		return;
	if (select < 2)
		device->state.driver_features =
			(device->state.driver_features & ~(0xffffffffULL << select * 32)) | (uint64_t)value << select * 32;
	else if (value != 0)
		device->state.driver_features &= ~VIRTIO_FEATURE(VIRTIO_F_VERSION_1);
}

/* A vector that the device has not is none. */
static uint16_t checked_vector(const struct virtio *device, uint32_t value)
{
	return value < device->function.identity.vector_count ? (uint16_t)value : PCI_VECTOR_NONE;
}

static uint32_t read_queue_vector(struct virtio *device)
{
	return selected(device) == NULL ? PCI_VECTOR_NONE : device->state.queue_vectors[device->state.queue_select];
}

static void write_queue_vector(struct virtio *device, uint32_t value)
{
	if (selected(device) != NULL)
		device->state.queue_vectors[device->state.queue_select] = checked_vector(device, value);
}

static uint32_t read_queue_size(struct virtio *device)
{
	return selected(device) == NULL ? 0 : selected(device)->state.size;
}

/* One that is no good is found when the queue is enabled, but for what the queue has no room for. */
static void write_queue_size(struct virtio *device, uint32_t value)
{
	if (settable(device) != NULL && value <= device->config.queue_size_max)
		settable(device)->state.size = (uint16_t)value;
}

static uint32_t read_queue_enable(struct virtio *device)
{
	return selected(device) != NULL && selected(device)->state.ready;
}

static void write_queue_enable(struct virtio *device, uint32_t value)
{
	if (value == 1 && settable(device) != NULL)
		virtio_enable_queue(device, device->state.queue_select);
}

static uint32_t read_notify_off(struct virtio *device)
{
	return selected(device) == NULL ? 0 : device->state.queue_select;
}

static uint32_t read_num_queues(struct virtio *device)
{
	return device->config.queue_count;
}

static uint32_t read_status(struct virtio *device)
{
	return device->state.status;
}

static void write_status(struct virtio *device, uint32_t value)
{
	virtio_set_status(device, (uint8_t)value);
}

static uint32_t read_generation(struct virtio *device)
{
	return device->state.config_generation;
}

static uint32_t read_config_vector(struct virtio *device)
{
	return device->state.config_vector;
}

static void write_config_vector(struct virtio *device, uint32_t value)
{
	device->state.config_vector = checked_vector(device, value);
}

static uint32_t read_feature_select(struct virtio *device)
{
	return device->state.feature_select;
}

static void write_feature_select(struct virtio *device, uint32_t value)
{
	device->state.feature_select = value;
}

static uint32_t read_driver_feature_select(struct virtio *device)
{
	return device->state.driver_feature_select;
}

static void write_driver_feature_select(struct virtio *device, uint32_t value)
{
	device->state.driver_feature_select = value;
}

static uint32_t read_queue_select(struct virtio *device)
{
	return device->state.queue_select;
}

static void write_queue_select(struct virtio *device, uint32_t value)
{
	device->state.queue_select = (uint16_t)value;
}

/* "For 64-bit fields, the driver MUST use 32-bit accesses": each half is a register. */
#define AREA_HALF(name, area, shift)                                                                                          \
	static uint32_t read_##name(struct virtio *device)                                                                    \
	{                                                                                                                     \
		return selected(device) == NULL ? 0 : (uint32_t)(selected(device)->state.area >> (shift));                    \
	}                                                                                                                     \
                                                                                                                              \
	static void write_##name(struct virtio *device, uint32_t value)                                                       \
	{                                                                                                                     \
		struct virtqueue *queue = settable(device);                                                                   \
                                                                                                                              \
		if (queue != NULL)                                                                                            \
			queue->state.area = (queue->state.area & ~(0xffffffffULL << (shift))) | (uint64_t)value << (shift);   \
	}

AREA_HALF(desc_low, descriptor_area, 0)
AREA_HALF(desc_high, descriptor_area, 32)
AREA_HALF(driver_low, driver_area, 0)
AREA_HALF(driver_high, driver_area, 32)
AREA_HALF(device_low, device_area, 0)
AREA_HALF(device_high, device_area, 32)

/* In the order of "Common configuration structure layout". write NULL: read-only. */
static const struct common_register {
	uint8_t offset, width;
	uint32_t (*read)(struct virtio *device);
	void (*write)(struct virtio *device, uint32_t value);
} common_registers[] = {
	{VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 4, read_feature_select, write_feature_select},
	{VIRTIO_COMMON_DEVICE_FEATURE, 4, read_device_feature, NULL},
	{VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 4, read_driver_feature_select, write_driver_feature_select},
	{VIRTIO_COMMON_DRIVER_FEATURE, 4, read_driver_feature, write_driver_feature},
	{VIRTIO_COMMON_CONFIG_MSIX_VECTOR, 2, read_config_vector, write_config_vector},
	{VIRTIO_COMMON_NUM_QUEUES, 2, read_num_queues, NULL},
	{VIRTIO_COMMON_DEVICE_STATUS, 1, read_status, write_status},
	{VIRTIO_COMMON_CONFIG_GENERATION, 1, read_generation, NULL},
	{VIRTIO_COMMON_QUEUE_SELECT, 2, read_queue_select, write_queue_select},
	{VIRTIO_COMMON_QUEUE_SIZE, 2, read_queue_size, write_queue_size},
	{VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2, read_queue_vector, write_queue_vector},
	{VIRTIO_COMMON_QUEUE_ENABLE, 2, read_queue_enable, write_queue_enable},
	{VIRTIO_COMMON_QUEUE_NOTIFY_OFF, 2, read_notify_off, NULL},
	{VIRTIO_COMMON_QUEUE_DESC, 4, read_desc_low, write_desc_low},
	{VIRTIO_COMMON_QUEUE_DESC + 4, 4, read_desc_high, write_desc_high},
	{VIRTIO_COMMON_QUEUE_DRIVER, 4, read_driver_low, write_driver_low},
	{VIRTIO_COMMON_QUEUE_DRIVER + 4, 4, read_driver_high, write_driver_high},
	{VIRTIO_COMMON_QUEUE_DEVICE, 4, read_device_low, write_device_low},
	{VIRTIO_COMMON_QUEUE_DEVICE + 4, 4, read_device_high, write_device_high},
};

/* NULL: no register begins there, or it has another width. */
static const struct common_register *find_common(uint64_t offset, unsigned width)
{
	for (size_t i = 0; i < sizeof(common_registers) / sizeof(common_registers[0]); i++) {
		if (common_registers[i].offset == offset && common_registers[i].width == width)
			return &common_registers[i];
	}
	return NULL;
}

static bool is_in_config(const struct virtio *device, uint64_t offset, unsigned width)
{
	uint64_t at = offset - VIRTIO_CONFIG_BASE;

	return offset >= VIRTIO_CONFIG_BASE && at < device->config.config_bytes && width <= device->config.config_bytes - at;
}

static uint64_t register_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	struct virtio *device = dev;
	const struct common_register *common = find_common(offset, width);

	(void)now_ns;
	if (common != NULL)
		return common->read(device);
	if (offset == VIRTIO_ISR_BASE)
		return virtio_take_isr(device);
	if (is_in_config(device, offset, width) && device->config.ops->read_config != NULL)
		return device->config.ops->read_config(device->config.model, (unsigned)(offset - VIRTIO_CONFIG_BASE), width);
	return 0;
}

/* Any width, any value: where it is written says which queue. */
static void notify(struct virtio *device, uint64_t offset)
{
	uint64_t queue = offset / VIRTIO_NOTIFY_STEP_BYTES;

	if (offset % VIRTIO_NOTIFY_STEP_BYTES == 0 && queue < device->config.queue_count && virtio_is_running(device))
		device->wires.notify(device->wires.ctx, (unsigned)queue);
}

static void register_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct virtio *device = dev;
	const struct common_register *common = find_common(offset, width);

	(void)now_ns;
	if (common != NULL && common->write != NULL)
		common->write(device, (uint32_t)value);
	else if (offset >= VIRTIO_NOTIFY_BASE)
		notify(device, offset - VIRTIO_NOTIFY_BASE);
	else if (is_in_config(device, offset, width) && device->config.ops->write_config != NULL)
		device->config.ops->write_config(device->config.model, (unsigned)(offset - VIRTIO_CONFIG_BASE), width, value);
}

const struct device_ops virtio_register_ops = {
	.name = "virtio",
	.width_max = WIDTH_MAX,
	.read = register_read,
	.write = register_write,
};

static uint64_t notify_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	(void)dev;
	(void)offset;
	(void)width;
	(void)now_ns;
	return 0;
}

static void notify_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	(void)width;
	(void)value;
	(void)now_ns;
	notify(dev, offset);
}

const struct device_ops virtio_notify_ops = {
	.name = "virtio-notify",
	.width_max = WIDTH_MAX,
	.read = notify_read,
	.write = notify_write,
};
