/* Calendar time to seconds, and the PC's CMOS clock. */
#pragma once
#include <stdint.h>

#define WALL_CLOCK_UNKNOWN (-1LL)

/* Gregorian calendar, UTC: month 1-12, day 1-31. */
struct calendar_time {
	uint32_t year, month, day, hour, minute, second;
};

/* Seconds since 1970-01-01 00:00 UTC, or WALL_CLOCK_UNKNOWN if a field is out of range or the year not in 1970 to 9999.
 * Context: any; pure. */
int64_t wall_clock_from_calendar(const struct calendar_time *time);

/* Bytes of the CMOS clock as read: each BCD or binary, as its status register B says. */
struct cmos_time {
	uint8_t second, minute, hour, day, month, year;
	uint8_t status_b;
};

/* Decodes a reading; years are 2000 to 2099. WALL_CLOCK_UNKNOWN as above. Context: any; pure.
 * Source: Intel 300/400 Series PCH datasheets, "RTC Indexed Registers". */
int64_t wall_clock_from_cmos(const struct cmos_time *time);
