/* What ring 0 takes from the firmware's tables: CPUs, IOAPICs, the PM timer. The manager reads the rest. */
#pragma once
#include <stdint.h>

#include "abi/status.h"
#include "kernel/config.h"
#include "lib/acpi/madt.h"

struct firmware {
	struct acpi_madt madt;
	struct acpi_cpu cpus[4 * CPUS_MAX];
	uint16_t pm_timer_port; /* 0: none */
	uint16_t sci_irq;
};

/* Reads the tables behind the RSDP. ERR_NOT_FOUND: no RSDP or no MADT; then there is one CPU and no IOAPIC. */
MUST_CHECK enum status firmware_read(uint64_t rsdp_physical, struct firmware *firmware);
