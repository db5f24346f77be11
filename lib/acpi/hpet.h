/* HPET: where the high precision event timer is.
 * Source: IA-PC HPET Specification 1.0a, "The ACPI 2.0 HPET Description Table (HPET)". */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

struct acpi_hpet {
	uint64_t physical; /* of its registers, in memory */
	uint32_t block_id;
	uint16_t min_ticks;
	uint8_t number;
	uint32_t warnings;
};

/* Errors: ERR_TRUNCATED, ERR_BAD_FORMAT, ERR_UNSUPPORTED (registers not in memory, or at 0). */
MUST_CHECK enum status acpi_hpet_parse(const void *table, size_t span_bytes, struct acpi_hpet *out);
