/* The life of a virtio device: status, features, interrupts, and the turns of its queues. Its registers: virtio_registers.c. */
#include "drivers/virt/virtio.h"

#include "drivers/virt/virtio_registers.h"

#define VIRTIO_PCI_VENDOR       0x1af4U
#define VIRTIO_PCI_DEVICE       0x1040U /* + the type's device ID */
#define VIRTIO_PCI_REVISION     1U      /* no driver of older versions takes it */
#define VIRTIO_PCI_SUBSYSTEM    0x1100U /* as QEMU has it; means nothing */
#define QUEUE_FEATURES \
	(VIRTIO_FEATURE(VIRTIO_F_INDIRECT_DESC) | VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX) | VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | \
	 VIRTIO_FEATURE(VIRTIO_F_RING_PACKED))

/* The bits that a driver writes. */
#define STATUS_OF_DRIVER \
	(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER | VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_FEATURES_OK | \
	 VIRTIO_STATUS_FAILED)

uint64_t virtio_offered_features(const struct virtio *device)
{
	return device->config.features | QUEUE_FEATURES;
}

bool virtio_is_running(const struct virtio *device)
{
	return (device->state.status & (VIRTIO_STATUS_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET | VIRTIO_STATUS_FAILED)) ==
	       VIRTIO_STATUS_DRIVER_OK;
}

bool virtio_has_feature(const struct virtio *device, unsigned bit)
{
	return (device->state.status & VIRTIO_STATUS_FEATURES_OK) != 0 &&
	       (device->state.driver_features & VIRTIO_FEATURE(bit)) != 0;
}

/* What a driver's reset does: registers of PCI stay as they are. */
static void reset_device(struct virtio *device)
{
	uint8_t generation = device->state.config_generation;

	device->state = (struct virtio_state){.config_generation = generation, .config_vector = PCI_VECTOR_NONE};
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++) {
		device->state.queue_vectors[i] = PCI_VECTOR_NONE;
		virtqueue_reset(&device->queues[i]);
		device->queues[i].state.size = device->config.queue_size_max;
	}
	pci_function_set_pin(&device->function, false);
	if (device->config.ops->reset != NULL)
		device->config.ops->reset(device->config.model);
}

void virtio_reset(struct virtio *device)
{
	device->state.config_generation = 0;
	reset_device(device);
	pci_function_reset(&device->function);
}

enum status virtio_init(struct virtio *device, const struct virtio_config *config, const struct virtio_wires *wires)
{
	const struct pci_identity identity = {
		.vendor = VIRTIO_PCI_VENDOR,
		.device = (uint16_t)(VIRTIO_PCI_DEVICE + config->ops->device_id),
		.subsystem_vendor = VIRTIO_PCI_VENDOR,
		.subsystem = VIRTIO_PCI_SUBSYSTEM,
		.class_code = config->ops->class_code,
		.revision = VIRTIO_PCI_REVISION,
		.has_pin = true,
		.has_msi = true,
		.vector_count = (uint16_t)(config->queue_count + 1),
		.msix_bar = VIRTIO_BAR_MSIX,
		.bars = {
			[VIRTIO_BAR_NOTIFY] = {.size_bytes = VIRTIO_NOTIFY_BYTES, .is_io = true},
			[VIRTIO_BAR_MSIX] = {.size_bytes = PCI_MSIX_REGION_SIZE},
			[VIRTIO_BAR_REGISTERS] = {.size_bytes = VIRTIO_REGISTERS_BYTES, .is_64bit = true, .is_prefetchable = true},
		},
	};

	*device = (struct virtio){.wires = *wires, .config = *config};
	for (unsigned i = 0; i < VIRTIO_QUEUES_MAX; i++)
		device->queues[i].memory = &device->wires.memory;
	pci_function_init(&device->function, &identity, &wires->pci);
	reset_device(device);
	return virtio_add_capabilities(device);
}

/* "Device Initialization", step 5: the driver reads the bit back, and finds it clear where its choice is no good. */
static bool are_features_good(const struct virtio *device)
{
	uint64_t features = device->state.driver_features;

	return (features & ~virtio_offered_features(device)) == 0 && (features & VIRTIO_FEATURE(VIRTIO_F_VERSION_1)) != 0;
}

/* Drivers may fill queues before DRIVER_OK; what they notified then was not looked at. */
static void start(struct virtio *device)
{
	if (device->config.ops->start != NULL)
		device->config.ops->start(device->config.model, device->state.driver_features);
	for (unsigned i = 0; i < device->config.queue_count; i++) {
		if (device->queues[i].state.ready)
			device->wires.notify(device->wires.ctx, i);
	}
}

/* "The driver MUST NOT clear a device status bit", but by a reset. Steps that are out of order do nothing. */
void virtio_set_status(struct virtio *device, uint8_t value)
{
	uint8_t before = device->state.status;
	uint8_t added = value & STATUS_OF_DRIVER & (uint8_t)~before;

	if (value == 0) {
		reset_device(device);
		return;
	}
	if ((added & VIRTIO_STATUS_FEATURES_OK) != 0 && !are_features_good(device))
		added &= (uint8_t)~VIRTIO_STATUS_FEATURES_OK;
	if (((before | added) & VIRTIO_STATUS_FEATURES_OK) == 0)
		added &= (uint8_t)~VIRTIO_STATUS_DRIVER_OK;
	device->state.status = before | added;
	if ((added & VIRTIO_STATUS_DRIVER_OK) != 0 && virtio_is_running(device))
		start(device);
}

/* The ring's layout follows from the features: before they are settled there is none. */
void virtio_enable_queue(struct virtio *device, unsigned queue)
{
	if ((device->state.status & VIRTIO_STATUS_FEATURES_OK) == 0 || device->queues[queue].state.ready)
		return;
	if (!virtqueue_start(&device->queues[queue], device->state.driver_features))
		virtio_fail(device);
	else if (virtio_is_running(device))
		device->wires.notify(device->wires.ctx, queue);
}

uint8_t virtio_take_isr(struct virtio *device)
{
	uint8_t isr = device->state.isr;

	device->state.isr = 0;
	pci_function_set_pin(&device->function, false);
	return isr;
}

/* Without MSI-X there is one interrupt, by the pin or as the message of MSI, and the ISR status says what it is. */
static void interrupt(struct virtio *device, uint16_t vector, uint8_t isr)
{
	if (!pci_function_has_msix(&device->function)) {
		device->state.isr |= isr;
		pci_function_set_pin(&device->function, true);
	}
	pci_function_send(&device->function, vector);
}

void virtio_interrupt_queue(struct virtio *device, unsigned queue)
{
	if (virtqueue_wants_interrupt(&device->queues[queue]))
		interrupt(device, device->state.queue_vectors[queue], VIRTIO_ISR_QUEUE);
}

/* With MSI-X, too, the ISR status says that it was the configuration ("ISR status capability"). */
static void interrupt_config(struct virtio *device)
{
	device->state.isr |= VIRTIO_ISR_CONFIG;
	interrupt(device, device->state.config_vector, VIRTIO_ISR_CONFIG);
}

void virtio_config_changed(struct virtio *device)
{
	device->state.config_generation++;
	if (virtio_is_running(device))
		interrupt_config(device);
}

/* "If DRIVER_OK is set, after it sets DEVICE_NEEDS_RESET, the device MUST send a device configuration change notification". */
void virtio_fail(struct virtio *device)
{
	if ((device->state.status & VIRTIO_STATUS_NEEDS_RESET) != 0)
		return;
	device->state.status |= VIRTIO_STATUS_NEEDS_RESET;
	if ((device->state.status & VIRTIO_STATUS_DRIVER_OK) != 0)
		interrupt_config(device);
}

/* After a turn: who found a queue empty hears of its next chain, and of one that came since. */
static void settle(struct virtio *device)
{
	for (unsigned i = 0; i < device->config.queue_count; i++) {
		struct virtqueue *queue = &device->queues[i];

		if (queue->found_empty) {
			queue->found_empty = false;
			if (virtqueue_enable_notify(queue))
				device->wires.notify(device->wires.ctx, i);
		}
		if (queue->state.broken)
			virtio_fail(device);
	}
}

bool virtio_serve(struct virtio *device, unsigned queue)
{
	bool has_more;

	if (!virtio_is_running(device) || queue >= device->config.queue_count || !device->queues[queue].state.ready)
		return false;
	virtqueue_disable_notify(&device->queues[queue]);
	has_more = device->config.ops->serve(device->config.model, queue);
	settle(device);
	return has_more && virtio_is_running(device);
}

bool virtio_serve_backend(struct virtio *device)
{
	bool has_more;

	if (!virtio_is_running(device) || device->config.ops->serve_backend == NULL)
		return false;
	has_more = device->config.ops->serve_backend(device->config.model);
	settle(device);
	return has_more && virtio_is_running(device);
}
