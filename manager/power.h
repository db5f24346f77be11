/* ACPI's fixed power management registers: switching the PC off (S5), and its power button.
 * Source: ACPI Specification 6.4, "ACPI Hardware Specification", "Fixed Hardware Registers". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "manager/firmware_tables.h"
#include "manager/ports.h"

struct power {
	const struct ports *ports;
	struct power_tables tables;
	bool has_tables;
	/* Waits so long, for hardware that needs its time. */
	void (*wait_ms)(void *context, uint64_t ms);
	void *context;
};

/* Brings the PC into ACPI mode, where it is not. ERR_TIMED_OUT: firmware did not do it; ERR_UNSUPPORTED: no tables. */
MUST_CHECK enum status power_enable_acpi(struct power *power);

/* Switches the PC off. Returns only if that did not happen: ERR_UNSUPPORTED (tables say nothing usable), ERR_TIMED_OUT. */
MUST_CHECK enum status power_off_by_acpi(struct power *power);

/* True if the power button is one that these registers know. */
bool power_has_button(const struct power *power);
/* Silences all other events and enables the button's. Context: ACPI mode. */
void power_enable_button(struct power *power);
/* After an SCI: clears all events; true if one was the button's. */
bool power_take_button(struct power *power);
