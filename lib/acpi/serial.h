/* SPCR and DBG2: where a serial port for console or debugger is, also one that is not at a legacy port.
 * Source: Microsoft, "Serial Port Console Redirection Table (SPCR)", "Debug Port Table 2 (DBG2)". */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/acpi/fadt.h"

#define ACPI_DBG2_MAX 64U

enum acpi_serial_kind {
	ACPI_SERIAL_16550 = 1, /* or compatible */
	ACPI_SERIAL_OTHER = 2, /* another UART or debug port: not to be driven as a 16550 */
};

struct acpi_serial {
	enum acpi_serial_kind kind;
	struct acpi_gas at;     /* access_size and bit_width tell the distance of registers: 32 bits mean 4 bytes */
	uint32_t baud;          /* 0: not said, keep what the firmware set */
	uint32_t gsi;           /* SPCR only; 0: not said */
	uint32_t warnings;
};

/* Errors: ERR_TRUNCATED, ERR_BAD_FORMAT, ERR_NOT_FOUND (console redirection is off: address 0). */
MUST_CHECK enum status acpi_spcr_parse(const void *table, size_t span_bytes, struct acpi_serial *out);

/* Debug device `index` of a DBG2, counting from 0; its first address.
 * Errors: ERR_TRUNCATED, ERR_BAD_FORMAT, ERR_NOT_FOUND (no more devices, or ACPI_DBG2_MAX). */
MUST_CHECK enum status acpi_dbg2_device(const void *table, size_t span_bytes, unsigned index, struct acpi_serial *out);
