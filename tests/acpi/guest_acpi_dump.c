/* Writes a guest's ACPI tables to files, for iasl to judge: guest_acpi_dump FOLDER VCPUS FEATURES(hex).
 * FOLDER gets one NAME.bin for each table that RSDP, XSDT and FADT lead to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/acpi/fadt_layout.h"
#include "lib/acpi/table.h"
#include "vmm/acpi/tables.h"

static uint8_t image[GUEST_ACPI_MAX_BYTES];

static int save(const char *folder, const char *name, const uint8_t *bytes, size_t length_bytes)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%.4s.bin", folder, name);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(bytes, 1, length_bytes, file) != length_bytes || fclose(file) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

static int save_table(const char *folder, uint64_t physical)
{
	const uint8_t *table = image + (physical - GUEST_ACPI_PHYSICAL);

	if (memcmp(table, "FACP", 4) == 0 && (save_table(folder, acpi_load64(table + FADT_X_DSDT)) != 0 ||
					      save_table(folder, acpi_load32(table + FADT_FIRMWARE_CTRL)) != 0))
		return 1;
	return save(folder, (const char *)table, table, acpi_load32(table + 4));
}

int main(int argc, char **argv)
{
	struct guest_acpi_config config = {
		.physical = GUEST_ACPI_PHYSICAL, .high_window_first_gib = 5, .high_window_end_gib = 1024};
	struct guest_acpi_layout layout;
	const uint8_t *rsdp, *xsdt;

	if (argc != 4)
		return 2;
	config.vcpu_count = (uint32_t)strtoul(argv[2], NULL, 10);
	config.features = (uint32_t)strtoul(argv[3], NULL, 16);
	if (guest_acpi_build(&config, image, sizeof(image), &layout) != OK)
		return 1;
	rsdp = image + (layout.rsdp_physical - GUEST_ACPI_PHYSICAL);
	xsdt = image + (acpi_load64(rsdp + 24) - GUEST_ACPI_PHYSICAL);
	for (size_t at = ACPI_HEADER_BYTES; at < acpi_load32(xsdt + 4); at += 8) {
		if (save_table(argv[1], acpi_load64(xsdt + at)) != 0)
			return 1;
	}
	return save_table(argv[1], acpi_load64(rsdp + 24)) != 0 || save_table(argv[1], acpi_load32(rsdp + 16)) != 0 ||
	       save(argv[1], "RSDP", rsdp, 36) != 0;
}
