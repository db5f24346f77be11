/* Physical memory for ACPI tests: one span at ACPI_TEST_PHYSICAL, filled by the builder of vmm/acpi. Each map
 * returns a heap copy of exactly the length asked for and frees the one before, so that the sanitizers see every
 * byte too far and every use of a stale mapping. */
#pragma once
#include <stdlib.h>
#include <string.h>

#include "lib/acpi/root.h"
#include "vmm/acpi/builder.h"

#define ACPI_TEST_PHYSICAL 0x80000000ULL
#define ACPI_TEST_BYTES    0x10000U

struct acpi_test_memory {
	struct acpi_memory access;
	struct acpi_builder builder;
	uint8_t bytes[ACPI_TEST_BYTES];
	void *mapped;
};

static inline const void *acpi_test_map(void *ctx, uint64_t physical, size_t length_bytes)
{
	struct acpi_test_memory *memory = ctx;
	uint64_t offset = physical - ACPI_TEST_PHYSICAL;

	free(memory->mapped);
	memory->mapped = NULL;
	if (physical < ACPI_TEST_PHYSICAL || offset > ACPI_TEST_BYTES || length_bytes > ACPI_TEST_BYTES - offset)
		return NULL;
	memory->mapped = malloc(length_bytes + (length_bytes == 0));
	memcpy(memory->mapped, memory->bytes + offset, length_bytes);
	return memory->mapped;
}

static inline void acpi_test_memory_init(struct acpi_test_memory *memory)
{
	memset(memory, 0, sizeof(*memory));
	memory->access = (struct acpi_memory){.map = acpi_test_map, .ctx = memory};
	memory->builder = (struct acpi_builder){
		.buffer = memory->bytes, .buffer_bytes = ACPI_TEST_BYTES, .physical = ACPI_TEST_PHYSICAL};
}

static inline void acpi_test_memory_free(struct acpi_test_memory *memory)
{
	free(memory->mapped);
	memory->mapped = NULL;
}

/* Appends a table of these body bytes with the right checksum; returns its bytes (writable). */
static inline uint8_t *acpi_test_table(struct acpi_test_memory *memory, const char *signature, uint8_t revision,
				       const void *body, size_t body_bytes)
{
	uint8_t *table = acpi_builder_table(&memory->builder, signature, revision, ACPI_HEADER_BYTES + body_bytes);

	if (table == NULL)
		abort();
	memcpy(table + ACPI_HEADER_BYTES, body, body_bytes);
	acpi_builder_finish(&memory->builder, table, false);
	return table;
}

static inline uint64_t acpi_test_physical(const struct acpi_test_memory *memory, const uint8_t *table)
{
	return acpi_builder_physical(&memory->builder, table);
}
