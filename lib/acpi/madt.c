/* MADT. Two passes: NMI entries name CPUs and may come before them.
 * Source: ACPI Specification 6.4, "Multiple APIC Description Table (MADT)". */
#include "lib/acpi/madt.h"

#include "lib/acpi/table.h"

#define MADT_LOCAL_APIC_ADDRESS 36
#define MADT_FLAGS              40
#define MADT_ENTRIES            44U
#define MADT_FLAG_PCAT_COMPAT   0x1U

#define CPU_FLAG_ENABLED        0x1U
#define CPU_FLAG_ONLINE_CAPABLE 0x2U
/* The online-capable bit exists since ACPI 6.3, whose MADT has revision 5; before, it was reserved. */
#define MADT_REVISION_ONLINE_CAPABLE 5

#define UID_ALL_8  0xffU
#define UID_ALL_32 0xffffffffU

enum madt_type {
	MADT_LOCAL_APIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_NMI_SOURCE = 3,
	MADT_LOCAL_APIC_NMI = 4,
	MADT_LOCAL_APIC_ADDRESS_OVERRIDE = 5,
	MADT_LOCAL_X2APIC = 9,
	MADT_LOCAL_X2APIC_NMI = 10,
	MADT_TYPE_COUNT
};

static const uint8_t entry_min_bytes[MADT_TYPE_COUNT] = {
	[MADT_LOCAL_APIC] = 8,
	[MADT_IOAPIC] = 12,
	[MADT_OVERRIDE] = 10,
	[MADT_NMI_SOURCE] = 8,
	[MADT_LOCAL_APIC_NMI] = 6,
	[MADT_LOCAL_APIC_ADDRESS_OVERRIDE] = 12,
	[MADT_LOCAL_X2APIC] = 16,
	[MADT_LOCAL_X2APIC_NMI] = 12,
};

struct parse {
	struct acpi_madt *madt;
	struct acpi_cpu *cpus;
	uint32_t cpu_capacity;
	bool has_online_capable;
};

/* MPS INTI flags: bits 1:0 polarity (1 high, 3 low), bits 3:2 trigger (1 edge, 3 level); otherwise as the bus does. */
static struct acpi_irq_route route_decode(uint32_t gsi, uint16_t flags)
{
	unsigned polarity = flags & 3U;
	unsigned trigger = flags >> 2 & 3U;

	return (struct acpi_irq_route){
		.gsi = gsi,
		.polarity_stated = polarity == 1 || polarity == 3,
		.trigger_stated = trigger == 1 || trigger == 3,
		.active_low = polarity == 3,
		.level_triggered = trigger == 3,
	};
}

static void add_cpu(struct parse *parse, uint32_t apic_id, uint32_t no_id, uint32_t uid, uint32_t flags)
{
	struct acpi_madt *madt = parse->madt;
	bool online_capable = parse->has_online_capable && (flags & CPU_FLAG_ONLINE_CAPABLE) != 0;

	if ((flags & CPU_FLAG_ENABLED) == 0 && !online_capable) {
		madt->disabled_cpu_count++;
		return;
	}
	if (apic_id == no_id) {
		madt->warnings |= ACPI_WARN_CPU_BAD_ID;
		return;
	}
	for (uint32_t i = 0; i < madt->cpu_count; i++) {
		if (parse->cpus[i].apic_id == apic_id) {
			madt->warnings |= ACPI_WARN_CPU_DUPLICATE;
			return;
		}
	}
	if (madt->cpu_count == parse->cpu_capacity) {
		madt->warnings |= ACPI_WARN_CPUS_DROPPED;
		return;
	}
	parse->cpus[madt->cpu_count++] = (struct acpi_cpu){
		.apic_id = apic_id,
		.uid = uid,
		.state = (flags & CPU_FLAG_ENABLED) != 0 ? ACPI_CPU_ENABLED : ACPI_CPU_ONLINE_CAPABLE,
	};
}

static void add_ioapic(struct acpi_madt *madt, const uint8_t *entry)
{
	struct acpi_ioapic ioapic = {
		.id = entry[2],
		.physical = acpi_load32(entry + 4),
		.gsi_base = acpi_load32(entry + 8),
	};

	for (uint32_t i = 0; i < madt->ioapic_count; i++) {
		if (madt->ioapics[i].physical == ioapic.physical || madt->ioapics[i].gsi_base == ioapic.gsi_base) {
			madt->warnings |= ACPI_WARN_IOAPIC_DUPLICATE;
			return;
		}
	}
	if (madt->ioapic_count == ACPI_IOAPIC_MAX) {
		madt->warnings |= ACPI_WARN_IOAPICS_DROPPED;
		return;
	}
	madt->ioapics[madt->ioapic_count++] = ioapic;
}

static void add_override(struct acpi_madt *madt, const uint8_t *entry)
{
	uint8_t irq = entry[3];

	if (irq >= ACPI_ISA_IRQ_COUNT || madt->isa[irq].overridden) {
		madt->warnings |= ACPI_WARN_OVERRIDE_ODD;
		return;
	}
	madt->isa[irq] = route_decode(acpi_load32(entry + 4), acpi_load16(entry + 8));
	madt->isa[irq].overridden = true;
}

static void add_global_nmi(struct acpi_madt *madt, const uint8_t *entry)
{
	struct acpi_irq_route route = route_decode(acpi_load32(entry + 4), acpi_load16(entry + 2));

	if (madt->global_nmi_count < ACPI_GLOBAL_NMI_MAX)
		madt->global_nmis[madt->global_nmi_count++] = route;
}

/* First pass: everything but the local NMIs. */
static void parse_entry(struct parse *parse, const struct acpi_entry *entry)
{
	const uint8_t *at = entry->bytes;

	switch (entry->type) {
	case MADT_LOCAL_APIC:
		add_cpu(parse, at[3], 0xff, at[2], acpi_load32(at + 4));
		break;
	case MADT_LOCAL_X2APIC:
		add_cpu(parse, acpi_load32(at + 4), UINT32_MAX, acpi_load32(at + 12), acpi_load32(at + 8));
		break;
	case MADT_IOAPIC:
		add_ioapic(parse->madt, at);
		break;
	case MADT_OVERRIDE:
		add_override(parse->madt, at);
		break;
	case MADT_NMI_SOURCE:
		add_global_nmi(parse->madt, at);
		break;
	case MADT_LOCAL_APIC_ADDRESS_OVERRIDE:
		parse->madt->local_apic_physical = acpi_load64(at + 4);
		break;
	}
}

static void mark_nmi(struct parse *parse, uint32_t uid, bool every_cpu, uint8_t lint)
{
	for (uint32_t i = 0; lint <= 1 && i < parse->madt->cpu_count; i++) {
		if (every_cpu || parse->cpus[i].uid == uid)
			parse->cpus[i].nmi_lint_mask |= (uint8_t)(1U << lint);
	}
}

/* Second pass. */
static void parse_local_nmi(struct parse *parse, const struct acpi_entry *entry)
{
	const uint8_t *at = entry->bytes;

	if (entry->type == MADT_LOCAL_APIC_NMI)
		mark_nmi(parse, at[2], at[2] == UID_ALL_8, at[5]);
	else if (entry->type == MADT_LOCAL_X2APIC_NMI)
		mark_nmi(parse, acpi_load32(at + 4), acpi_load32(at + 4) == UID_ALL_32, at[8]);
}

static void walk(struct parse *parse, const struct acpi_table *table,
		 void (*visit)(struct parse *parse, const struct acpi_entry *entry))
{
	struct acpi_cursor cursor = {.table = table, .offset = MADT_ENTRIES, .header_bytes = 2};
	struct acpi_entry entry;

	while (acpi_next_entry(&cursor, &entry)) {
		if (entry.type >= MADT_TYPE_COUNT)
			continue;
		if (entry.length_bytes < entry_min_bytes[entry.type]) {
			cursor.warnings |= ACPI_WARN_ENTRY_LENGTH;
			continue;
		}
		visit(parse, &entry);
	}
	parse->madt->warnings |= cursor.warnings;
}

enum status acpi_madt_parse(const void *table, size_t span_bytes, struct acpi_cpu *cpus, uint32_t cpu_capacity,
			    struct acpi_madt *out)
{
	struct acpi_table opened;
	struct parse parse = {.madt = out, .cpus = cpus, .cpu_capacity = cpu_capacity};
	enum status status = acpi_table_open(table, span_bytes, "APIC", MADT_ENTRIES, &opened);

	if (status != OK)
		return status;
	parse.has_online_capable = opened.bytes[8] >= MADT_REVISION_ONLINE_CAPABLE;
	*out = (struct acpi_madt){
		.local_apic_physical = acpi_load32(opened.bytes + MADT_LOCAL_APIC_ADDRESS),
		.has_8259 = (acpi_load32(opened.bytes + MADT_FLAGS) & MADT_FLAG_PCAT_COMPAT) != 0,
		.warnings = opened.warnings,
	};
	for (uint32_t irq = 0; irq < ACPI_ISA_IRQ_COUNT; irq++)
		out->isa[irq].gsi = irq;
	walk(&parse, &opened, parse_entry);
	walk(&parse, &opened, parse_local_nmi);
	return OK;
}

struct acpi_irq_route acpi_madt_sci(const struct acpi_madt *madt, uint16_t sci_irq)
{
	struct acpi_irq_route route = {.gsi = sci_irq};

	if (sci_irq < ACPI_ISA_IRQ_COUNT)
		route = madt->isa[sci_irq];
	if (!route.polarity_stated)
		route.active_low = true;
	if (!route.trigger_stated)
		route.level_triggered = true;
	return route;
}
