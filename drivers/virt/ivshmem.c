/* The registers of the shared-memory device. */
#include "drivers/virt/ivshmem.h"

static uint64_t ivshmem_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const struct ivshmem *device = dev;

	(void)now_ns;
	if (width != 4)
		return 0;
	switch (offset) {
	case IVSHMEM_INTERRUPT_MASK: return device->state.interrupt_mask;
	case IVSHMEM_POSITION: return device->config.own_id;
	default: return 0;
	}
}

static void ivshmem_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct ivshmem *device = dev;

	(void)now_ns;
	if (width != 4)
		return;
	if (offset == IVSHMEM_INTERRUPT_MASK)
		device->state.interrupt_mask = (uint32_t)value;
	else if (offset == IVSHMEM_DOORBELL)
		device->wires.ring(device->wires.ctx, (uint32_t)value >> 16, (uint32_t)value & 0xffff);
}

static void ivshmem_reset(void *dev)
{
	struct ivshmem *device = dev;

	device->state = (struct ivshmem_state){.interrupt_mask = 0};
	pci_function_reset(&device->function);
}

const struct device_ops ivshmem_ops = {
	.name = "shared memory",
	.width_max = 4,
	.read = ivshmem_read,
	.write = ivshmem_write,
	.reset = ivshmem_reset,
};

void ivshmem_init(struct ivshmem *device, const struct ivshmem_config *config, const struct ivshmem_wires *wires)
{
	const struct pci_identity identity = {
		.vendor = 0x1af4,
		.device = 0x1110,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x050000, /* memory controller, RAM */
		.revision = 1,
		.has_msi = true,
		.vector_count = config->vector_count,
		.msix_bar = IVSHMEM_BAR_MSIX,
		.bars = {
			[IVSHMEM_BAR_REGISTERS] = {.size_bytes = IVSHMEM_REGISTERS_BYTES},
			[IVSHMEM_BAR_MSIX] = {.size_bytes = PCI_MSIX_REGION_SIZE},
			[IVSHMEM_BAR_MEMORY] = {.size_bytes = config->size_bytes, .is_64bit = true, .is_prefetchable = true},
		},
	};

	*device = (struct ivshmem){.wires = *wires, .config = *config};
	pci_function_init(&device->function, &identity, &wires->pci);
}

void ivshmem_receive(struct ivshmem *device, unsigned vector)
{
	pci_function_send(&device->function, vector);
}
