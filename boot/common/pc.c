/* The PC as its firmware describes it. Owns what of it the kernel is told; parsing is lib/acpi's. */
#include "boot/common/pc.h"

#include "lib/acpi/fadt.h"
#include "lib/acpi/madt.h"

#define PORT_LAST_OF_32_BITS 0xfffcU

_Static_assert(BOOT_ISA_IRQS == ACPI_ISA_IRQ_COUNT, "an interrupt route for each ISA interrupt");

static void read_fadt(const struct acpi_memory *memory, const struct acpi_root *root, struct pc *out)
{
	struct acpi_table table;
	struct acpi_fadt fadt;

	if (acpi_root_find(memory, root, "FACP", 0, &table) != OK ||
	    acpi_fadt_parse(table.bytes, table.length_bytes, &fadt) != OK)
		return;
	out->warnings |= fadt.warnings;
	if (fadt.pm_timer.at.space == ACPI_GAS_PORT && fadt.pm_timer.at.address <= PORT_LAST_OF_32_BITS)
		out->pm_timer_port = (uint16_t)fadt.pm_timer.at.address;
}

static void take_cpus(const struct acpi_cpu *cpus, uint32_t count, struct pc *out)
{
	for (uint32_t i = 0; i < count; i++) {
		if (cpus[i].state == ACPI_CPU_ENABLED)
			out->apic_ids[out->pc.cpu_count++] = cpus[i].apic_id;
	}
}

static void take_interrupts(const struct acpi_madt *madt, struct pc *out)
{
	for (uint32_t i = 0; i < madt->ioapic_count && i < BOOT_IOAPICS_MAX; i++)
		out->pc.ioapics[out->pc.ioapic_count++] = (struct boot_ioapic){
			.physical = madt->ioapics[i].physical,
			.gsi_base = madt->ioapics[i].gsi_base,
		};
	for (unsigned i = 0; i < BOOT_ISA_IRQS; i++)
		out->pc.isa_irqs[i] = (struct boot_irq_route){
			.gsi = madt->isa[i].gsi,
			.active_low = madt->isa[i].active_low,
			.level_triggered = madt->isa[i].level_triggered,
		};
	out->pc.has_8259 = madt->has_8259;
}

static enum status read_madt(const struct acpi_memory *memory, const struct acpi_root *root, struct pc *out)
{
	static struct acpi_madt madt;
	static struct acpi_cpu cpus[BOOT_CPUS_MAX];
	struct acpi_table table;
	enum status status = acpi_root_find(memory, root, "APIC", 0, &table);

	if (status == OK)
		status = acpi_madt_parse(table.bytes, table.length_bytes, cpus, BOOT_CPUS_MAX, &madt);
	if (status != OK)
		return status;
	out->warnings |= madt.warnings;
	out->left_out = madt.ioapic_count > BOOT_IOAPICS_MAX ||
			(madt.warnings & (ACPI_WARN_CPUS_DROPPED | ACPI_WARN_IOAPICS_DROPPED)) != 0;
	take_cpus(cpus, madt.cpu_count, out);
	take_interrupts(&madt, out);
	return OK;
}

enum status pc_read(const struct acpi_memory *memory, uint64_t rsdp_physical, struct pc *out)
{
	struct acpi_root root;
	enum status status;

	*out = (struct pc){.pc = {.has_8259 = true}};
	for (uint32_t i = 0; i < BOOT_ISA_IRQS; i++)
		out->pc.isa_irqs[i].gsi = i;
	if (rsdp_physical == 0)
		return ERR_NOT_FOUND;
	status = acpi_root_open(memory, rsdp_physical, &root);
	if (status != OK)
		return status;
	out->warnings = root.warnings;
	read_fadt(memory, &root, out);
	return read_madt(memory, &root, out);
}
