/* The parts that all ACPI table parsers share. Owns no state.
 * Source: ACPI Specification 6.4, "System Description Table Header". */
#include "lib/acpi/table.h"

#include "lib/base/string.h"

#define HEADER_LENGTH 4

const char *acpi_warning_text(unsigned index)
{
	static const char *const texts[ACPI_WARNING_COUNT] = {
#define ACPI_WARNING_TEXT(name, text) [ACPI_WARNING_INDEX_##name] = (text),
		ACPI_WARNINGS(ACPI_WARNING_TEXT)
#undef ACPI_WARNING_TEXT
	};

	return index < ACPI_WARNING_COUNT ? texts[index] : NULL;
}

uint8_t acpi_sum(const uint8_t *bytes, size_t length_bytes)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length_bytes; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum;
}

enum status acpi_table_open(const void *table, size_t span_bytes, const char *signature, size_t min_bytes,
			    struct acpi_table *out)
{
	struct acpi_table opened = {.bytes = table};

	if (span_bytes < ACPI_HEADER_BYTES)
		return ERR_TRUNCATED;
	if (signature != NULL && memcmp(opened.bytes, signature, 4) != 0)
		return ERR_BAD_FORMAT;
	opened.length_bytes = acpi_load32(opened.bytes + HEADER_LENGTH);
	if (opened.length_bytes > span_bytes) {
		opened.length_bytes = span_bytes;
		opened.warnings |= ACPI_WARN_TRUNCATED;
	}
	if (opened.length_bytes < ACPI_HEADER_BYTES || opened.length_bytes < min_bytes)
		return ERR_TRUNCATED;
	if (acpi_sum(opened.bytes, opened.length_bytes) != 0)
		opened.warnings |= ACPI_WARN_CHECKSUM;
	*out = opened;
	return OK;
}

bool acpi_next_entry(struct acpi_cursor *cursor, struct acpi_entry *entry)
{
	size_t left = cursor->table->length_bytes - cursor->offset;
	const uint8_t *at = cursor->table->bytes + cursor->offset;
	size_t length;

	if (left == 0)
		return false;
	length = left < cursor->header_bytes ? 0 : cursor->header_bytes == 2 ? at[1] : acpi_load16(at + 2);
	if (length < cursor->header_bytes || length > left) {
		cursor->warnings |= ACPI_WARN_ENTRY_LENGTH;
		cursor->offset = cursor->table->length_bytes;
		return false;
	}
	entry->type = cursor->header_bytes == 2 ? at[0] : acpi_load16(at);
	entry->bytes = at;
	entry->length_bytes = length;
	cursor->offset += length;
	return true;
}
