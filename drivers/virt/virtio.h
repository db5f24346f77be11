/* A virtio device: what every type of device has in common (status, features, queues), and the PCI transport. The type itself, a
 * disk or a network card, is a struct plus const ops, as all models are.
 *
 * BARs: 0 ports, notification: queue n at 4 n (a doorbell: the machine turns a write there into a signal for the device's own
 * thread); 1 memory, MSI-X; 4 memory, 64-bit: common configuration at 0, ISR at 1000h, device configuration at 2000h,
 * notification again at 3000h for those that find no ports.
 *
 * Two kinds of threads enter a device, each under its lock: vCPUs by registers, and the device's thread, which serves queues.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Basic Facilities of a Virtio Device", "Virtio Over PCI Bus". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "drivers/virt/device.h"
#include "drivers/virt/pci_function.h"
#include "drivers/virt/virtqueue.h"

#define VIRTIO_QUEUES_MAX 32U
#define VIRTIO_BAR_NOTIFY 0U
#define VIRTIO_BAR_MSIX   1U
#define VIRTIO_BAR_REGISTERS 4U
#define VIRTIO_NOTIFY_STEP_BYTES 4U
#define VIRTIO_NOTIFY_BYTES (VIRTIO_QUEUES_MAX * VIRTIO_NOTIFY_STEP_BYTES)
#define VIRTIO_REGISTERS_BYTES 0x4000U

/* Device status */
#define VIRTIO_STATUS_ACKNOWLEDGE 0x01U
#define VIRTIO_STATUS_DRIVER      0x02U
#define VIRTIO_STATUS_DRIVER_OK   0x04U
#define VIRTIO_STATUS_FEATURES_OK 0x08U
#define VIRTIO_STATUS_NEEDS_RESET 0x40U
#define VIRTIO_STATUS_FAILED      0x80U

struct virtio;

/* What a type of device is to the transport. model: the type's struct. Only serve must be there. */
struct virtio_ops {
	const char *name;
	uint16_t device_id;   /* of virtio: 1 network, 2 block, ... */
	uint32_t class_code;  /* of PCI */
	/* Work on a queue, a bounded amount: at most VIRTIO_SERVE_CHAINS chains or about a MiB. True: there is more; it is
	 * called again after others had the lock. Context: the device's thread, after DRIVER_OK. */
	bool (*serve)(void *model, unsigned queue);
	/* Something besides a queue moved: a back end has data, or room. As serve. */
	bool (*serve_backend)(void *model);
	/* The device configuration; offset + width lie in config_bytes. */
	uint64_t (*read_config)(void *model, unsigned offset, unsigned width);
	void (*write_config)(void *model, unsigned offset, unsigned width, uint64_t value);
	void (*start)(void *model, uint64_t features); /* DRIVER_OK */
	void (*reset)(void *model);                    /* the queues are reset already */
};

#define VIRTIO_SERVE_CHAINS 64U

struct virtio_config {
	const struct virtio_ops *ops;
	void *model;
	uint64_t features; /* offered, besides those of queues, which the transport adds */
	uint16_t queue_count;
	uint16_t queue_size_max; /* a power of two, at most VIRTQUEUE_SIZE_MAX */
	uint16_t config_bytes;
};

struct virtio_wires {
	struct pci_function_wires pci;
	struct guest_memory memory;
	void (*notify)(void *ctx, unsigned queue); /* the guest's notification came as an access: signals the device's thread */
	void *ctx;
};

struct virtio_state {
	uint8_t status;
	uint8_t isr;
	uint8_t config_generation;
	uint16_t queue_select;
	uint32_t feature_select, driver_feature_select;
	uint64_t driver_features; /* what the driver wrote; negotiated once FEATURES_OK is set */
	uint16_t config_vector;
	uint16_t queue_vectors[VIRTIO_QUEUES_MAX];
};

struct virtio {
	struct virtio_state state;
	struct pci_function function;
	struct virtqueue queues[VIRTIO_QUEUES_MAX];
	struct virtio_wires wires;
	struct virtio_config config;
	unsigned access_capability; /* where VIRTIO_PCI_CAP_PCI_CFG is */
};

extern const struct device_ops virtio_notify_ops;    /* BAR 0 */
extern const struct device_ops virtio_register_ops;  /* BAR 4 */

/* A device as at power-on. wires and config are copied. Errors: ERR_NO_SPACE (capabilities; never with these). */
MUST_CHECK enum status virtio_init(struct virtio *device, const struct virtio_config *config, const struct virtio_wires *wires);

/* Power-on state. */
void virtio_reset(struct virtio *device);

/* Whether the driver has come to DRIVER_OK and the device works. */
bool virtio_is_running(const struct virtio *device);
bool virtio_has_feature(const struct virtio *device, unsigned bit);

/* Serves one queue as its ops do, with notifications off meanwhile; true: there is more to do. Afterwards queues that were found
 * empty get their notifications again, and one that got a chain just then is reported by wires.notify: so a type never enables
 * or disables them itself, and one that leaves chains where they are (no data for them, no room behind) hears of no more until
 * it has taken all. A broken queue makes the device ask for its reset. Context: the device's thread; caller holds the lock. */
bool virtio_serve(struct virtio *device, unsigned queue);
bool virtio_serve_backend(struct virtio *device);

/* Sends the queue's interrupt if the guest wants one for what was returned. A type calls it at the end of what it did to a
 * queue. */
void virtio_interrupt_queue(struct virtio *device, unsigned queue);

/* The device configuration has changed: a new generation, and its interrupt. */
void virtio_config_changed(struct virtio *device);

/* The guest broke the rules: DEVICE_NEEDS_RESET, and nothing more is done until it resets. */
void virtio_fail(struct virtio *device);
