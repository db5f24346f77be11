/* Reads MADT and FADT at boot. The tables stay mapped read-only: they are few and small. */
#include "kernel/firmware.h"

#include <stddef.h>

#include "kernel/cpu.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "lib/acpi/fadt.h"
#include "lib/acpi/root.h"

static const void *map_table(void *ctx, uint64_t physical, size_t length_bytes)
{
	(void)ctx;
	if (physical >> cpu_features.physical_address_bits != 0 || length_bytes > ACPI_TABLE_MAX_BYTES)
		return NULL;
	return kernel_map_device(physical, length_bytes, DEVICE_WRITE_BACK, false);
}

static void log_warnings(const char *table, uint32_t warnings)
{
	for (unsigned i = 0; i < ACPI_WARNING_COUNT; i++) {
		if (warnings >> i & 1)
			log_debug("ACPI: %s: %s", table, acpi_warning_text(i));
	}
}

static void read_fadt(const struct acpi_memory *memory, const struct acpi_root *root, struct firmware *firmware)
{
	struct acpi_table table;
	struct acpi_fadt fadt;

	if (acpi_root_find(memory, root, "FACP", 0, &table) != OK ||
	    acpi_fadt_parse(table.bytes, table.length_bytes, &fadt) != OK) {
		log_debug("ACPI: no usable FADT");
		return;
	}
	log_warnings("FADT", fadt.warnings);
	firmware->sci_irq = fadt.sci_irq;
	if (fadt.pm_timer.at.space == ACPI_GAS_PORT && fadt.pm_timer.at.address <= 0xfffc)
		firmware->pm_timer_port = (uint16_t)fadt.pm_timer.at.address;
}

enum status firmware_read(uint64_t rsdp_physical, struct firmware *firmware)
{
	const struct acpi_memory memory = {.map = map_table};
	struct acpi_root root;
	struct acpi_table table;
	enum status status;

	for (unsigned i = 0; i < ACPI_ISA_IRQ_COUNT; i++)
		firmware->madt.isa[i].gsi = i;
	firmware->madt.local_apic_physical = 0xfee00000;
	firmware->madt.has_8259 = true;
	if (rsdp_physical == 0)
		return ERR_NOT_FOUND;
	status = acpi_root_open(&memory, rsdp_physical, &root);
	if (status != OK)
		return status;
	log_warnings("root table", root.warnings);
	read_fadt(&memory, &root, firmware);
	status = acpi_root_find(&memory, &root, "APIC", 0, &table);
	if (status != OK)
		return status;
	status = acpi_madt_parse(table.bytes, table.length_bytes, firmware->cpus, 4 * CPUS_MAX, &firmware->madt);
	log_warnings("MADT", firmware->madt.warnings);
	return status;
}
