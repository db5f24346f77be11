/* The makers of virtio devices, one file for each type of device: vmm/virtio_disk.c, vmm/virtio_link.c, ... A maker keeps its model
 * in a static array of its own (a VMM is one VM), connects it to its back end, and calls virtio_add(). */
#pragma once
#include "abi/status.h"
#include "abi/vmm_spec.h"

struct machine;

/* A row of the table in vmm/virtio_devices.c. */
struct virtio_maker {
	const char *what; /* for messages: "disk"; its number follows */
	/* How many of these the VM has. */
	unsigned (*count)(const struct vmm_spec *spec);
	/* Makes the one with this index, below count(). Errors: those of virtio_add(), and others that say what is wrong. */
	enum status (*make)(struct machine *machine, unsigned index);
};

/* vmm/virtio_disk.c */
unsigned virtio_disk_count(const struct vmm_spec *spec);
MUST_CHECK enum status virtio_disk_make(struct machine *machine, unsigned index);

/* vmm/virtio_link.c */
unsigned virtio_net_count(const struct vmm_spec *spec);
MUST_CHECK enum status virtio_net_make(struct machine *machine, unsigned index);
