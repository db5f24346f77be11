/* ACPI fixed hardware of a machine that is always in ACPI mode: PM1a event and control registers, the power management
 * timer, the SCI line, the power button. (The reset register is port CF9h: pci_host.h.) There is S5; a request for any
 * other sleep is kept as it was written and has no effect.
 *
 * Registers (offset of the device), laid out as in the ICH9: 0 PM1_STS, 2 PM1_EN, 4 PM1_CNT, 8 PM_TMR.
 *
 * Source: "Advanced Configuration and Power Interface (ACPI) Specification", "Fixed Hardware Features", "PM1 Event
 * Grouping", "PM1 Control Grouping", "Power Management Timer (PM_TMR)". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"

#define ACPI_PM_REGION_SIZE 16
#define ACPI_PM_PM1_EVENT   0 /* offsets and lengths for the FADT */
#define ACPI_PM_PM1_EVENT_LENGTH   4
#define ACPI_PM_PM1_CONTROL 4
#define ACPI_PM_PM1_CONTROL_LENGTH 2
#define ACPI_PM_TIMER       8
#define ACPI_PM_TIMER_LENGTH 4
#define ACPI_PM_TIMER_HZ    3579545U
#define ACPI_PM_SLP_TYP_S5  7 /* first element of the DSDT's \_S5 package, as in the ICH9 */
#define ACPI_PM_SLP_TYP_S5_QEMU 0 /* QEMU's: programs without ACPI tables power it off by 2000h to port 604h */

struct acpi_pm_state {
	uint64_t last_tick; /* timer ticks up to which the timer's overflow was looked for */
	uint16_t status;
	uint16_t enable;
	uint16_t control;
	bool timer_is_32_bit;
	bool sci_level;
};

struct acpi_pm_wires {
	struct irq_line sci;
	void (*power_off)(void *ctx); /* S5 was entered: the machine stops after this access */
	void *ctx;
};

struct acpi_pm {
	struct acpi_pm_state state;
	struct acpi_pm_wires wires;
};

extern const struct device_ops acpi_pm_ops;

/* Power-on state. timer_is_32_bit: as the FADT's flag TMR_VAL_EXT says. */
void acpi_pm_init(struct acpi_pm *pm, const struct acpi_pm_wires *wires, bool timer_is_32_bit);

/* The power button was pressed: SCI, if the guest enabled it. Returns whether it did. */
bool acpi_pm_press_power_button(struct acpi_pm *pm);
