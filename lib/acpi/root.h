/* From the RSDP to a table: finds and checks the root pointer, walks XSDT or RSDT, maps single tables.
 * Physical memory is reached only through the caller's accessor, one span at a time.
 * Source: ACPI Specification 6.4, "Root System Description Pointer (RSDP)" and the two sections after it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/acpi/table.h"

#define ACPI_RSDP_BYTES      36U
#define ACPI_ROOT_MAX_TABLES 1024U

/* map: makes length_bytes (at most ACPI_TABLE_MAX_BYTES) at a physical address readable and returns a pointer that
 * is valid until the next call, or NULL when that memory must not be touched. */
struct acpi_memory {
	const void *(*map)(void *ctx, uint64_t physical, size_t length_bytes);
	void *ctx;
};

struct acpi_rsdp {
	uint8_t revision;
	uint64_t rsdt_physical; /* 0: none */
	uint64_t xsdt_physical; /* 0: none, or the extended part is broken */
};

struct acpi_root {
	uint64_t physical;    /* of the XSDT or RSDT */
	uint32_t entry_count; /* at most ACPI_ROOT_MAX_TABLES */
	uint32_t entry_bytes; /* 8: XSDT, 4: RSDT */
	uint32_t warnings;
};

/* Checks an RSDP of revision 0 (20 bytes) or 2 (36 bytes) at the start of the span.
 * Errors: ERR_TRUNCATED, ERR_BAD_FORMAT (signature or checksum of the first part, or no root table at all). */
MUST_CHECK enum status acpi_rsdp_parse(const void *rsdp, size_t span_bytes, struct acpi_rsdp *out);

/* Searches a span (first KiB of the EBDA; E0000h to FFFFFh) for an RSDP on 16-byte boundaries.
 * *offset_bytes: where in the span. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum status acpi_rsdp_search(const void *span, size_t span_bytes, size_t *offset_bytes);

/* Reads the RSDP at rsdp_physical and opens the XSDT, or the RSDT where there is no usable XSDT.
 * Errors: those of acpi_rsdp_parse, ERR_FAULT (cannot be mapped), ERR_BAD_FORMAT, ERR_TRUNCATED (no usable root
 * table). */
MUST_CHECK enum status acpi_root_open(const struct acpi_memory *memory, uint64_t rsdp_physical, struct acpi_root *out);

/* The physical address of table `index` (less than root->entry_count). Errors: ERR_OUT_OF_RANGE, ERR_FAULT. */
MUST_CHECK enum status acpi_root_entry(const struct acpi_memory *memory, const struct acpi_root *root, uint32_t index,
				       uint64_t *table_physical);

/* Finds the table number `nth` (from 0) with this 4-character signature and maps it whole; unreadable entries are
 * skipped.
 * out is valid until the next use of memory. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum status acpi_root_find(const struct acpi_memory *memory, const struct acpi_root *root,
				      const char *signature, unsigned nth, struct acpi_table *out);

/* Maps the table at a physical address whole, after its header told its length; signature NULL: any.
 * out is valid until the next use of memory.
 * Errors: ERR_FAULT, ERR_TRUNCATED (length below a header's), ERR_OUT_OF_RANGE (above ACPI_TABLE_MAX_BYTES),
 * ERR_BAD_FORMAT (other signature). */
MUST_CHECK enum status acpi_table_at(const struct acpi_memory *memory, uint64_t physical, const char *signature,
				     struct acpi_table *out);
