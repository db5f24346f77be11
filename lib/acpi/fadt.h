/* FADT: the fixed power management registers, reset, and where the DSDT is.
 * Source: ACPI Specification 6.4, "Fixed ACPI Description Table (FADT)", "Generic Address Structure (GAS)". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/acpi/fadt_layout.h"

/* Where a register is. address 0: there is none. */
struct acpi_gas {
	uint64_t address;
	uint8_t space;       /* ACPI_GAS_MEMORY, ACPI_GAS_PORT, ... */
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size; /* 0: not said, 1: 8 bits, 2: 16, 3: 32, 4: 64 */
};

/* A register block; its length is the FADT's length field, not the GAS's width. */
struct acpi_block {
	struct acpi_gas at;
	uint8_t length_bytes;
};

/* On hardware-reduced PCs all blocks are absent. */
struct acpi_fadt {
	uint8_t revision;
	uint8_t pm_profile;
	uint16_t sci_irq;
	uint32_t smi_command_port; /* 0: none, always in ACPI mode */
	uint8_t acpi_enable;       /* to be written to smi_command_port */
	uint8_t acpi_disable;
	uint8_t century_index;     /* in CMOS; 0: none */
	uint8_t reset_value;
	uint16_t boot_arch;        /* FADT_BOOT_ */
	uint32_t flags;            /* FADT_FLAG_ */
	uint64_t dsdt_physical;
	struct acpi_block pm1a_event, pm1b_event;     /* status, then enable: half the length each */
	struct acpi_block pm1a_control, pm1b_control; /* SLP_TYP bits 12:10, SLP_EN bit 13 */
	struct acpi_block pm_timer;                   /* 3.579545 MHz */
	struct acpi_block gpe0, gpe1;
	struct acpi_gas reset_register;               /* absent unless supported and of 8 bits in a usable space */
	struct acpi_gas sleep_control, sleep_status;  /* hardware-reduced PCs sleep by these */
	uint32_t warnings;
};

/* Parses a FADT of any revision. A 64-bit field wins over its 32-bit twin where it is present, not 0 and of a
 * usable space.
 * Errors: ERR_TRUNCATED, ERR_BAD_FORMAT. */
MUST_CHECK enum status acpi_fadt_parse(const void *table, size_t span_bytes, struct acpi_fadt *out);

/* Decodes the 12 bytes of a generic address structure. */
struct acpi_gas acpi_gas_load(const uint8_t *at);
