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
	struct machine *machine;
	struct virtio device;
	struct lock lock;
	handle_t event;
	uint64_t due_ns; /* when serve_backend() is to be called at the latest; NO_EVENT_NS; under the lock */
};

/* Makes a device of config in the next PCI slot; event: HANDLE_NONE: it makes one. Returns its slot. The type's model and
 * config->model must last. Errors: those of pci_claim_slot(), pci_attach(), EVENT_CREATE. Context: before vCPUs run. */
MUST_CHECK enum status virtio_add(struct machine *machine, const struct virtio_config *config, handle_t event,
				  struct virtio_slot **slot);

/* Makes all devices that the specification names: disks, links, ports, rng, balloon, regions.
 * Errors: with *what, for a message. Context: before vCPUs run. */
MUST_CHECK enum status virtio_devices_make(struct machine *machine, const char **what);

/* Starts their threads. Errors: those of thread_create(). Context: before vCPUs run. */
MUST_CHECK enum status virtio_devices_start(struct machine *machine);

/* Something moved at the device's back end: its thread looks. Context: any. */
void virtio_wake(const struct virtio_slot *slot);
