/* DMAR: the IOMMUs (VT-d) of a PC and what memory devices need through them.
 * Source: Intel Virtualization Technology for Directed I/O Architecture Specification 4.1, "BIOS Considerations". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/acpi/table.h"

#define ACPI_DMAR_PATH_MAX 8U

enum acpi_dmar_kind { ACPI_DMAR_DRHD = 0, ACPI_DMAR_RMRR = 1, ACPI_DMAR_ATSR = 2 };

struct acpi_dmar {
	struct acpi_table table;
	uint8_t address_width_bits; /* of DMA addresses */
	bool interrupt_remapping;
	bool x2apic_opt_out;
};

/* One remapping structure of the three kinds that matter for finding IOMMUs. */
struct acpi_dmar_unit {
	enum acpi_dmar_kind kind;
	uint16_t segment;
	uint64_t base_physical;  /* DRHD: registers; RMRR: first byte of the memory */
	uint64_t last_physical;  /* RMRR: last byte */
	bool everything;         /* DRHD: all other devices of the segment; ATSR: all root ports */
	struct acpi_table scope; /* device scopes: bytes and length only, may be empty */
};

struct acpi_dmar_scope {
	uint8_t type; /* 1 endpoint, 2 bridge, 3 IOAPIC, 4 HPET, 5 ACPI namespace device */
	uint8_t id;   /* of the IOAPIC or HPET */
	uint8_t bus;  /* where the path starts */
	uint8_t path_count;
	struct { uint8_t device, function; } path[ACPI_DMAR_PATH_MAX];
};

/* Opens a DMAR; the result points into the table. Errors: ERR_TRUNCATED, ERR_BAD_FORMAT. */
MUST_CHECK enum status acpi_dmar_open(const void *table, size_t span_bytes, struct acpi_dmar *out);

/* A cursor at the first remapping structure; acpi_dmar_next returns whether there was another one of the three
 * kinds. */
struct acpi_cursor acpi_dmar_begin(const struct acpi_dmar *dmar);
bool acpi_dmar_next(struct acpi_cursor *cursor, struct acpi_dmar_unit *unit);

/* The device scope at *offset (start with 0) of unit->scope; moves *offset on. Returns whether there was one; an
 * impossible length ends the walk. Paths longer than ACPI_DMAR_PATH_MAX are cut. */
bool acpi_dmar_next_scope(const struct acpi_dmar_unit *unit, size_t *offset, struct acpi_dmar_scope *scope);
