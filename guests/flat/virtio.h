/* A driver of virtio devices on PCI for flat guests: small enough for tests and benchmarks, which also break its rules: the rings
 * are theirs to write. exceptions_install() before interrupts.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Virtio Over PCI Bus", "Split Virtqueues", "Packed Virtqueues". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define VIRTIO_TYPE_NET     1U
#define VIRTIO_TYPE_BLOCK   2U
#define VIRTIO_TYPE_CONSOLE 3U
#define VIRTIO_TYPE_ENTROPY 4U
#define VIRTIO_TYPE_BALLOON 5U
#define VIRTIO_TYPE_VSOCK   19U

#define VIRTIO_INDIRECT 28
#define VIRTIO_EVENT    29
#define VIRTIO_MODERN   32
#define VIRTIO_PACKED   34
#define VIRTIO_BIT(bit) (1ULL << (bit))

/* Offsets in the common configuration. */
#define VIRTIO_STATUS        0x14U
#define VIRTIO_QUEUE_SELECT  0x16U
#define VIRTIO_QUEUE_SIZE    0x18U
#define VIRTIO_QUEUE_VECTOR  0x1aU
#define VIRTIO_QUEUE_ENABLE  0x1cU
#define VIRTIO_QUEUE_NOTIFY  0x1eU
#define VIRTIO_QUEUE_DESC    0x20U
#define VIRTIO_QUEUE_DRIVER  0x28U
#define VIRTIO_QUEUE_DEVICE  0x30U

#define VIRTIO_ACKNOWLEDGE 0x01U
#define VIRTIO_DRIVER      0x02U
#define VIRTIO_DRIVER_OK   0x04U
#define VIRTIO_FEATURES_OK 0x08U
#define VIRTIO_NEEDS_RESET 0x40U

#define VIRTIO_F_NEXT     0x1U
#define VIRTIO_F_WRITE    0x2U
#define VIRTIO_F_INDIRECT 0x4U

#define VIRTIO_QUEUE_MAX 256U

struct flat_virtio {
	unsigned pci_device;
	volatile uint8_t *common, *isr, *config; /* config NULL: the device has none */
	uint64_t notify;     /* port or address of the first one */
	bool notify_is_port;
	uint32_t notify_step;
	uint64_t features;   /* negotiated */
};

struct virtio_descriptor {
	uint64_t address;
	uint32_t len_bytes;
	uint16_t flags, next; /* packed: ID, flags */
};

struct flat_virtqueue {
	_Alignas(4096) volatile struct virtio_descriptor descriptors[VIRTIO_QUEUE_MAX];
	_Alignas(4096) volatile uint16_t driver[4 + VIRTIO_QUEUE_MAX];       /* flags, index, ring, event */
	_Alignas(4096) volatile uint32_t used[2 + 2 * VIRTIO_QUEUE_MAX];
	struct flat_virtio *device;
	unsigned index;
	uint16_t size, notify_number;
	bool packed, wrap, used_wrap;
	uint16_t next, used_next; /* split: indices; packed: positions */
};

struct virtio_buffer {
	const volatile void *bytes;
	uint32_t len_bytes;
	uint16_t flags; /* VIRTIO_F_WRITE */
};

/* The nth device of that type, its structures found, bus mastering on. False: there is none. */
bool virtio_find(uint16_t type, unsigned nth, struct flat_virtio *device);

uint8_t virtio_status(const struct flat_virtio *device);
/* Resets and negotiates: VERSION_1, and what the device offers of `wanted`. False: it did not agree. */
bool virtio_begin(struct flat_virtio *device, uint64_t wanted);
/* Between virtio_begin() and virtio_go(). size: at most what the device says; 0: that. */
void virtio_queue_start(struct flat_virtio *device, struct flat_virtqueue *queue, unsigned index, uint16_t size);
void virtio_go(struct flat_virtio *device); /* DRIVER_OK */

/* Interrupts of the queue as vector, by MSI-X entry index + 1, to the first CPU; between start and go. The program handles it. */
void virtio_queue_interrupt(struct flat_virtqueue *queue, uint8_t vector);

/* A chain: split: descriptors from `id` on (mod size); packed: the next ones, with that ID. Without notification. */
void virtio_offer(struct flat_virtqueue *queue, uint16_t id, const struct virtio_buffer *buffers, unsigned count);
void virtio_notify(const struct flat_virtqueue *queue);

/* Takes what the device has returned. descriptors: of that chain (packed). False: nothing yet. */
bool virtio_take_used(struct flat_virtqueue *queue, uint16_t *id, uint32_t *written_bytes, unsigned descriptors);
/* The same, and waits up to so many ticks of the TSC. */
bool virtio_wait_used(struct flat_virtqueue *queue, uint16_t *id, uint32_t *written_bytes, unsigned descriptors, uint64_t ticks);
