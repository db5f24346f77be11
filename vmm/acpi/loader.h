/* A guest's ACPI tables for firmware that installs them itself: two files without addresses, and the commands that place them, add
 * addresses and set checksums.
 * Source: QEMU, hw/acpi/bios-linker-loader.c (the layout of commands); SeaBIOS and OVMF carry them out. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define ACPI_LOADER_TABLES_NAME   "etc/acpi/tables"
#define ACPI_LOADER_RSDP_NAME     "etc/acpi/rsdp"
#define ACPI_LOADER_COMMANDS_NAME "etc/table-loader"
#define ACPI_LOADER_NAME_BYTES    56U
#define ACPI_LOADER_COMMAND_BYTES 128U
#define ACPI_LOADER_COMMANDS_MAX  40U
#define ACPI_LOADER_RSDP_BYTES    36U

struct acpi_loader {
	uint8_t rsdp[ACPI_LOADER_RSDP_BYTES];
	uint32_t command_count;
	uint8_t commands[ACPI_LOADER_COMMANDS_MAX][ACPI_LOADER_COMMAND_BYTES];
};

/* tables[0 .. len_bytes): what guest_acpi_build() wrote for the address 0, with the RSDP at rsdp_offset. The RSDP moves out of
 * it, and checksums that addresses change become 0. Errors: ERR_BAD_FORMAT (they are no such tables), ERR_NO_SPACE.
 * Context: any; pure. */
MUST_CHECK enum status acpi_loader_make(uint8_t *tables, size_t len_bytes, size_t rsdp_offset, struct acpi_loader *out);
