/* Motorola MC146818A real-time clock with 128 bytes of CMOS RAM, the century at 32h; the oscillator runs at 32.768 kHz.
 *
 * Registers (offset of the device): 0 index (port 70h; bit 7, the PC's NMI mask, is ignored), 1 data (71h).
 * An update takes no time; "update in progress" is set for the 244 us before it. Daylight saving and the square wave
 * output do not exist; the day of the week follows from the date.
 *
 * Source: Motorola, "MC146818A Real-Time Clock Plus RAM (RTC)", "Registers", "Update Cycle", "Interrupts". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"

#define RTC_CMOS_REGION_SIZE 2
#define RTC_CMOS_BYTES       128
#define RTC_CMOS_CENTURY     0x32

struct rtc_cmos_state {
	int64_t base_seconds; /* since 1970: the time that was at zero_ns */
	uint64_t zero_ns;     /* guest time at which a second began; differences are modulo 2^64 */
	uint64_t seen_ns;     /* flags are set for all that happened up to here */
	uint8_t index;
	bool irq_level;
	/* Time registers here hold time only while the clock is stopped (SET, or the divider in reset). */
	uint8_t bytes[RTC_CMOS_BYTES];
};

struct rtc_cmos_wires {
	struct irq_line irq; /* IRQ 8 */
};

struct rtc_cmos {
	struct rtc_cmos_state state;
	struct rtc_cmos_wires wires;
};

extern const struct device_ops rtc_cmos_ops;

/* seconds: what time it is (since 1970, UTC) at guest time now_ns. The clock runs, 24 hours, BCD, no interrupts. */
void rtc_cmos_init(struct rtc_cmos *rtc, const struct rtc_cmos_wires *wires, int64_t seconds, uint64_t now_ns);

/* Presets a byte of CMOS RAM as firmware would; index: 0Eh to 7Fh without the century, others are ignored. */
void rtc_cmos_preset(struct rtc_cmos *rtc, uint8_t index, uint8_t value);
