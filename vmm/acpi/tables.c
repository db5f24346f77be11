/* One function for each table; guest_acpi_build calls them in turn. A table that does not fit leaves a mark in the
 * builder, which the end looks at, so that no step needs an error path of its own.
 * Source: ACPI Specification 6.4, "ACPI Software Programming Model"; PCI Firmware Specification 3.3, "MCFG Table
 * Description"; IA-PC HPET Specification 1.0a, "The ACPI 2.0 HPET Description Table". */
#include "vmm/acpi/tables.h"

#include "lib/acpi/fadt_layout.h"
#include "lib/acpi/table.h"
#include "lib/base/string.h"
#include "vmm/acpi/builder.h"
#include "vmm/acpi/dsdt_aml.h" /* generated from dsdt.asl: dsdt_aml */

#define VCPU_COUNT_MAX 1024U
#define RSDP_BYTES     36U
#define FACS_BYTES     64U
#define MCFG_BYTES     60U
#define HPET_BYTES     56U
#define MCFG_BASE      44U
/* SSDT: six names of a DWord each: NameOp, name segment, DWordPrefix, value. */
#define NAME_BYTES     10U
#define NAME_VALUE     6U
#define SSDT_FEATURES  ACPI_HEADER_BYTES
#define SSDT_WINDOW    (SSDT_FEATURES + NAME_BYTES)
#define SSDT_HIGH      (SSDT_WINDOW + NAME_BYTES)
#define SSDT_HIGH_END  (SSDT_HIGH + NAME_BYTES)
#define SSDT_ECAM      (SSDT_HIGH_END + NAME_BYTES)
#define SSDT_ECAM_LEN  (SSDT_ECAM + NAME_BYTES)
#define SSDT_BYTES     (SSDT_ECAM_LEN + NAME_BYTES)

#define MADT_HEAD_BYTES        44U
#define MADT_LOCAL_APIC_BYTES  8U
#define MADT_X2APIC_BYTES      16U
#define MADT_IOAPIC_BYTES      12U
#define MADT_OVERRIDE_BYTES    10U
#define MADT_NMI_BYTES         6U
#define MADT_X2APIC_NMI_BYTES  12U
#define MADT_LEVEL_HIGH        0x000dU

static void put_port(uint8_t *gas, uint16_t port, uint8_t bit_width, uint8_t access_size)
{
	gas[0] = ACPI_GAS_PORT;
	gas[1] = bit_width;
	gas[3] = access_size;
	acpi_store64(gas + 4, port);
}

static uint8_t *build_facs(struct acpi_builder *builder)
{
	uint8_t *facs = acpi_builder_reserve(builder, FACS_BYTES, 64);

	if (facs == NULL)
		return NULL;
	memcpy(facs, "FACS", 4);
	acpi_store32(facs + 4, FACS_BYTES);
	facs[32] = 2; /* version */
	return facs;
}

static uint8_t *build_dsdt(struct acpi_builder *builder)
{
	uint8_t *dsdt = acpi_builder_reserve(builder, sizeof(dsdt_aml), 16);

	if (dsdt != NULL)
		memcpy(dsdt, dsdt_aml, sizeof(dsdt_aml));
	return dsdt;
}

static uint16_t boot_arch(uint32_t features)
{
	uint32_t arch = FADT_BOOT_LEGACY_DEVICES | FADT_BOOT_NO_VGA | FADT_BOOT_NO_ASPM;

	if ((features & GUEST_ACPI_I8042) != 0)
		arch |= FADT_BOOT_8042;
	if ((features & GUEST_ACPI_RTC) == 0)
		arch |= FADT_BOOT_NO_CMOS_RTC;
	return (uint16_t)arch;
}

static void put_pm_registers(uint8_t *fadt)
{
	acpi_store32(fadt + FADT_PM1A_EVT_BLK, GUEST_PM1A_EVENT_PORT);
	acpi_store32(fadt + FADT_PM1A_CNT_BLK, GUEST_PM1A_CONTROL_PORT);
	acpi_store32(fadt + FADT_PM_TMR_BLK, GUEST_PM_TIMER_PORT);
	fadt[FADT_PM1_EVT_LEN] = 4;
	fadt[FADT_PM1_CNT_LEN] = 2;
	fadt[FADT_PM_TMR_LEN] = 4;
	put_port(fadt + FADT_X_PM1A_EVT_BLK, GUEST_PM1A_EVENT_PORT, 32, 2);
	put_port(fadt + FADT_X_PM1A_CNT_BLK, GUEST_PM1A_CONTROL_PORT, 16, 2);
	put_port(fadt + FADT_X_PM_TMR_BLK, GUEST_PM_TIMER_PORT, 32, 3);
	put_port(fadt + FADT_RESET_REG, GUEST_RESET_PORT, 8, 1);
	fadt[FADT_RESET_VALUE] = GUEST_RESET_VALUE;
}

/* No SMI_CMD: the guest is in ACPI mode from the start. No TMR_VAL_EXT: 24 bits suffice and are always right. */
static void build_fadt(struct acpi_builder *builder, const struct guest_acpi_config *config, const uint8_t *facs,
		       const uint8_t *dsdt)
{
	uint8_t *fadt = acpi_builder_table(builder, "FACP", 6, FADT_REV6_BYTES);

	if (fadt == NULL || facs == NULL || dsdt == NULL)
		return;
	acpi_store32(fadt + FADT_FIRMWARE_CTRL, (uint32_t)acpi_builder_physical(builder, facs));
	acpi_store32(fadt + FADT_DSDT, (uint32_t)acpi_builder_physical(builder, dsdt));
	acpi_store64(fadt + FADT_X_DSDT, acpi_builder_physical(builder, dsdt));
	acpi_store16(fadt + FADT_SCI_INT, GUEST_SCI_GSI);
	acpi_store16(fadt + FADT_P_LVL2_LAT, 0x0fff); /* no C2, no C3 */
	acpi_store16(fadt + FADT_P_LVL3_LAT, 0x0fff);
	if ((config->features & GUEST_ACPI_RTC) != 0)
		fadt[FADT_CENTURY] = 0x32;
	acpi_store16(fadt + FADT_IAPC_BOOT_ARCH, boot_arch(config->features));
	acpi_store32(fadt + FADT_FLAGS, FADT_FLAG_WBINVD | FADT_FLAG_PROC_C1 | FADT_FLAG_SLP_BUTTON |
						FADT_FLAG_FIX_RTC | FADT_FLAG_RESET_REG_SUP |
						FADT_FLAG_APIC_PHYSICAL);
	put_pm_registers(fadt);
	acpi_builder_finish(builder, fadt, true);
}

static uint32_t apic_id_of(const struct guest_acpi_config *config, uint32_t index)
{
	return config->apic_ids != NULL ? config->apic_ids[index] : index;
}

/* Ids from 255 on do not fit a local APIC entry, nor do such processor UIDs. */
static bool needs_x2apic(const struct guest_acpi_config *config, uint32_t index)
{
	return index >= 0xff || apic_id_of(config, index) >= 0xff;
}

static uint8_t *put_cpu(uint8_t *at, const struct guest_acpi_config *config, uint32_t index)
{
	if (needs_x2apic(config, index)) {
		at[0] = 9;
		at[1] = MADT_X2APIC_BYTES;
		acpi_store32(at + 4, apic_id_of(config, index));
		acpi_store32(at + 8, 1);
		acpi_store32(at + 12, index);
		return at + MADT_X2APIC_BYTES;
	}
	at[0] = 0;
	at[1] = MADT_LOCAL_APIC_BYTES;
	at[2] = (uint8_t)index;
	at[3] = (uint8_t)apic_id_of(config, index);
	acpi_store32(at + 4, 1);
	return at + MADT_LOCAL_APIC_BYTES;
}

static uint8_t *put_override(uint8_t *at, uint8_t irq, uint32_t gsi, uint16_t flags)
{
	at[0] = 2;
	at[1] = MADT_OVERRIDE_BYTES;
	at[3] = irq;
	acpi_store32(at + 4, gsi);
	acpi_store16(at + 8, flags);
	return at + MADT_OVERRIDE_BYTES;
}

static uint8_t *put_ioapic(uint8_t *at, uint8_t id)
{
	at[0] = 1;
	at[1] = MADT_IOAPIC_BYTES;
	at[2] = id;
	acpi_store32(at + 4, GUEST_IOAPIC_BASE);
	return at + MADT_IOAPIC_BYTES;
}

/* LINT1 of every local APIC is the NMI. The x2APIC form speaks to the CPUs that have x2APIC entries. */
static void put_local_nmis(uint8_t *at, bool with_x2apic)
{
	at[0] = 4;
	at[1] = MADT_NMI_BYTES;
	at[2] = 0xff;
	at[5] = 1;
	at += MADT_NMI_BYTES;
	if (with_x2apic) {
		at[0] = 10;
		at[1] = MADT_X2APIC_NMI_BYTES;
		acpi_store32(at + 4, 0xffffffff);
		at[8] = 1;
	}
}

static void build_madt(struct acpi_builder *builder, const struct guest_acpi_config *config)
{
	size_t length = MADT_HEAD_BYTES + MADT_IOAPIC_BYTES + 2 * MADT_OVERRIDE_BYTES + MADT_NMI_BYTES;
	bool with_x2apic = false;
	uint8_t *madt, *at;

	for (uint32_t i = 0; i < config->vcpu_count; i++) {
		with_x2apic |= needs_x2apic(config, i);
		length += needs_x2apic(config, i) ? MADT_X2APIC_BYTES : MADT_LOCAL_APIC_BYTES;
	}
	length += with_x2apic ? MADT_X2APIC_NMI_BYTES : 0;
	madt = acpi_builder_table(builder, "APIC", 5, length);
	if (madt == NULL)
		return;
	acpi_store32(madt + 36, GUEST_LOCAL_APIC_BASE);
	acpi_store32(madt + 40, 1); /* PCAT_COMPAT: both 8259 are there */
	at = madt + MADT_HEAD_BYTES;
	for (uint32_t i = 0; i < config->vcpu_count; i++)
		at = put_cpu(at, config, i);
	at = put_ioapic(at, config->ioapic_id);
	at = put_override(at, 0, GUEST_PIT_GSI, 0);
	at = put_override(at, GUEST_SCI_GSI, GUEST_SCI_GSI, MADT_LEVEL_HIGH);
	put_local_nmis(at, with_x2apic);
	acpi_builder_finish(builder, madt, true);
}

/* Its last bus stays 0, which is the only one: Linux looks for 32 devices on each bus that this table names, by two port accesses
 * each, 16,000 exits for all that the space has room for. */
static uint8_t *build_mcfg(struct acpi_builder *builder)
{
	uint8_t *mcfg = acpi_builder_table(builder, "MCFG", 1, MCFG_BYTES);

	if (mcfg == NULL)
		return NULL;
	acpi_store64(mcfg + MCFG_BASE, GUEST_ECAM_BASE);
	acpi_builder_finish(builder, mcfg, true);
	return mcfg;
}

/* The block's identity is the lower half of its capabilities register. */
static void build_hpet(struct acpi_builder *builder)
{
	uint8_t *hpet = acpi_builder_table(builder, "HPET", 1, HPET_BYTES);

	if (hpet == NULL)
		return;
	acpi_store32(hpet + 36, GUEST_HPET_ID);
	hpet[41] = 64; /* bits, in memory */
	acpi_store64(hpet + 44, GUEST_HPET_BASE);
	acpi_store16(hpet + 53, GUEST_HPET_LEAST_TICKS);
	hpet[55] = 1; /* nothing else lies in its page */
	acpi_builder_finish(builder, hpet, true);
}

static void put_name(uint8_t *at, const char *name, uint32_t value)
{
	at[0] = 0x08;
	memcpy(at + 1, name, 4);
	at[5] = 0x0c;
	acpi_store32(at + NAME_VALUE, value);
}

static uint8_t *build_ssdt(struct acpi_builder *builder, const struct guest_acpi_config *config)
{
	uint8_t *ssdt = acpi_builder_table(builder, "SSDT", 2, SSDT_BYTES);
	bool ram_is_higher = config->low_memory_end > GUEST_PCI_WINDOW_BASE;
	bool has_high = config->high_window_end_gib > config->high_window_first_gib;

	if (ssdt == NULL)
		return NULL;
	put_name(ssdt + SSDT_FEATURES, "BHFT", config->features);
	put_name(ssdt + SSDT_WINDOW, "BHWN", ram_is_higher ? config->low_memory_end : GUEST_PCI_WINDOW_BASE);
	put_name(ssdt + SSDT_HIGH, "BHHF", config->high_window_first_gib);
	put_name(ssdt + SSDT_HIGH_END, "BHHE", has_high ? config->high_window_end_gib : config->high_window_first_gib);
	put_name(ssdt + SSDT_ECAM, "BHEC", GUEST_ECAM_BASE);
	put_name(ssdt + SSDT_ECAM_LEN, "BHEL", GUEST_ECAM_BYTES);
	acpi_builder_finish(builder, ssdt, true);
	return ssdt;
}

/* RSDT (entry_bytes 4) or XSDT (8) of all listed tables. */
static uint8_t *build_root(struct acpi_builder *builder, const char *signature, size_t entry_bytes)
{
	size_t length = ACPI_HEADER_BYTES + builder->root_count * entry_bytes;
	uint8_t *root = acpi_builder_table(builder, signature, 1, length);

	if (root == NULL)
		return NULL;
	for (unsigned i = 0; i < builder->root_count; i++) {
		uint64_t physical = acpi_builder_physical(builder, builder->root_tables[i]);
		uint8_t *entry = root + ACPI_HEADER_BYTES + i * entry_bytes;

		if (entry_bytes == 8)
			acpi_store64(entry, physical);
		else
			acpi_store32(entry, (uint32_t)physical);
	}
	acpi_builder_finish(builder, root, false);
	return root;
}

static void fill_rsdp(const struct acpi_builder *builder, uint8_t *rsdp, const uint8_t *rsdt, const uint8_t *xsdt)
{
	memcpy(rsdp, "RSD PTR ", 8);
	memcpy(rsdp + 9, "BLKHD ", 6);
	rsdp[15] = 2; /* revision */
	acpi_store32(rsdp + 16, (uint32_t)acpi_builder_physical(builder, rsdt));
	acpi_store32(rsdp + 20, RSDP_BYTES);
	acpi_store64(rsdp + 24, acpi_builder_physical(builder, xsdt));
	rsdp[8] = (uint8_t)(0U - acpi_sum(rsdp, 20));
	rsdp[32] = (uint8_t)(0U - acpi_sum(rsdp, RSDP_BYTES));
}

static enum status check(const struct guest_acpi_config *config)
{
	if (config->vcpu_count == 0 || config->vcpu_count > VCPU_COUNT_MAX)
		return ERR_INVALID;
	if (config->physical % 4096 != 0)
		return ERR_MISALIGNED;
	return config->physical > UINT32_MAX - GUEST_ACPI_MAX_BYTES ? ERR_OUT_OF_RANGE : OK;
}

enum status guest_acpi_build(const struct guest_acpi_config *config, uint8_t *buffer, size_t buffer_bytes,
			     struct guest_acpi_layout *layout)
{
	struct acpi_builder builder = {.buffer = buffer, .physical = config->physical};
	uint8_t *rsdp, *facs, *dsdt, *rsdt, *xsdt, *ssdt, *mcfg = NULL;
	enum status status = check(config);

	if (status != OK)
		return status;
	builder.buffer_bytes = buffer_bytes < GUEST_ACPI_MAX_BYTES ? buffer_bytes : GUEST_ACPI_MAX_BYTES;
	rsdp = acpi_builder_reserve(&builder, RSDP_BYTES, 16);
	facs = build_facs(&builder);
	dsdt = build_dsdt(&builder);
	build_fadt(&builder, config, facs, dsdt);
	build_madt(&builder, config);
	if ((config->features & GUEST_ACPI_ECAM) != 0)
		mcfg = build_mcfg(&builder);
	if ((config->features & GUEST_ACPI_HPET) != 0)
		build_hpet(&builder);
	ssdt = build_ssdt(&builder, config);
	rsdt = build_root(&builder, "RSDT", 4);
	xsdt = build_root(&builder, "XSDT", 8);
	if (builder.overflowed || rsdp == NULL || rsdt == NULL || xsdt == NULL)
		return ERR_NO_SPACE;
	fill_rsdp(&builder, rsdp, rsdt, xsdt);
	*layout = (struct guest_acpi_layout){
		.rsdp_physical = acpi_builder_physical(&builder, rsdp),
		.facs_physical = acpi_builder_physical(&builder, facs),
		.used_bytes = builder.used_bytes,
		.mcfg_offset = mcfg == NULL ? 0 : (size_t)(mcfg - buffer),
		.ssdt_offset = (size_t)(ssdt - buffer),
	};
	return OK;
}

void guest_acpi_move_ecam(uint8_t *buffer, const struct guest_acpi_layout *layout, uint64_t base, uint64_t size_bytes)
{
	uint8_t *ssdt = buffer + layout->ssdt_offset, *mcfg = buffer + layout->mcfg_offset;

	acpi_store32(ssdt + SSDT_ECAM + NAME_VALUE, base > UINT32_MAX ? 0 : (uint32_t)base);
	acpi_store32(ssdt + SSDT_ECAM_LEN + NAME_VALUE, (uint32_t)size_bytes);
	acpi_builder_finish(NULL, ssdt, false);
	if (layout->mcfg_offset == 0)
		return;
	acpi_store64(mcfg + MCFG_BASE, base == UINT64_MAX ? 0 : base);
	acpi_builder_finish(NULL, mcfg, false);
}
