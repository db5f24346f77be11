/* MCFG: where PCI Express configuration space is memory-mapped.
 * Source: PCI Firmware Specification 3.3, "MCFG Table Description". */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define ACPI_MCFG_MAX 256U

struct acpi_mcfg_segment {
	uint64_t base_physical; /* of bus 0, even where first_bus is another: bus b at base_physical + (b << 20) */
	uint16_t segment;
	uint8_t first_bus;
	uint8_t last_bus;
};

/* Entry `index` of a MCFG, counting from 0 and including odd ones.
 * *warnings gains ACPI_WARN_ bits (RANGE_ODD: do not use this entry).
 * Errors: ERR_TRUNCATED, ERR_BAD_FORMAT (not a MCFG), ERR_NOT_FOUND (no more entries, or ACPI_MCFG_MAX). */
MUST_CHECK enum status acpi_mcfg_segment(const void *table, size_t span_bytes, unsigned index,
					 struct acpi_mcfg_segment *out, uint32_t *warnings);
