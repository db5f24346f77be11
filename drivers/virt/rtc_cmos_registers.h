/* Registers and bits of the MC146818A, in the data sheet's order (section "Registers"). */
#pragma once

enum rtc_register {
	RTC_SECONDS = 0x00,
	RTC_SECONDS_ALARM = 0x01,
	RTC_MINUTES = 0x02,
	RTC_MINUTES_ALARM = 0x03,
	RTC_HOURS = 0x04,
	RTC_HOURS_ALARM = 0x05,
	RTC_WEEKDAY = 0x06,
	RTC_DAY = 0x07,
	RTC_MONTH = 0x08,
	RTC_YEAR = 0x09,
	RTC_A = 0x0a,
	RTC_B = 0x0b,
	RTC_C = 0x0c,
	RTC_D = 0x0d,
	RTC_RAM = 0x0e,
};

#define INDEX_MASK 0x7f /* bit 7 of port 70h masks NMIs */
/* Register A */
#define A_UPDATE_IN_PROGRESS 0x80
#define A_DIVIDER            0x70
#define A_DIVIDER_RESET      0x60 /* 110 and 111 */
#define A_RATE               0x0f
#define A_POWER_ON           0x26 /* 32.768 kHz, 1024 Hz */
/* Registers B and C: an enable bit and its flag have the same place */
#define B_SET      0x80
#define B_BINARY   0x04
#define B_24_HOURS 0x02
#define C_IRQ      0x80
#define C_PERIODIC 0x40
#define C_ALARM    0x20
#define C_UPDATE   0x10
#define C_FLAGS    (C_PERIODIC | C_ALARM | C_UPDATE)
/* Register D */
#define D_VALID 0x80
/* Values */
#define HOURS_PM        0x80
#define ALARM_ANY       0xc0 /* "don't care": both upper bits set */
