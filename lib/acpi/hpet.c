/* HPET. Source: IA-PC HPET Specification 1.0a, "The ACPI 2.0 HPET Description Table (HPET)". */
#include "lib/acpi/hpet.h"

#include "lib/acpi/fadt.h"
#include "lib/acpi/table.h"

#define HPET_BLOCK_ID  36
#define HPET_ADDRESS   40
#define HPET_NUMBER    52
#define HPET_MIN_TICKS 53
#define HPET_BYTES     56U

enum status acpi_hpet_parse(const void *table, size_t span_bytes, struct acpi_hpet *out)
{
	struct acpi_table opened;
	struct acpi_gas gas;
	enum status status = acpi_table_open(table, span_bytes, "HPET", HPET_BYTES, &opened);

	if (status != OK)
		return status;
	gas = acpi_gas_load(opened.bytes + HPET_ADDRESS);
	if (gas.space != ACPI_GAS_MEMORY || gas.address == 0)
		return ERR_UNSUPPORTED;
	*out = (struct acpi_hpet){
		.physical = gas.address,
		.block_id = acpi_load32(opened.bytes + HPET_BLOCK_ID),
		.min_ticks = acpi_load16(opened.bytes + HPET_MIN_TICKS),
		.number = opened.bytes[HPET_NUMBER],
		.warnings = opened.warnings,
	};
	return OK;
}
