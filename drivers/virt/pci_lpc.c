/* Registers that can be written, as a table, and where PIRQs go. */
#include "drivers/virt/pci_lpc.h"

#include <stddef.h>

#include "drivers/virt/pci_config.h"
#include "drivers/virt/pci_host_bridge.h"

#define PMBASE         0x40U
#define PMBASE_IS_PORT 0x1U
#define ACPI_CNTL      0x44U
#define ACPI_CNTL_EN   0x80U
#define PIRQ_A         0x60U
#define PIRQ_OFF       0x80U /* IRQEN# */
#define PIRQ_ROUTE     0x0fU
#define PIRQ_ROUTES    0xdef8U /* "IRQ Routing": 3 to 7, 9 to 12, 14, 15; others are reserved */
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

static unsigned route_of(const struct pci_lpc *lpc, unsigned pirq)
{
	uint32_t value = pci_function_register(&lpc->function, PIRQ_A + pirq, 1);

	if ((value & PIRQ_OFF) != 0 || (PIRQ_ROUTES >> (value & PIRQ_ROUTE) & 1) == 0)
		return PCI_LPC_NO_IRQ;
	return value & PIRQ_ROUTE;
}

static void follow_routes(struct pci_lpc *lpc)
{
	for (unsigned pirq = 0; pirq < PCI_LPC_PIRQS; pirq++) {
		unsigned irq = route_of(lpc, pirq);

		if (irq == lpc->told[pirq])
			continue;
		lpc->told[pirq] = (uint8_t)irq;
		lpc->wires.routed(lpc->wires.ctx, pirq, irq);
	}
}

static uint32_t lpc_read(void *dev, unsigned reg, unsigned width)
{
	struct pci_lpc *lpc = dev;

	return pci_function_ops.read(&lpc->function, reg, width);
}

static void lpc_write(void *dev, unsigned reg, unsigned width, uint32_t value)
{
	struct pci_lpc *lpc = dev;

	pci_function_ops.write(&lpc->function, reg, width, value);
	follow_routes(lpc);
}

const struct pci_config_ops pci_lpc_ops = {.read = lpc_read, .write = lpc_write};

void pci_lpc_init(struct pci_lpc *lpc, const struct pci_lpc_wires *wires, bool is_configured)
{
	static const struct pci_function_wires none = {0};
	struct pci_function *function = &lpc->function;

	lpc->wires = *wires;
	for (unsigned pirq = 0; pirq < PCI_LPC_PIRQS; pirq++)
		lpc->told[pirq] = PCI_LPC_NO_IRQ;
	pci_function_init(function, &identity, &none);
	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++)
		pci_function_define(function, registers[i].reg, registers[i].width, registers[i].value, registers[i].writable);
	if (!is_configured)
		return;
	pci_function_define(function, PMBASE, 4, PCI_LPC_PM_PORTS | PMBASE_IS_PORT, 0xff80);
	pci_function_define(function, ACPI_CNTL, 1, ACPI_CNTL_EN, 0x87);
	for (unsigned pirq = 0; pirq < PCI_LPC_PIRQS; pirq++)
		pci_function_define(function, PIRQ_A + pirq, 1, PCI_LPC_IRQ(pirq), PIRQ_WRITABLE);
	follow_routes(lpc);
}
