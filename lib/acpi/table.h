/* What all ACPI tables share: unaligned loads, the 36-byte header, checksum, lists of entries, warnings.
 * Parsers are pure: they see a span of bytes and fill a plain struct. Firmware is not trusted to be right, so no
 * length is believed beyond the span; what can be lived with becomes a warning bit, the rest an error.
 * Source: ACPI Specification 6.4, "System Description Table Header". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define ACPI_HEADER_BYTES    36U
#define ACPI_TABLE_MAX_BYTES 0x100000U /* no table longer than this is mapped */

#define ACPI_WARNINGS(X) \
	X(CHECKSUM, "wrong checksum") \
	X(TRUNCATED, "table shorter than its header says") \
	X(ENTRY_LENGTH, "an entry has an impossible length") \
	X(XSDT_UNUSABLE, "XSDT absent or unusable, RSDT taken") \
	X(TABLES_DROPPED, "more tables than are looked at") \
	X(CPU_BAD_ID, "an enabled CPU has no APIC id") \
	X(CPU_DUPLICATE, "an APIC id appears twice") \
	X(CPUS_DROPPED, "more CPUs than there is room for") \
	X(IOAPIC_DUPLICATE, "an IOAPIC appears twice") \
	X(IOAPICS_DROPPED, "more IOAPICs than there is room for") \
	X(OVERRIDE_ODD, "an interrupt override is repeated or not of an ISA interrupt") \
	X(ADDRESS_MISMATCH, "32-bit and 64-bit address fields differ") \
	X(ADDRESS_SPACE, "a register lies in an address space that cannot be used") \
	X(RANGE_ODD, "an address or bus range is empty or ends before it starts") \
	X(S5_AMBIGUOUS, "several _S5_ objects with different values, the first taken")

enum acpi_warning_index {
#define ACPI_WARNING_INDEX(name, text) ACPI_WARNING_INDEX_##name,
	ACPI_WARNINGS(ACPI_WARNING_INDEX)
#undef ACPI_WARNING_INDEX
	ACPI_WARNING_COUNT
};

enum acpi_warning {
#define ACPI_WARNING_BIT(name, text) ACPI_WARN_##name = 1U << ACPI_WARNING_INDEX_##name,
	ACPI_WARNINGS(ACPI_WARNING_BIT)
#undef ACPI_WARNING_BIT
};

/* The text of warning bit `index`; NULL from ACPI_WARNING_COUNT on. */
const char *acpi_warning_text(unsigned index);

/* A table whose header was checked. bytes: length_bytes readable bytes, at least ACPI_HEADER_BYTES; owned by the
 * caller. */
struct acpi_table {
	const uint8_t *bytes;
	size_t length_bytes;
	uint32_t warnings;
};

/* Checks signature (4 characters; NULL: any) and lengths and sums the bytes of a table that starts the given span.
 * A wrong checksum and a header length beyond the span are warnings; out->length_bytes is never beyond the span.
 * Errors: ERR_TRUNCATED (shorter than min_bytes, which is at least ACPI_HEADER_BYTES), ERR_BAD_FORMAT (other
 * signature). */
MUST_CHECK enum status acpi_table_open(const void *table, size_t span_bytes, const char *signature, size_t min_bytes,
				       struct acpi_table *out);

/* The sum of the bytes modulo 256: 0 for a right table. */
uint8_t acpi_sum(const uint8_t *bytes, size_t length_bytes);

/* Walks entries that start with type and length: one byte each (header_bytes 2: MADT) or two (4: DMAR). */
struct acpi_cursor {
	const struct acpi_table *table;
	size_t offset;
	size_t header_bytes;
	uint32_t warnings;
};

struct acpi_entry {
	unsigned type;
	const uint8_t *bytes; /* from the type field on */
	size_t length_bytes;  /* at least header_bytes, inside the table */
};

/* Fills *entry and moves on. Returns whether there was one; a length that is impossible ends the walk with a
 * warning. */
bool acpi_next_entry(struct acpi_cursor *cursor, struct acpi_entry *entry);

static inline uint16_t acpi_load16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t acpi_load32(const uint8_t *at)
{
	return (uint32_t)acpi_load16(at) | (uint32_t)acpi_load16(at + 2) << 16;
}

static inline uint64_t acpi_load64(const uint8_t *at)
{
	return (uint64_t)acpi_load32(at) | (uint64_t)acpi_load32(at + 4) << 32;
}
