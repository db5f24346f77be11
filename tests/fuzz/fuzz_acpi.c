/* Every ACPI parser on the same bytes, as a single table and as physical memory with an RSDP at its start. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/common/pc.h"
#include "lib/acpi/dmar.h"
#include "lib/acpi/fadt.h"
#include "lib/acpi/hpet.h"
#include "lib/acpi/madt.h"
#include "lib/acpi/mcfg.h"
#include "lib/acpi/root.h"
#include "lib/acpi/s5.h"
#include "lib/acpi/serial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
	void *mapped;
};

/* Physical address 4096 is data[0]. */
static const void *map(void *ctx, uint64_t physical, size_t length_bytes)
{
	struct input *input = ctx;

	free(input->mapped);
	input->mapped = NULL;
	if (physical < 4096 || physical - 4096 > input->size || length_bytes > input->size - (physical - 4096))
		return NULL;
	input->mapped = malloc(length_bytes + (length_bytes == 0));
	memcpy(input->mapped, input->data + (physical - 4096), length_bytes);
	return input->mapped;
}

static void parse_dmar(const uint8_t *data, size_t size)
{
	struct acpi_dmar dmar;
	struct acpi_dmar_unit unit;
	struct acpi_dmar_scope scope;
	struct acpi_cursor cursor;

	if (acpi_dmar_open(data, size, &dmar) != OK)
		return;
	for (cursor = acpi_dmar_begin(&dmar); acpi_dmar_next(&cursor, &unit);) {
		size_t offset = 0;

		while (acpi_dmar_next_scope(&unit, &offset, &scope))
			continue;
	}
}

static void parse_lists(const uint8_t *data, size_t size)
{
	struct acpi_mcfg_segment segment;
	struct acpi_serial serial;
	uint32_t warnings = 0;

	for (unsigned i = 0; acpi_mcfg_segment(data, size, i, &segment, &warnings) == OK; i++)
		continue;
	for (unsigned i = 0; acpi_dbg2_device(data, size, i, &serial) == OK; i++)
		continue;
	(void)(acpi_spcr_parse(data, size, &serial) == OK);
}

static void parse_memory(const uint8_t *data, size_t size)
{
	struct input input = {.data = data, .size = size};
	struct acpi_memory memory = {.map = map, .ctx = &input};
	static struct pc pc;
	struct acpi_root root;
	struct acpi_table table;
	struct acpi_s5 s5;
	size_t offset;

	if (acpi_rsdp_search(data, size, &offset) == OK)
		(void)(pc_read(&memory, 4096 + offset, &pc) == OK);
	if (acpi_rsdp_search(data, size, &offset) == OK && acpi_root_open(&memory, 4096 + offset, &root) == OK) {
		(void)(acpi_root_find(&memory, &root, "APIC", 0, &table) == OK);
		(void)(acpi_s5_find(&memory, &root, 4096, &s5) == OK);
	}
	free(input.mapped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct acpi_madt madt;
	static struct acpi_cpu cpus[16];
	struct acpi_fadt fadt;
	struct acpi_hpet hpet;
	struct acpi_s5 s5;

	(void)(acpi_madt_parse(data, size, cpus, 16, &madt) == OK);
	(void)(acpi_fadt_parse(data, size, &fadt) == OK);
	(void)(acpi_hpet_parse(data, size, &hpet) == OK);
	(void)(acpi_s5_search(data, size, &s5) == OK);
	parse_dmar(data, size);
	parse_lists(data, size);
	parse_memory(data, size);
	return 0;
}
