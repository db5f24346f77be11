/* DMAR. Source: Intel Virtualization Technology for Directed I/O Architecture Specification 4.1,
 * "DMA Remapping Reporting Structure" and the sections after it. */
#include "lib/acpi/dmar.h"

#define DMAR_WIDTH                    36
#define DMAR_FLAGS                    37
#define DMAR_ENTRIES                  48U
#define DMAR_FLAG_INTR_REMAP          0x1U
#define DMAR_FLAG_X2APIC_OPT_OUT      0x2U
#define DMAR_FLAG_EVERYTHING          0x1U
#define SCOPE_PATH                    6U

/* Bytes before the device scopes. */
static const uint8_t unit_head_bytes[] = {[ACPI_DMAR_DRHD] = 16, [ACPI_DMAR_RMRR] = 24, [ACPI_DMAR_ATSR] = 8};

enum status acpi_dmar_open(const void *table, size_t span_bytes, struct acpi_dmar *out)
{
	struct acpi_table opened;
	enum status status = acpi_table_open(table, span_bytes, "DMAR", DMAR_ENTRIES, &opened);

	if (status != OK)
		return status;
	*out = (struct acpi_dmar){
		.table = opened,
		.address_width_bits = (uint8_t)(opened.bytes[DMAR_WIDTH] + 1),
		.interrupt_remapping = (opened.bytes[DMAR_FLAGS] & DMAR_FLAG_INTR_REMAP) != 0,
		.x2apic_opt_out = (opened.bytes[DMAR_FLAGS] & DMAR_FLAG_X2APIC_OPT_OUT) != 0,
	};
	return OK;
}

struct acpi_cursor acpi_dmar_begin(const struct acpi_dmar *dmar)
{
	return (struct acpi_cursor){.table = &dmar->table, .offset = DMAR_ENTRIES, .header_bytes = 4};
}

static struct acpi_dmar_unit decode(const struct acpi_entry *entry)
{
	const uint8_t *at = entry->bytes;
	size_t head = unit_head_bytes[entry->type];
	struct acpi_dmar_unit unit = {
		.kind = (enum acpi_dmar_kind)entry->type,
		.segment = acpi_load16(at + 6),
		.scope = {.bytes = at + head, .length_bytes = entry->length_bytes - head},
	};

	switch (unit.kind) {
	case ACPI_DMAR_DRHD:
		unit.everything = (at[4] & DMAR_FLAG_EVERYTHING) != 0;
		unit.base_physical = acpi_load64(at + 8);
		break;
	case ACPI_DMAR_RMRR:
		unit.base_physical = acpi_load64(at + 8);
		unit.last_physical = acpi_load64(at + 16);
		break;
	case ACPI_DMAR_ATSR:
		unit.everything = (at[4] & DMAR_FLAG_EVERYTHING) != 0;
		break;
	}
	return unit;
}

bool acpi_dmar_next(struct acpi_cursor *cursor, struct acpi_dmar_unit *unit)
{
	struct acpi_entry entry;

	while (acpi_next_entry(cursor, &entry)) {
		if (entry.type > ACPI_DMAR_ATSR)
			continue;
		if (entry.length_bytes < unit_head_bytes[entry.type]) {
			cursor->warnings |= ACPI_WARN_ENTRY_LENGTH;
			continue;
		}
		*unit = decode(&entry);
		if (unit->kind == ACPI_DMAR_RMRR && unit->last_physical < unit->base_physical)
			cursor->warnings |= ACPI_WARN_RANGE_ODD;
		return true;
	}
	return false;
}

bool acpi_dmar_next_scope(const struct acpi_dmar_unit *unit, size_t *offset, struct acpi_dmar_scope *scope)
{
	struct acpi_cursor cursor = {.table = &unit->scope, .offset = *offset, .header_bytes = 2};
	struct acpi_entry entry;
	size_t count;

	if (!acpi_next_entry(&cursor, &entry) || entry.length_bytes < SCOPE_PATH)
		return false;
	*offset = cursor.offset;
	count = (entry.length_bytes - SCOPE_PATH) / 2;
	*scope = (struct acpi_dmar_scope){
		.type = (uint8_t)entry.type,
		.id = entry.bytes[4],
		.bus = entry.bytes[5],
		.path_count = (uint8_t)(count > ACPI_DMAR_PATH_MAX ? ACPI_DMAR_PATH_MAX : count),
	};
	for (size_t i = 0; i < scope->path_count; i++) {
		scope->path[i].device = entry.bytes[SCOPE_PATH + 2 * i];
		scope->path[i].function = entry.bytes[SCOPE_PATH + 2 * i + 1];
	}
	return true;
}
