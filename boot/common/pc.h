/* What the kernel needs of the firmware's ACPI tables, from the root pointer to plain arrays. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"
#include "lib/acpi/root.h"

/* pc is complete but for cpus_virtual, which stands for apic_ids. */
struct pc {
	struct boot_pc pc;
	uint32_t apic_ids[BOOT_CPUS_MAX];
	uint16_t pm_timer_port; /* 0: none */
	uint32_t warnings; /* ACPI_WARN_ bits of all tables read */
	bool left_out;     /* more CPUs or IOAPICs are listed than fit */
};

/* Reads MADT and FADT behind the RSDP; tables are damaged or absent on many a PC, so *out is always usable: as abi/boot_info.h says
 * where there is nothing. Large: not for a stack.
 * Errors: ERR_NOT_FOUND (rsdp_physical is 0, or no MADT), those of acpi_root_open(), acpi_madt_parse(). Context: any. */
MUST_CHECK enum status pc_read(const struct acpi_memory *memory, uint64_t rsdp_physical, struct pc *out);
