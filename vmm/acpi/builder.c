/* Placement, headers and checksums of ACPI tables under construction.
 * Source: ACPI Specification 6.4, "System Description Table Header". */
#include "vmm/acpi/builder.h"

#include "lib/acpi/table.h"
#include "lib/base/string.h"

#define TABLE_ALIGN_BYTES 16U
#define HEADER_LENGTH     4
#define HEADER_REVISION   8
#define HEADER_CHECKSUM   9
#define HEADER_OEM_ID     10 /* 6 bytes, then 8 of the OEM's table id */
#define HEADER_OEM_REV    24
#define HEADER_CREATOR    28
#define HEADER_CREATOR_REV 32

void acpi_store16(uint8_t *at, uint16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)(value >> 8);
}

void acpi_store32(uint8_t *at, uint32_t value)
{
	acpi_store16(at, (uint16_t)value);
	acpi_store16(at + 2, (uint16_t)(value >> 16));
}

void acpi_store64(uint8_t *at, uint64_t value)
{
	acpi_store32(at, (uint32_t)value);
	acpi_store32(at + 4, (uint32_t)(value >> 32));
}

uint8_t *acpi_builder_reserve(struct acpi_builder *builder, size_t length_bytes, size_t alignment)
{
	size_t padding = (alignment - builder->used_bytes % alignment) % alignment;
	size_t left = builder->buffer_bytes - builder->used_bytes;
	uint8_t *at;

	if (padding > left || length_bytes > left - padding) {
		builder->overflowed = true;
		return NULL;
	}
	at = builder->buffer + builder->used_bytes + padding;
	memset(builder->buffer + builder->used_bytes, 0, padding + length_bytes);
	builder->used_bytes += padding + length_bytes;
	return at;
}

uint8_t *acpi_builder_table(struct acpi_builder *builder, const char *signature, uint8_t revision, size_t length_bytes)
{
	uint8_t *table = acpi_builder_reserve(builder, length_bytes, TABLE_ALIGN_BYTES);

	if (table == NULL)
		return NULL;
	memcpy(table, signature, 4);
	acpi_store32(table + HEADER_LENGTH, (uint32_t)length_bytes);
	table[HEADER_REVISION] = revision;
	memcpy(table + HEADER_OEM_ID, "BLKHD GUEST   ", 14);
	acpi_store32(table + HEADER_OEM_REV, 1);
	memcpy(table + HEADER_CREATOR, "BLKH", 4);
	acpi_store32(table + HEADER_CREATOR_REV, 1);
	return table;
}

void acpi_builder_finish(struct acpi_builder *builder, uint8_t *table, bool listed)
{
	if (listed && builder->root_count == ACPI_BUILDER_ROOTS_MAX) {
		builder->overflowed = true;
		return;
	}
	table[HEADER_CHECKSUM] = 0;
	table[HEADER_CHECKSUM] = (uint8_t)(0U - acpi_sum(table, acpi_load32(table + HEADER_LENGTH)));
	if (listed)
		builder->root_tables[builder->root_count++] = table;
}

uint64_t acpi_builder_physical(const struct acpi_builder *builder, const uint8_t *at)
{
	return builder->physical + (uint64_t)(at - builder->buffer);
}
