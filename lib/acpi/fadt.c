/* FADT. Which fields a table has is told by its length: revision numbers of real firmware contradict it.
 * Source: ACPI Specification 6.4, "Fixed ACPI Description Table (FADT)". */
#include "lib/acpi/fadt.h"

#include "lib/acpi/table.h"

/* One register block: where its 32-bit address, its length and its 64-bit twin stand, and where it goes. */
struct block_layout {
	size_t legacy, length, extended;
	size_t member;
};

static const struct block_layout blocks[] = {
	{FADT_PM1A_EVT_BLK, FADT_PM1_EVT_LEN, FADT_X_PM1A_EVT_BLK, offsetof(struct acpi_fadt, pm1a_event)},
	{FADT_PM1B_EVT_BLK, FADT_PM1_EVT_LEN, FADT_X_PM1B_EVT_BLK, offsetof(struct acpi_fadt, pm1b_event)},
	{FADT_PM1A_CNT_BLK, FADT_PM1_CNT_LEN, FADT_X_PM1A_CNT_BLK, offsetof(struct acpi_fadt, pm1a_control)},
	{FADT_PM1B_CNT_BLK, FADT_PM1_CNT_LEN, FADT_X_PM1B_CNT_BLK, offsetof(struct acpi_fadt, pm1b_control)},
	{FADT_PM_TMR_BLK, FADT_PM_TMR_LEN, FADT_X_PM_TMR_BLK, offsetof(struct acpi_fadt, pm_timer)},
	{FADT_GPE0_BLK, FADT_GPE0_BLK_LEN, FADT_X_GPE0_BLK, offsetof(struct acpi_fadt, gpe0)},
	{FADT_GPE1_BLK, FADT_GPE1_BLK_LEN, FADT_X_GPE1_BLK, offsetof(struct acpi_fadt, gpe1)},
};

struct acpi_gas acpi_gas_load(const uint8_t *at)
{
	return (struct acpi_gas){
		.space = at[0],
		.bit_width = at[1],
		.bit_offset = at[2],
		.access_size = at[3],
		.address = acpi_load64(at + 4),
	};
}

/* The GAS at offset; absent where the table ends before. One in an unusable space is absent too, with a warning. */
static struct acpi_gas read_gas(const struct acpi_table *table, size_t offset, uint32_t *warnings)
{
	struct acpi_gas gas = {0};

	if (table->length_bytes < offset + ACPI_GAS_BYTES)
		return gas;
	gas = acpi_gas_load(table->bytes + offset);
	if (gas.address != 0 && gas.space > ACPI_GAS_PCI_CONFIG) {
		*warnings |= ACPI_WARN_ADDRESS_SPACE;
		gas = (struct acpi_gas){0};
	}
	return gas;
}

/* Register blocks lie in memory or ports; the port number of a legacy field is that of a GAS without its decoration. */
static struct acpi_block read_block(const struct acpi_table *table, const struct block_layout *layout,
				    uint32_t *warnings)
{
	struct acpi_block block = {.length_bytes = table->bytes[layout->length]};
	uint32_t legacy = acpi_load32(table->bytes + layout->legacy);

	block.at = read_gas(table, layout->extended, warnings);
	if (block.at.address != 0 && block.at.space == ACPI_GAS_PCI_CONFIG) {
		*warnings |= ACPI_WARN_ADDRESS_SPACE;
		block.at.address = 0;
	}
	if (block.at.address == 0)
		block.at = (struct acpi_gas){
			.address = legacy,
			.space = ACPI_GAS_PORT,
			.bit_width = (uint8_t)(block.length_bytes > 31 ? 255 : block.length_bytes * 8),
		};
	else if (legacy != 0 && block.at.address != legacy)
		*warnings |= ACPI_WARN_ADDRESS_MISMATCH;
	if (block.at.address == 0 || block.length_bytes == 0)
		return (struct acpi_block){0};
	return block;
}

static uint64_t read_dsdt(const struct acpi_table *table, uint32_t *warnings)
{
	uint64_t legacy = acpi_load32(table->bytes + FADT_DSDT);
	uint64_t extended = table->length_bytes >= FADT_X_DSDT + 8 ? acpi_load64(table->bytes + FADT_X_DSDT) : 0;

	if (legacy != 0 && extended != 0 && legacy != extended)
		*warnings |= ACPI_WARN_ADDRESS_MISMATCH;
	return extended != 0 ? extended : legacy;
}

static void read_reset(const struct acpi_table *table, struct acpi_fadt *fadt)
{
	struct acpi_gas gas;

	if ((fadt->flags & FADT_FLAG_RESET_REG_SUP) == 0 || table->length_bytes <= FADT_RESET_VALUE)
		return;
	gas = read_gas(table, FADT_RESET_REG, &fadt->warnings);
	if (gas.bit_width != 8 || gas.bit_offset != 0)
		return;
	fadt->reset_register = gas;
	fadt->reset_value = table->bytes[FADT_RESET_VALUE];
}

enum status acpi_fadt_parse(const void *table, size_t span_bytes, struct acpi_fadt *out)
{
	struct acpi_table opened;
	struct acpi_fadt fadt;
	enum status status = acpi_table_open(table, span_bytes, "FACP", FADT_REV1_BYTES, &opened);

	if (status != OK)
		return status;
	fadt = (struct acpi_fadt){
		.revision = opened.bytes[8],
		.pm_profile = opened.bytes[FADT_PM_PROFILE],
		.sci_irq = acpi_load16(opened.bytes + FADT_SCI_INT),
		.smi_command_port = acpi_load32(opened.bytes + FADT_SMI_CMD),
		.acpi_enable = opened.bytes[FADT_ACPI_ENABLE],
		.acpi_disable = opened.bytes[FADT_ACPI_DISABLE],
		.century_index = opened.bytes[FADT_CENTURY],
		.boot_arch = acpi_load16(opened.bytes + FADT_IAPC_BOOT_ARCH),
		.flags = acpi_load32(opened.bytes + FADT_FLAGS),
		.warnings = opened.warnings,
	};
	fadt.dsdt_physical = read_dsdt(&opened, &fadt.warnings);
	read_reset(&opened, &fadt);
	fadt.sleep_control = read_gas(&opened, FADT_SLEEP_CONTROL_REG, &fadt.warnings);
	fadt.sleep_status = read_gas(&opened, FADT_SLEEP_STATUS_REG, &fadt.warnings);
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]) && (fadt.flags & FADT_FLAG_HW_REDUCED) == 0; i++) {
		struct acpi_block *block = (struct acpi_block *)(void *)((char *)&fadt + blocks[i].member);

		*block = read_block(&opened, &blocks[i], &fadt.warnings);
	}
	*out = fadt;
	return OK;
}
