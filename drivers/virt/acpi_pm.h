/* ACPI fixed hardware of a machine that is always in ACPI mode: PM1a event and control registers, the power management
 * timer, the SCI line, the power button. (The reset register is port CF9h: pci_host.h.) There is S5; a request for S3 is
 * kept for the machine to see, one for any other sleep is kept as it was written and has no effect.
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
#define ACPI_PM_SLP_TYP_S3_QEMU 1 /* the same for S3: the DSDT does not name it */

struct acpi_pm_state {
	uint64_t last_tick; /* timer ticks up to which the timer's overflow was looked for */
	uint16_t status;
	uint16_t enable;
	uint16_t control;
	bool timer_is_32_bit;
	bool sci_level;
	bool asks_for_s3;
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

/* Whether the guest asked for S3 and nothing ended that yet. What sleep means is the machine's business. */
bool acpi_pm_asks_for_s3(const struct acpi_pm *pm);

/* Ends S3 where an enabled event is there: the alarm clock, whose interrupt is asserted or not, or a button. The status then
 * tells which, and that the machine slept. Returns whether it ended; false too where nobody asked for S3. */
bool acpi_pm_try_wake(struct acpi_pm *pm, bool rtc_interrupt);
