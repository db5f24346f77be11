/* The PC's ACPI tables. Each is mapped read-only while it is looked at; parsing is lib/acpi's. */
#include "manager/firmware_tables.h"

#include "lib/acpi/dmar.h"
#include "lib/acpi/hpet.h"
#include "lib/acpi/madt.h"
#include "lib/acpi/mcfg.h"
#include "lib/acpi/root.h"
#include "manager/layout.h"
#include "user/calls.h"
#include "user/log.h"

#define LOGGED_UNITS_MAX    8U
#define LOGGED_SEGMENTS_MAX 4U

static void unmap_window(void)
{
	/* Fails only where nothing is mapped: then that is as it shall be. */
	enum status status = space_unmap_all(MANAGER_HANDLE_SPACE, MANAGER_WINDOW_ACPI);

	(void)status;
}

/* For struct acpi_memory: the kernel refuses memory that programs or guests own. */
static const void *map_table(void *context, uint64_t physical, size_t length_bytes)
{
	uint64_t first_page = physical & ~4095ULL;
	uint64_t in_page = physical - first_page;
	uint64_t len_bytes = (in_page + length_bytes + 4095) & ~4095ULL;
	handle_t memory;
	enum status status;

	(void)context;
	unmap_window();
	if (length_bytes > ACPI_TABLE_MAX_BYTES || physical > UINT64_MAX - 2 * ACPI_TABLE_MAX_BYTES)
		return NULL;
	if (sys_memory_device(MANAGER_HANDLE_HOST, MANAGER_HANDLE_POOL, first_page, len_bytes, MEMORY_CACHED, &memory) != OK)
		return NULL;
	status = space_map_all(MANAGER_HANDLE_SPACE, memory, MANAGER_WINDOW_ACPI, 0, len_bytes, RIGHT_READ);
	sys_handle_close(memory);
	return status == OK ? (const uint8_t *)MANAGER_WINDOW_ACPI + in_page : NULL;
}

static const struct acpi_memory tables = {.map = map_table};

/* An interrupt override says how the SCI arrives; without one it is level-triggered and active low. */
static bool sci_has_override(const struct acpi_root *root, uint16_t sci_irq)
{
	static struct acpi_madt madt;
	static struct acpi_cpu cpus[1]; /* they do not matter here */
	struct acpi_table table;

	if (sci_irq >= ACPI_ISA_IRQ_COUNT || acpi_root_find(&tables, root, "APIC", 0, &table) != OK)
		return false;
	if (acpi_madt_parse(table.bytes, table.length_bytes, cpus, 1, &madt) != OK)
		return false;
	return madt.isa[sci_irq].overridden;
}

enum status firmware_read_power(uint64_t rsdp_physical, struct power_tables *out)
{
	struct acpi_root root;
	struct acpi_table table;
	enum status status = acpi_root_open(&tables, rsdp_physical, &root);

	if (status == OK)
		status = acpi_root_find(&tables, &root, "FACP", 0, &table);
	if (status == OK)
		status = acpi_fadt_parse(table.bytes, table.length_bytes, &out->fadt);
	if (status == OK) {
		out->has_s5 = acpi_s5_find(&tables, &root, out->fadt.dsdt_physical, &out->s5) == OK;
		out->sci_is_isa_route = sci_has_override(&root, out->fadt.sci_irq);
	}
	unmap_window();
	return status == OK ? OK : ERR_NOT_FOUND;
}

struct serial_port firmware_read_serial_port(uint64_t rsdp_physical)
{
	struct acpi_root root;
	struct acpi_table table;
	struct acpi_serial spcr;
	bool named = acpi_root_open(&tables, rsdp_physical, &root) == OK &&
		     acpi_root_find(&tables, &root, "SPCR", 0, &table) == OK &&
		     acpi_spcr_parse(table.bytes, table.length_bytes, &spcr) == OK;

	unmap_window();
	return serial_port_choose(named ? &spcr : NULL);
}

static void log_dmar(const struct acpi_root *root)
{
	struct acpi_table table;
	struct acpi_dmar dmar;
	struct acpi_dmar_unit unit;
	struct acpi_cursor cursor;

	if (acpi_root_find(&tables, root, "DMAR", 0, &table) != OK ||
	    acpi_dmar_open(table.bytes, table.length_bytes, &dmar) != OK)
		return;
	log_print("acpi: DMAR, %u address bits, interrupt remapping %s", dmar.address_width_bits,
		  dmar.interrupt_remapping ? "yes" : "no");
	cursor = acpi_dmar_begin(&dmar);
	for (unsigned i = 0; i < LOGGED_UNITS_MAX && acpi_dmar_next(&cursor, &unit); i++) {
		if (unit.kind == ACPI_DMAR_DRHD)
			log_print("acpi: IOMMU at 0x%lx%s", unit.base_physical, unit.everything ? ", all other devices" : "");
		else if (unit.kind == ACPI_DMAR_RMRR)
			log_print("acpi: memory reserved for DMA, 0x%lx to 0x%lx", unit.base_physical, unit.last_physical);
	}
}

static void log_mcfg(const struct acpi_root *root)
{
	struct acpi_mcfg_segment segment;
	struct acpi_table table;
	uint32_t warnings = 0;

	if (acpi_root_find(&tables, root, "MCFG", 0, &table) != OK)
		return;
	for (unsigned i = 0; i < LOGGED_SEGMENTS_MAX; i++) {
		if (acpi_mcfg_segment(table.bytes, table.length_bytes, i, &segment, &warnings) != OK)
			return;
		log_print("acpi: MCFG, segment %u, buses %u to %u at 0x%lx", segment.segment, segment.first_bus,
			  segment.last_bus, segment.base_physical);
	}
}

static void log_hpet(const struct acpi_root *root)
{
	struct acpi_table table;
	struct acpi_hpet hpet;

	if (acpi_root_find(&tables, root, "HPET", 0, &table) == OK &&
	    acpi_hpet_parse(table.bytes, table.length_bytes, &hpet) == OK)
		log_print("acpi: HPET %u at 0x%lx", hpet.number, hpet.physical);
}

void firmware_log_tables(const struct host_info *info)
{
	struct acpi_root root;

	for (unsigned i = 0; i < ACPI_WARNING_COUNT; i++) {
		if (info->acpi_warnings >> i & 1)
			log_print("acpi: odd tables: %s", acpi_warning_text(i));
	}
	if (acpi_root_open(&tables, info->rsdp_physical, &root) != OK)
		return;
	log_dmar(&root);
	log_mcfg(&root);
	log_hpet(&root);
	unmap_window();
}
