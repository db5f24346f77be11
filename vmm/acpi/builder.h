/* Appends ACPI tables to a buffer: placement, headers, checksums. Knows no table by name. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_BUILDER_ROOTS_MAX 8U

struct acpi_builder {
	uint8_t *buffer;
	size_t buffer_bytes;
	size_t used_bytes;
	uint64_t physical; /* of buffer[0] */
	bool overflowed;   /* something did not fit; what was returned since is scratch */
	uint8_t *root_tables[ACPI_BUILDER_ROOTS_MAX]; /* to be listed in RSDT and XSDT */
	unsigned root_count;
};

/* Reserves length_bytes of zeros at a multiple of alignment (a power of two). NULL when the buffer is full:
 * overflowed is then set. */
uint8_t *acpi_builder_reserve(struct acpi_builder *builder, size_t length_bytes, size_t alignment);

/* Reserves a table with its header filled in (signature: 4 characters), all but the checksum. NULL as above. */
uint8_t *acpi_builder_table(struct acpi_builder *builder, const char *signature, uint8_t revision, size_t length_bytes);

/* Sets the checksum of a finished table and, if listed, remembers it for RSDT and XSDT. builder: may be NULL if not listed. */
void acpi_builder_finish(struct acpi_builder *builder, uint8_t *table, bool listed);

/* The guest-physical address of something reserved. */
uint64_t acpi_builder_physical(const struct acpi_builder *builder, const uint8_t *at);

void acpi_store16(uint8_t *at, uint16_t value);
void acpi_store32(uint8_t *at, uint32_t value);
void acpi_store64(uint8_t *at, uint64_t value);
