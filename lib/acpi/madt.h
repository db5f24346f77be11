/* MADT: the CPUs, IOAPICs and legacy interrupt routes of a PC.
 * Source: ACPI Specification 6.4, "Multiple APIC Description Table (MADT)". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define ACPI_ISA_IRQ_COUNT  16U
#define ACPI_IOAPIC_MAX     64U
#define ACPI_GLOBAL_NMI_MAX 8U

enum acpi_cpu_state { ACPI_CPU_ENABLED = 1, ACPI_CPU_ONLINE_CAPABLE = 2 };

struct acpi_cpu {
	uint32_t apic_id;
	uint32_t uid;           /* the processor's _UID */
	uint8_t state;          /* enum acpi_cpu_state */
	uint8_t nmi_lint_mask;  /* bit n: its local APIC's LINTn is an NMI */
};

struct acpi_ioapic {
	uint32_t physical;
	uint32_t gsi_base;
	uint8_t id;
};

/* Where an interrupt line arrives and how. */
struct acpi_irq_route {
	uint32_t gsi;
	bool overridden; /* an interrupt source override says so; else the identity */
	bool polarity_stated;
	bool trigger_stated;
	bool active_low;
	bool level_triggered;
};

struct acpi_madt {
	uint64_t local_apic_physical; /* the override entry's, where there is one */
	bool has_8259;                /* PCAT_COMPAT: mask both before the IOAPICs are used */
	uint32_t cpu_count;           /* written to the caller's array, MADT order */
	uint32_t disabled_cpu_count;  /* neither enabled nor online-capable; not in the array */
	uint32_t ioapic_count;
	uint32_t global_nmi_count;
	struct acpi_ioapic ioapics[ACPI_IOAPIC_MAX];
	struct acpi_irq_route isa[ACPI_ISA_IRQ_COUNT]; /* by ISA interrupt number; total */
	struct acpi_irq_route global_nmis[ACPI_GLOBAL_NMI_MAX]; /* non-maskable interrupt sources of the IOAPICs */
	uint32_t warnings;
};

/* Parses a MADT of span_bytes. CPUs go to cpus[0 .. cpu_capacity - 1], enabled and online-capable ones only, each
 * APIC id once; what does not fit is dropped with a warning. About 2 KiB are written to *out: not for a kernel
 * stack.
 * Errors: ERR_TRUNCATED, ERR_BAD_FORMAT; nothing is written then. */
MUST_CHECK enum status acpi_madt_parse(const void *table, size_t span_bytes, struct acpi_cpu *cpus,
				       uint32_t cpu_capacity, struct acpi_madt *out);

/* The route of the SCI, which is level and active low unless an override states otherwise. sci_irq: from the FADT. */
struct acpi_irq_route acpi_madt_sci(const struct acpi_madt *madt, uint16_t sci_irq);
