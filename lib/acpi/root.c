/* RSDP, XSDT and RSDT. Only one span of physical memory is mapped at any time, so nothing is kept but numbers.
 * Source: ACPI Specification 6.4, "Root System Description Pointer (RSDP)", "Root System Description Table (RSDT)",
 * "Extended System Description Table (XSDT)". */
#include "lib/acpi/root.h"

#include "lib/base/string.h"

#define RSDP_OLD_BYTES   20U
#define RSDP_REVISION    15
#define RSDP_RSDT        16
#define RSDP_LENGTH      20
#define RSDP_XSDT        24
#define RSDP_ALIGN_BYTES 16U

/* The extended part counts only if it is there whole and its own checksum holds. */
static uint64_t rsdp_xsdt(const uint8_t *bytes, size_t span_bytes)
{
	uint32_t length;

	if (bytes[RSDP_REVISION] < 2 || span_bytes < ACPI_RSDP_BYTES)
		return 0;
	length = acpi_load32(bytes + RSDP_LENGTH);
	if (length < ACPI_RSDP_BYTES || length > span_bytes || acpi_sum(bytes, length) != 0)
		return 0;
	return acpi_load64(bytes + RSDP_XSDT);
}

enum status acpi_rsdp_parse(const void *rsdp, size_t span_bytes, struct acpi_rsdp *out)
{
	const uint8_t *bytes = rsdp;
	struct acpi_rsdp parsed;

	if (span_bytes < RSDP_OLD_BYTES)
		return ERR_TRUNCATED;
	if (memcmp(bytes, "RSD PTR ", 8) != 0 || acpi_sum(bytes, RSDP_OLD_BYTES) != 0)
		return ERR_BAD_FORMAT;
	parsed.revision = bytes[RSDP_REVISION];
	parsed.rsdt_physical = acpi_load32(bytes + RSDP_RSDT);
	parsed.xsdt_physical = rsdp_xsdt(bytes, span_bytes);
	if (parsed.rsdt_physical == 0 && parsed.xsdt_physical == 0)
		return ERR_BAD_FORMAT;
	*out = parsed;
	return OK;
}

enum status acpi_rsdp_search(const void *span, size_t span_bytes, size_t *offset_bytes)
{
	const uint8_t *bytes = span;
	struct acpi_rsdp rsdp;

	for (size_t at = 0; at < span_bytes; at += RSDP_ALIGN_BYTES) {
		if (acpi_rsdp_parse(bytes + at, span_bytes - at, &rsdp) == OK) {
			*offset_bytes = at;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

/* Maps the header, checks it, and returns the length that it states, 36 to ACPI_TABLE_MAX_BYTES. */
static enum status read_header(const struct acpi_memory *memory, uint64_t physical, const char *signature,
			       size_t *length_bytes)
{
	const uint8_t *header;
	uint32_t length;

	if (physical == 0 || physical > UINT64_MAX - ACPI_TABLE_MAX_BYTES)
		return ERR_FAULT;
	header = memory->map(memory->ctx, physical, ACPI_HEADER_BYTES);
	if (header == NULL)
		return ERR_FAULT;
	if (signature != NULL && memcmp(header, signature, 4) != 0)
		return ERR_BAD_FORMAT;
	length = acpi_load32(header + 4);
	if (length < ACPI_HEADER_BYTES)
		return ERR_TRUNCATED;
	if (length > ACPI_TABLE_MAX_BYTES)
		return ERR_OUT_OF_RANGE;
	*length_bytes = length;
	return OK;
}

enum status acpi_table_at(const struct acpi_memory *memory, uint64_t physical, const char *signature,
			  struct acpi_table *out)
{
	const void *bytes;
	size_t length;
	enum status status = read_header(memory, physical, signature, &length);

	if (status != OK)
		return status;
	bytes = memory->map(memory->ctx, physical, length);
	if (bytes == NULL)
		return ERR_FAULT;
	return acpi_table_open(bytes, length, signature, ACPI_HEADER_BYTES, out);
}

static enum status open_list(const struct acpi_memory *memory, uint64_t physical, const char *signature,
			     uint32_t entry_bytes, struct acpi_root *out)
{
	struct acpi_table table;
	size_t count;
	enum status status = acpi_table_at(memory, physical, signature, &table);

	if (status != OK)
		return status;
	count = (table.length_bytes - ACPI_HEADER_BYTES) / entry_bytes;
	if (count == 0)
		return ERR_TRUNCATED;
	*out = (struct acpi_root){
		.physical = physical,
		.entry_bytes = entry_bytes,
		.entry_count = count > ACPI_ROOT_MAX_TABLES ? ACPI_ROOT_MAX_TABLES : (uint32_t)count,
		.warnings = table.warnings | (count > ACPI_ROOT_MAX_TABLES ? ACPI_WARN_TABLES_DROPPED : 0U),
	};
	return OK;
}

enum status acpi_root_open(const struct acpi_memory *memory, uint64_t rsdp_physical, struct acpi_root *out)
{
	const void *bytes = memory->map(memory->ctx, rsdp_physical, ACPI_RSDP_BYTES);
	struct acpi_rsdp rsdp;
	enum status status;

	if (bytes == NULL)
		return ERR_FAULT;
	status = acpi_rsdp_parse(bytes, ACPI_RSDP_BYTES, &rsdp);
	if (status != OK)
		return status;
	if (open_list(memory, rsdp.xsdt_physical, "XSDT", 8, out) == OK)
		return OK;
	status = open_list(memory, rsdp.rsdt_physical, "RSDT", 4, out);
	if (status == OK && rsdp.revision >= 2)
		out->warnings |= ACPI_WARN_XSDT_UNUSABLE;
	return status;
}

enum status acpi_root_entry(const struct acpi_memory *memory, const struct acpi_root *root, uint32_t index,
			    uint64_t *table_physical)
{
	const uint8_t *entry;

	if (index >= root->entry_count)
		return ERR_OUT_OF_RANGE;
	entry = memory->map(memory->ctx, root->physical + ACPI_HEADER_BYTES + (uint64_t)index * root->entry_bytes,
			    root->entry_bytes);
	if (entry == NULL)
		return ERR_FAULT;
	*table_physical = root->entry_bytes == 8 ? acpi_load64(entry) : acpi_load32(entry);
	return OK;
}

enum status acpi_root_find(const struct acpi_memory *memory, const struct acpi_root *root, const char *signature,
			   unsigned nth, struct acpi_table *out)
{
	for (uint32_t i = 0; i < root->entry_count; i++) {
		uint64_t physical;
		size_t length;

		if (acpi_root_entry(memory, root, i, &physical) != OK ||
		    read_header(memory, physical, signature, &length) != OK)
			continue;
		if (nth-- == 0)
			return acpi_table_at(memory, physical, signature, out);
	}
	return ERR_NOT_FOUND;
}
