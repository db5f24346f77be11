/* A table's interrupt is believed only where the port is none of the PC's four old ones, whose interrupts are fixed. */
#include "manager/serial_port.h"

#include <stddef.h>

#define ISA_IRQS      16U
#define PORT_LAST     0xfff8U
#define REGISTER_BITS 8U

static const struct {
	uint16_t base_port;
	uint8_t irq;
} legacy[] = {{0x3f8, 4}, {0x2f8, 3}, {0x3e8, 4}, {0x2e8, 3}};

static struct serial_port legacy_port(unsigned index)
{
	return (struct serial_port){
		.base_port = legacy[index].base_port,
		.has_irq = true,
		.irq_is_isa = true,
		.irq = legacy[index].irq,
	};
}

/* Eight registers of a byte each, side by side. */
static bool is_usable(const struct acpi_serial *spcr)
{
	const struct acpi_gas *at = &spcr->at;

	return spcr->kind == ACPI_SERIAL_16550 && at->space == ACPI_GAS_PORT && at->address != 0 && at->address <= PORT_LAST &&
	       at->bit_offset == 0 && at->bit_width <= REGISTER_BITS;
}

struct serial_port serial_port_choose(const struct acpi_serial *spcr)
{
	if (spcr == NULL || !is_usable(spcr))
		return legacy_port(0);
	for (unsigned i = 0; i < sizeof(legacy) / sizeof(legacy[0]); i++) {
		if (spcr->at.address == legacy[i].base_port)
			return legacy_port(i);
	}
	return (struct serial_port){
		.base_port = (uint16_t)spcr->at.address,
		.has_irq = spcr->gsi != 0,
		.irq_is_isa = spcr->gsi < ISA_IRQS,
		.irq = spcr->gsi,
	};
}
