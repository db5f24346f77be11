/* The PC's ACPI tables as the manager needs them: power management, the SCI's route, and a list for the log. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/syscall.h"
#include "lib/acpi/fadt.h"
#include "lib/acpi/s5.h"
#include "manager/serial_port.h"

struct power_tables {
	struct acpi_fadt fadt;
	struct acpi_s5 s5;
	bool has_s5;
	bool sci_is_isa_route; /* the SCI has an interrupt override: route it as ISA interrupt; else as level, active low */
};

/* Reads FADT, _S5_ and MADT. Errors: ERR_NOT_FOUND: no usable RSDP or no FADT. */
MUST_CHECK enum status firmware_read_power(uint64_t rsdp_physical, struct power_tables *out);

/* The serial port that the firmware names for consoles, else COM1. */
struct serial_port firmware_read_serial_port(uint64_t rsdp_physical);

/* Logs what the loader found odd about the tables, and what DMAR, MCFG and HPET say, a line each. */
void firmware_log_tables(const struct host_info *info);
