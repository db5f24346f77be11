/* Stops the DMA of devices that no driver uses. Bridges stay as they are: without their bus mastering nothing behind them
 * could ever do DMA again, and they start none themselves. Functions beyond segment 0 are not reached this way. */
#include "manager/pci_quiesce.h"

#include "lib/base/format.h"

#include <stdbool.h>

#define CONFIG_ADDRESS_PORT 0xcf8U
#define CONFIG_DATA_PORT    0xcfcU
#define CONFIG_ENABLE       0x80000000U

#define BUS_COUNT      256U
#define DEVICE_COUNT   32U
#define FUNCTION_COUNT 8U

#define PCI_ID           0x00U /* vendor, device */
#define PCI_COMMAND      0x04U
#define PCI_CLASS        0x08U /* bits 31:24: base class */
#define PCI_HEADER       0x0cU /* bits 23:16: header type */
#define PCI_NO_VENDOR    0xffffU
#define PCI_COMMAND_BUS_MASTER 0x4U
#define PCI_CLASS_BRIDGE 0x06U
#define PCI_MULTI_FUNCTION 0x800000U

struct pci_function {
	uint32_t bus, device, function;
};

static void select_register(const struct ports *ports, const struct pci_function *at, uint32_t offset)
{
	ports->write(ports->context, CONFIG_ADDRESS_PORT, 4,
		     CONFIG_ENABLE | at->bus << 16 | at->device << 11 | at->function << 8 | offset);
}

static uint32_t read_register(const struct ports *ports, const struct pci_function *at, uint32_t offset)
{
	select_register(ports, at, offset);
	return ports->read(ports->context, CONFIG_DATA_PORT, 4);
}

/* 16 bits only: the status register beside it is cleared by ones. */
static void write_command(const struct ports *ports, const struct pci_function *at, uint32_t value)
{
	select_register(ports, at, PCI_COMMAND);
	ports->write(ports->context, CONFIG_DATA_PORT, 2, value & 0xffff);
}

static void quiesce_function(const struct ports *ports, const struct pci_function *at, struct pci_quiesce_result *result)
{
	uint32_t command;

	result->function_count++;
	if (read_register(ports, at, PCI_CLASS) >> 24 == PCI_CLASS_BRIDGE)
		return;
	command = read_register(ports, at, PCI_COMMAND);
	if ((command & PCI_COMMAND_BUS_MASTER) == 0)
		return;
	write_command(ports, at, command & ~PCI_COMMAND_BUS_MASTER);
	if ((read_register(ports, at, PCI_COMMAND) & PCI_COMMAND_BUS_MASTER) == 0)
		result->stopped_count++;
	else
		result->stubborn_count++;
}

static bool is_present(const struct ports *ports, const struct pci_function *at)
{
	return (read_register(ports, at, PCI_ID) & 0xffff) != PCI_NO_VENDOR;
}

static void quiesce_device(const struct ports *ports, uint32_t bus, uint32_t device, struct pci_quiesce_result *result)
{
	struct pci_function at = {.bus = bus, .device = device};
	uint32_t functions;

	if (!is_present(ports, &at))
		return;
	functions = (read_register(ports, &at, PCI_HEADER) & PCI_MULTI_FUNCTION) != 0 ? FUNCTION_COUNT : 1;
	for (; at.function < functions; at.function++) {
		if (is_present(ports, &at))
			quiesce_function(ports, &at, result);
	}
}

struct pci_quiesce_result pci_quiesce(const struct ports *ports)
{
	struct pci_quiesce_result result = {0};

	for (uint32_t bus = 0; bus < BUS_COUNT; bus++) {
		for (uint32_t device = 0; device < DEVICE_COUNT; device++)
			quiesce_device(ports, bus, device, &result);
	}
	return result;
}

size_t pci_quiesce_words(const struct pci_quiesce_result *result, char *out, size_t size_bytes)
{
	if (result->stubborn_count == 0)
		return format_text(out, size_bytes, "%s", "");
	return format_text(out, size_bytes,
			   "E634 %u PCI device%s cannot be kept from writing to memory, perhaps a VM's: switch %s off in the "
			   "firmware's settings",
			   result->stubborn_count, result->stubborn_count == 1 ? "" : "s",
			   result->stubborn_count == 1 ? "it" : "them");
}
