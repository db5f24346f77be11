/* The capabilities that say where a virtio device's structures are, and the one that reaches them without any BAR: its registers
 * name a BAR, an offset and a width, and pci_cfg_data is then that register.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Virtio Structure PCI Capabilities", "PCI configuration access capability". */
#include <stddef.h>

#include "drivers/virt/virtio_registers.h"
#include "lib/base/string.h"

#define CAPABILITY_VENDOR 0x09U
#define CAP_BYTES      16U
#define CAP_BYTES_MORE 20U /* with the multiplier, or with pci_cfg_data */
#define CAP_BAR        4U
#define CAP_OFFSET     8U
#define CAP_LENGTH     12U
#define CAP_DATA       16U
#define BODY_START     2U /* a capability's body begins behind its ID and pointer */

static void put32(uint8_t *bytes, uint32_t value)
{
	for (unsigned i = 0; i < sizeof(value); i++)
		bytes[i] = (uint8_t)(value >> i * 8);
}

struct structure {
	uint8_t type, bar;
	uint32_t offset, length_bytes;
	uint32_t multiplier; /* of notifications; 0: the capability has none */
};

static enum status add_structure(struct virtio *device, const struct structure *structure)
{
	uint8_t cap[CAP_BYTES_MORE] = {0};
	unsigned len_bytes = structure->multiplier != 0 ? CAP_BYTES_MORE : CAP_BYTES;
	unsigned offset;

	cap[2] = (uint8_t)len_bytes;
	cap[3] = structure->type;
	cap[CAP_BAR] = structure->bar;
	put32(&cap[CAP_OFFSET], structure->offset);
	put32(&cap[CAP_LENGTH], structure->length_bytes);
	put32(&cap[CAP_DATA], structure->multiplier);
	return pci_function_add_capability(&device->function, CAPABILITY_VENDOR, cap + BODY_START, NULL, len_bytes, &offset);
}

/* The register that the access capability names, if a driver may ask so: "cap.length 1, 2 or 4, cap.offset a multiple of it". */
struct target {
	const struct device_ops *ops;
	void *dev;
	uint64_t offset;
	unsigned width;
};

static bool find_target(struct virtio *device, struct target *target)
{
	const struct pci_function *function = &device->function;
	unsigned bar = pci_function_register(function, device->access_capability + CAP_BAR, 1);
	uint32_t offset = pci_function_register(function, device->access_capability + CAP_OFFSET, 4);
	uint32_t width = pci_function_register(function, device->access_capability + CAP_LENGTH, 4);

	if ((width != 1 && width != 2 && width != 4) || offset % width != 0 || bar >= PCI_BARS_MAX ||
	    offset >= function->identity.bars[bar].size_bytes)
		return false;
	*target = (struct target){.dev = device, .offset = offset, .width = width};
	if (bar == VIRTIO_BAR_NOTIFY) {
		target->ops = &virtio_notify_ops;
	} else if (bar == VIRTIO_BAR_REGISTERS) {
		target->ops = &virtio_register_ops;
	} else {
		target->ops = &pci_msix_ops;
		target->dev = &device->function;
	}
	return true;
}

/* Only accesses to the start of pci_cfg_data, as wide as cap.length says, reach a register; all else finds nothing. */
static uint32_t read_data(void *ctx, unsigned reg, unsigned width)
{
	struct virtio *device = ctx;
	struct target target;

	if (!find_target(device, &target) || reg != device->access_capability + CAP_DATA || width < target.width)
		return 0;
	return (uint32_t)target.ops->read(target.dev, target.offset, target.width, 0);
}

static void write_data(void *ctx, unsigned reg, unsigned width, uint32_t value)
{
	struct virtio *device = ctx;
	struct target target;

	if (!find_target(device, &target) || reg != device->access_capability + CAP_DATA || width < target.width)
		return;
	if (target.width < sizeof(value))
		value &= (1U << target.width * 8) - 1;
	target.ops->write(target.dev, target.offset, target.width, value, 0);
}

static enum status add_access(struct virtio *device)
{
	uint8_t cap[CAP_BYTES_MORE] = {[2] = CAP_BYTES_MORE, [3] = VIRTIO_PCI_CAP_PCI_CFG};
	uint8_t writable[CAP_BYTES_MORE] = {[CAP_BAR] = 0xff};
	enum status status;

	memset(&writable[CAP_OFFSET], 0xff, CAP_DATA - CAP_OFFSET);
	status = pci_function_add_capability(&device->function, CAPABILITY_VENDOR, cap + BODY_START, writable + BODY_START,
					     CAP_BYTES_MORE, &device->access_capability);
	device->function.window = (struct pci_config_window){
		.first = device->access_capability + CAP_DATA,
		.count = CAP_BYTES_MORE - CAP_DATA,
		.read = read_data,
		.write = write_data,
		.ctx = device,
	};
	return status;
}

/* Where there are two of a type, drivers take the first that they can use. */
enum status virtio_add_capabilities(struct virtio *device)
{
	const uint32_t notify_bytes = device->config.queue_count * VIRTIO_NOTIFY_STEP_BYTES;
	const struct structure structures[] = {
		{VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_BAR_REGISTERS, VIRTIO_COMMON_BASE, VIRTIO_COMMON_BYTES, 0},
		{VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_BAR_NOTIFY, 0, notify_bytes, VIRTIO_NOTIFY_STEP_BYTES},
		{VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_BAR_REGISTERS, VIRTIO_NOTIFY_BASE, notify_bytes, VIRTIO_NOTIFY_STEP_BYTES},
		{VIRTIO_PCI_CAP_ISR_CFG, VIRTIO_BAR_REGISTERS, VIRTIO_ISR_BASE, 1, 0},
		{VIRTIO_PCI_CAP_DEVICE_CFG, VIRTIO_BAR_REGISTERS, VIRTIO_CONFIG_BASE, device->config.config_bytes, 0},
	};
	size_t count = sizeof(structures) / sizeof(structures[0]);
	enum status status = OK;

	/* "if the device has a device-specific configuration": the last one. */
	if (device->config.config_bytes == 0)
		count--;
	for (size_t i = 0; i < count && status == OK; i++)
		status = add_structure(device, &structures[i]);
	return status == OK ? add_access(device) : status;
}
