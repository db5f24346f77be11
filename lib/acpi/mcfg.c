/* MCFG. Source: PCI Firmware Specification 3.3, "MCFG Table Description". */
#include "lib/acpi/mcfg.h"

#include "lib/acpi/table.h"

#define MCFG_ENTRIES     44U
#define MCFG_ENTRY_BYTES 16U

enum status acpi_mcfg_segment(const void *table, size_t span_bytes, unsigned index, struct acpi_mcfg_segment *out,
			      uint32_t *warnings)
{
	struct acpi_table opened;
	const uint8_t *at;
	enum status status = acpi_table_open(table, span_bytes, "MCFG", MCFG_ENTRIES, &opened);

	if (status != OK)
		return status;
	*warnings |= opened.warnings;
	if (index >= ACPI_MCFG_MAX || index >= (opened.length_bytes - MCFG_ENTRIES) / MCFG_ENTRY_BYTES)
		return ERR_NOT_FOUND;
	at = opened.bytes + MCFG_ENTRIES + (size_t)index * MCFG_ENTRY_BYTES;
	*out = (struct acpi_mcfg_segment){
		.base_physical = acpi_load64(at),
		.segment = acpi_load16(at + 8),
		.first_bus = at[10],
		.last_bus = at[11],
	};
	if (out->base_physical == 0 || out->first_bus > out->last_bus)
		*warnings |= ACPI_WARN_RANGE_ODD;
	return OK;
}
