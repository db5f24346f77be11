/* The machine's virtio devices, as its specification asks for them, and their threads: each device has one, which waits for
 * notifications of its queues and for its back end, and works under the device's lock. vCPUs go on meanwhile. */
#pragma once
#include <stdint.h>

#include "abi/status.h"
#include "abi/syscall.h"
#include "drivers/virt/virtio.h"
#include "user/lock.h"

struct machine;

#define VIRTIO_DEVICES_MAX 20U
#define VIRTIO_EVENT_BACKEND 62U /* bit of the device's event; bits 0 .. VIRTIO_QUEUES_MAX - 1: a queue was notified */

/* One device: the transport, its thread's event, its lock. */
struct virtio_slot {
	struct machine *machine; /* NULL: not used */
	struct virtio device;
	struct lock lock;
	handle_t event;
	uint64_t doorbell_port; /* where BAR 0 has its doorbell (VM_DOORBELL); PCI_DECODE_OFF: nowhere. Under the lock */
	uint64_t due_ns; /* when serve_backend() is called at the latest, once; NO_EVENT_NS: not. Under the lock */
};

/* Part of struct machine. */
struct virtio_devices {
	unsigned count;
	struct virtio_slot slots[VIRTIO_DEVICES_MAX];
};

/* Makes a device of config in the next PCI slot; event: HANDLE_NONE: it makes one. Returns its slot. The type's model and
 * config->model must last. Errors: ERR_NO_SPACE after VIRTIO_DEVICES_MAX; those of pci_claim_slot(), pci_attach(), EVENT_CREATE.
 * Context: before vCPUs run. */
MUST_CHECK enum status virtio_add(struct machine *machine, const struct virtio_config *config, handle_t event,
				  struct virtio_slot **slot);

/* Makes all devices that the specification names, in the order of the table of makers (virtio_makers.h).
 * Errors: with *what ("disk") and its *index, for a message. Context: before vCPUs run. */
MUST_CHECK enum status virtio_devices_make(struct machine *machine, const char **what, unsigned *index);

/* The thread of one device; argument: its slot. vmm/virtio_thread.c */
void virtio_thread(void *argument);

/* Starts their threads. Errors: those of thread_create(). Context: before vCPUs run. */
MUST_CHECK enum status virtio_devices_start(struct machine *machine);

/* Something moved at the device's back end: its thread looks. Context: any. */
void virtio_wake(const struct virtio_slot *slot);
