/* Which serial port of the PC the console uses: the one that the firmware's own console redirection names (SPCR), where it is a
 * 16550 in I/O port space; else COM1. Source: Microsoft, "Serial Port Console Redirection Table (SPCR)". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/acpi/serial.h"

struct serial_port {
	uint16_t base_port;
	bool has_irq;    /* else the port is polled */
	bool irq_is_isa; /* else a global system interrupt, level-triggered, active low */
	uint32_t irq;
};

/* spcr: the firmware's table, NULL where it has none. Context: pure. */
struct serial_port serial_port_choose(const struct acpi_serial *spcr);
