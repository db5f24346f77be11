/* The \_S5_ object of the DSDT or an SSDT: what to write to PM1 control to switch the PC off. Found by its encoding;
 * AML is not interpreted.
 * Source: ACPI Specification 6.4, "\_Sx (System States)", "AML Grammar Definition". */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/acpi/root.h"

struct acpi_s5 {
	uint8_t sleep_type_a; /* SLP_TYP for PM1a control, or for the sleep control register; 0 to 7 */
	uint8_t sleep_type_b; /* for PM1b control */
	uint32_t warnings;
};

/* Searches the AML of one table (DSDT or SSDT, header included) for Name (_S5_, Package {a, b, ...}).
 * Errors: ERR_NOT_FOUND, ERR_TRUNCATED (no table). */
MUST_CHECK enum status acpi_s5_search(const void *table, size_t span_bytes, struct acpi_s5 *out);

/* Searches the DSDT (its address from the FADT), then every SSDT. Errors: ERR_NOT_FOUND. */
MUST_CHECK enum status acpi_s5_find(const struct acpi_memory *memory, const struct acpi_root *root,
				    uint64_t dsdt_physical, struct acpi_s5 *out);
