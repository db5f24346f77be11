/* Offsets of a virtio device's registers in BAR 4, and its two ways in. Only for virtio*.c and their tests.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Virtio Structure PCI Capabilities". */
#pragma once
#include "drivers/virt/virtio.h"

#define VIRTIO_COMMON_BASE 0x0000U
#define VIRTIO_ISR_BASE    0x1000U
#define VIRTIO_CONFIG_BASE 0x2000U
#define VIRTIO_NOTIFY_BASE 0x3000U

#define VIRTIO_COMMON_DEVICE_FEATURE_SELECT 0x00U
#define VIRTIO_COMMON_DEVICE_FEATURE        0x04U
#define VIRTIO_COMMON_DRIVER_FEATURE_SELECT 0x08U
#define VIRTIO_COMMON_DRIVER_FEATURE        0x0cU
#define VIRTIO_COMMON_CONFIG_MSIX_VECTOR    0x10U
#define VIRTIO_COMMON_NUM_QUEUES            0x12U
#define VIRTIO_COMMON_DEVICE_STATUS         0x14U
#define VIRTIO_COMMON_CONFIG_GENERATION     0x15U
#define VIRTIO_COMMON_QUEUE_SELECT          0x16U
#define VIRTIO_COMMON_QUEUE_SIZE            0x18U
#define VIRTIO_COMMON_QUEUE_MSIX_VECTOR     0x1aU
#define VIRTIO_COMMON_QUEUE_ENABLE          0x1cU
#define VIRTIO_COMMON_QUEUE_NOTIFY_OFF      0x1eU
#define VIRTIO_COMMON_QUEUE_DESC            0x20U
#define VIRTIO_COMMON_QUEUE_DRIVER          0x28U
#define VIRTIO_COMMON_QUEUE_DEVICE          0x30U
#define VIRTIO_COMMON_BYTES                 0x38U

#define VIRTIO_ISR_QUEUE  0x1U
#define VIRTIO_ISR_CONFIG 0x2U

/* cfg_type */
#define VIRTIO_PCI_CAP_COMMON_CFG 1U
#define VIRTIO_PCI_CAP_NOTIFY_CFG 2U
#define VIRTIO_PCI_CAP_ISR_CFG    3U
#define VIRTIO_PCI_CAP_DEVICE_CFG 4U
#define VIRTIO_PCI_CAP_PCI_CFG    5U

/* Of all of a device's features: those of its type, and those of queues. */
uint64_t virtio_offered_features(const struct virtio *device);

/* The driver's writes that do something: to device_status and queue_enable. */
void virtio_set_status(struct virtio *device, uint8_t value);
void virtio_enable_queue(struct virtio *device, unsigned queue);

/* Reads ISR status: clears it and drops the pin. */
uint8_t virtio_take_isr(struct virtio *device);

/* The capabilities, with all that they point to. Errors: ERR_NO_SPACE. */
MUST_CHECK enum status virtio_add_capabilities(struct virtio *device);
