/* Discovery, negotiation, and both kinds of rings from the driver's side. */
#include "guests/flat/virtio.h"

#include <stddef.h>

#include "guests/flat/cpu.h"
#include "guests/flat/pci.h"

#define VENDOR           0x1af4U
#define FIRST_DEVICE     0x1040U
#define CAPABILITY       0x09U
#define CAPABILITY_MSIX  0x11U
#define MSIX_ENABLE      0x8000U
#define TYPE_COMMON      1U
#define TYPE_NOTIFY      2U
#define TYPE_ISR         3U
#define TYPE_CONFIG      4U
#define FEATURE_SELECT        0x00U
#define FEATURE               0x04U
#define DRIVER_FEATURE_SELECT 0x08U
#define DRIVER_FEATURE        0x0cU
#define PACKED_AVAIL     0x80U
#define PACKED_USED      0x8000U
#define LOCAL_APIC       0xfee00000U

static volatile uint16_t *at16(volatile uint8_t *base, unsigned offset)
{
	return (volatile uint16_t *)(volatile void *)(base + offset);
}

static volatile uint32_t *at32(volatile uint8_t *base, unsigned offset)
{
	return (volatile uint32_t *)(volatile void *)(base + offset);
}

static void write_address(volatile uint8_t *base, unsigned offset, const volatile void *address)
{
	uint64_t raw = (uint64_t)(uintptr_t)address;

	*at32(base, offset) = (uint32_t)raw;
	*at32(base, offset + 4) = (uint32_t)(raw >> 32);
}

/* Of several structures of a type, the first. */
static void note_structure(struct flat_virtio *device, unsigned at)
{
	unsigned bar = pci_read8(device->pci_device, at + 4);
	uint64_t address = pci_bar(device->pci_device, bar) + pci_read32(device->pci_device, at + 8);
	volatile uint8_t *registers = (volatile uint8_t *)(uintptr_t)address;

	switch (pci_read8(device->pci_device, at + 3)) {
	case TYPE_COMMON:
		device->common = device->common == NULL ? registers : device->common;
		break;
	case TYPE_ISR:
		device->isr = device->isr == NULL ? registers : device->isr;
		break;
	case TYPE_CONFIG:
		device->config = device->config == NULL ? registers : device->config;
		break;
	case TYPE_NOTIFY:
		if (device->notify != 0)
			break;
		device->notify = address;
		device->notify_is_port = (pci_read32(device->pci_device, PCI_BAR_0 + bar * 4) & 1) != 0;
		device->notify_step = pci_read32(device->pci_device, at + 16);
		break;
	default:
		break;
	}
}

bool virtio_find(uint16_t type, unsigned nth, struct flat_virtio *device)
{
	*device = (struct flat_virtio){.pci_device = 0};
	if (!pci_find(VENDOR, (uint16_t)(FIRST_DEVICE + type), nth, &device->pci_device))
		return false;
	pci_write16(device->pci_device, PCI_COMMAND, PCI_COMMAND_ALL);
	for (unsigned at = pci_capability(device->pci_device, CAPABILITY, 0); at != 0;
	     at = pci_capability(device->pci_device, CAPABILITY, at))
		note_structure(device, at);
	return device->common != NULL && device->isr != NULL && device->notify != 0;
}

uint8_t virtio_status(const struct flat_virtio *device)
{
	return device->common[VIRTIO_STATUS];
}

static uint64_t offered(struct flat_virtio *device)
{
	uint64_t features;

	*at32(device->common, FEATURE_SELECT) = 0;
	features = *at32(device->common, FEATURE);
	*at32(device->common, FEATURE_SELECT) = 1;
	return features | (uint64_t)*at32(device->common, FEATURE) << 32;
}

bool virtio_begin(struct flat_virtio *device, uint64_t wanted)
{
	device->common[VIRTIO_STATUS] = 0;
	while (virtio_status(device) != 0)
		;
	device->common[VIRTIO_STATUS] = VIRTIO_ACKNOWLEDGE;
	device->common[VIRTIO_STATUS] = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER;
	device->features = offered(device) & (wanted | VIRTIO_BIT(VIRTIO_MODERN));
	*at32(device->common, DRIVER_FEATURE_SELECT) = 0;
	*at32(device->common, DRIVER_FEATURE) = (uint32_t)device->features;
	*at32(device->common, DRIVER_FEATURE_SELECT) = 1;
	*at32(device->common, DRIVER_FEATURE) = (uint32_t)(device->features >> 32);
	device->common[VIRTIO_STATUS] = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK;
	return (virtio_status(device) & VIRTIO_FEATURES_OK) != 0;
}

static void clear_rings(struct flat_virtqueue *queue)
{
	for (unsigned i = 0; i < VIRTIO_QUEUE_MAX; i++) {
		queue->descriptors[i].address = 0;
		queue->descriptors[i].len_bytes = 0;
		queue->descriptors[i].flags = 0;
		queue->descriptors[i].next = 0;
	}
	for (unsigned i = 0; i < sizeof(queue->driver) / sizeof(queue->driver[0]); i++)
		queue->driver[i] = 0;
	for (unsigned i = 0; i < sizeof(queue->used) / sizeof(queue->used[0]); i++)
		queue->used[i] = 0;
}

void virtio_queue_start(struct flat_virtio *device, struct flat_virtqueue *queue, unsigned index, uint16_t size)
{
	clear_rings(queue);
	*at16(device->common, VIRTIO_QUEUE_SELECT) = (uint16_t)index;
	if (size != 0)
		*at16(device->common, VIRTIO_QUEUE_SIZE) = size;
	queue->device = device;
	queue->index = index;
	queue->size = *at16(device->common, VIRTIO_QUEUE_SIZE);
	queue->notify_number = *at16(device->common, VIRTIO_QUEUE_NOTIFY);
	queue->packed = (device->features & VIRTIO_BIT(VIRTIO_PACKED)) != 0;
	queue->wrap = queue->used_wrap = true;
	queue->next = queue->used_next = 0;
	write_address(device->common, VIRTIO_QUEUE_DESC, queue->descriptors);
	write_address(device->common, VIRTIO_QUEUE_DRIVER, queue->driver);
	write_address(device->common, VIRTIO_QUEUE_DEVICE, queue->used);
	*at16(device->common, VIRTIO_QUEUE_ENABLE) = 1;
}

void virtio_go(struct flat_virtio *device)
{
	device->common[VIRTIO_STATUS] = VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK | VIRTIO_DRIVER_OK;
}

void virtio_queue_interrupt(struct flat_virtqueue *queue, uint8_t vector)
{
	unsigned pci = queue->device->pci_device;
	unsigned at = pci_capability(pci, CAPABILITY_MSIX, 0);
	unsigned entry = queue->index + 1;
	uint32_t table = pci_read32(pci, at + 4);
	volatile uint32_t *words = (volatile uint32_t *)(uintptr_t)(pci_bar(pci, table & 7) + (table & ~7U) + entry * 16UL);

	pci_write16(pci, at + 2, MSIX_ENABLE);
	words[0] = LOCAL_APIC;
	words[1] = 0;
	words[2] = vector;
	words[3] = 0;
	*at16(queue->device->common, VIRTIO_QUEUE_SELECT) = (uint16_t)queue->index;
	*at16(queue->device->common, VIRTIO_QUEUE_VECTOR) = (uint16_t)entry;
}

static void fill(volatile struct virtio_descriptor *descriptor, const struct virtio_buffer *buffer)
{
	descriptor->address = (uint64_t)(uintptr_t)buffer->bytes;
	descriptor->len_bytes = buffer->len_bytes;
}

/* The first descriptor's flags are written last: then the device has the chain. */
static void offer_packed(struct flat_virtqueue *queue, uint16_t id, const struct virtio_buffer *buffers, unsigned count)
{
	unsigned first = queue->next;
	uint16_t first_flags = 0;

	for (unsigned i = 0; i < count; i++) {
		volatile struct virtio_descriptor *descriptor = &queue->descriptors[queue->next];
		uint16_t flags = buffers[i].flags | (queue->wrap ? PACKED_AVAIL : PACKED_USED);

		flags |= i + 1 < count ? VIRTIO_F_NEXT : 0;
		fill(descriptor, &buffers[i]);
		descriptor->flags = id;
		if (i == 0)
			first_flags = flags;
		else
			descriptor->next = flags;
		queue->next++;
		if (queue->next == queue->size) {
			queue->next = 0;
			queue->wrap = !queue->wrap;
		}
	}
	queue->descriptors[first].next = first_flags;
}

void virtio_offer(struct flat_virtqueue *queue, uint16_t id, const struct virtio_buffer *buffers, unsigned count)
{
	if (queue->packed) {
		offer_packed(queue, id, buffers, count);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		volatile struct virtio_descriptor *descriptor = &queue->descriptors[(id + i) % queue->size];

		fill(descriptor, &buffers[i]);
		descriptor->flags = buffers[i].flags | (i + 1 < count ? VIRTIO_F_NEXT : 0);
		descriptor->next = (uint16_t)((id + i + 1) % queue->size);
	}
	queue->driver[2 + queue->next % queue->size] = id;
	queue->next++;
	queue->driver[1] = queue->next;
}

void virtio_notify(const struct flat_virtqueue *queue)
{
	uint64_t at = queue->device->notify + queue->notify_number * queue->device->notify_step;

	__asm__ volatile("mfence" : : : "memory");
	if (queue->device->notify_is_port)
		out16((uint16_t)at, (uint16_t)queue->index);
	else
		*(volatile uint16_t *)(uintptr_t)at = (uint16_t)queue->index;
}

static bool take_packed(struct flat_virtqueue *queue, uint16_t *id, uint32_t *written_bytes, unsigned descriptors)
{
	volatile struct virtio_descriptor *descriptor = &queue->descriptors[queue->used_next];
	uint16_t flags = descriptor->next;

	if (((flags & PACKED_AVAIL) != 0) != queue->used_wrap || ((flags & PACKED_USED) != 0) != queue->used_wrap)
		return false;
	*id = descriptor->flags;
	*written_bytes = (flags & VIRTIO_F_WRITE) != 0 ? descriptor->len_bytes : 0;
	queue->used_next = (uint16_t)(queue->used_next + descriptors);
	if (queue->used_next >= queue->size) {
		queue->used_next = (uint16_t)(queue->used_next - queue->size);
		queue->used_wrap = !queue->used_wrap;
	}
	return true;
}

bool virtio_take_used(struct flat_virtqueue *queue, uint16_t *id, uint32_t *written_bytes, unsigned descriptors)
{
	unsigned entry = 1 + 2U * (queue->used_next % queue->size);

	if (queue->packed)
		return take_packed(queue, id, written_bytes, descriptors);
	if ((uint16_t)(queue->used[0] >> 16) == queue->used_next)
		return false;
	*id = (uint16_t)queue->used[entry];
	*written_bytes = queue->used[entry + 1];
	queue->used_next++;
	return true;
}

bool virtio_wait_used(struct flat_virtqueue *queue, uint16_t *id, uint32_t *written_bytes, unsigned descriptors, uint64_t ticks)
{
	uint64_t deadline = read_tsc() + ticks;

	while (!virtio_take_used(queue, id, written_bytes, descriptors)) {
		if (read_tsc() >= deadline)
			return false;
		__builtin_ia32_pause();
	}
	return true;
}
