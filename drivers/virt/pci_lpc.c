/* Registers that can be written, as a table. */
#include "drivers/virt/pci_lpc.h"

#include <stddef.h>

#include "drivers/virt/pci_config.h"
#include "drivers/virt/pci_host_bridge.h"

#define PMBASE         0x40U
#define PMBASE_IS_PORT 0x1U
#define ACPI_CNTL      0x44U
#define ACPI_CNTL_EN   0x80U
#define PIRQ_OFF       0x80U
#define PIRQ_WRITABLE  0x8fU
/* The bridge is always on: I/O, memory, master. */
#define LPC_COMMAND    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)

static const struct pci_identity identity = {
	.vendor = 0x8086,
	.device = 0x2918,
	.subsystem_vendor = PCI_SUBSYSTEM_VENDOR,
	.subsystem = PCI_SUBSYSTEM,
	.class_code = 0x060100,
	.revision = 2,
};

static const struct {
	uint8_t reg, width;
	uint32_t value, writable;
} registers[] = {
	{PCI_CONFIG_COMMAND, 2, LPC_COMMAND, PCI_COMMAND_PARITY | PCI_COMMAND_SERR},
	{PCI_CONFIG_HEADER_TYPE, 1, PCI_HEADER_MULTIFUNCTION, 0},
	{PMBASE, 4, PMBASE_IS_PORT, 0xff80},
	{ACPI_CNTL, 1, 0, 0x87},
	{0x60, 1, PIRQ_OFF, PIRQ_WRITABLE}, /* PIRQ A to D, */
	{0x61, 1, PIRQ_OFF, PIRQ_WRITABLE},
	{0x62, 1, PIRQ_OFF, PIRQ_WRITABLE},
	{0x63, 1, PIRQ_OFF, PIRQ_WRITABLE},
	{0x64, 1, 0x10, 0xff}, /* serial interrupts, */
	{0x68, 1, PIRQ_OFF, PIRQ_WRITABLE}, /* E to H */
	{0x69, 1, PIRQ_OFF, PIRQ_WRITABLE},
	{0x6a, 1, PIRQ_OFF, PIRQ_WRITABLE},
	{0x6b, 1, PIRQ_OFF, PIRQ_WRITABLE},
	{0xa0, 2, 0, 0xffff}, /* GEN_PMCON_1 to 3 */
	{0xa2, 1, 0, 0xff},
	{0xa4, 2, 0, 0xffff},
	{0xf0, 4, 0, 0xffffc001}, /* RCBA */
};

void pci_lpc_init(struct pci_function *function, bool has_power_management)
{
	static const struct pci_function_wires none = {0};

	pci_function_init(function, &identity, &none);
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		pci_function_define(function, registers[i].reg, registers[i].width, registers[i].value, registers[i].writable);
	if (!has_power_management)
		return;
	pci_function_define(function, PMBASE, 4, PCI_LPC_PM_PORTS | PMBASE_IS_PORT, 0xff80);
	pci_function_define(function, ACPI_CNTL, 1, ACPI_CNTL_EN, 0x87);
}
