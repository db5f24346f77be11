/* Calendar time to seconds, and the decoding of the CMOS clock's bytes. Reading the ports is boot/multiboot2/rtc.c. */
#include "boot/common/wall_clock.h"

#include <stdbool.h>

#define CMOS_STATUS_B_24_HOURS 0x02U
#define CMOS_STATUS_B_BINARY   0x04U
#define CMOS_HOUR_PM           0x80U

#define SECONDS_PER_DAY 86400

static bool is_leap_year(uint32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Leap years in [1, year). */
static uint32_t leap_years_before(uint32_t year)
{
	uint32_t last = year - 1;

	return last / 4 - last / 100 + last / 400;
}

int64_t wall_clock_from_calendar(const struct calendar_time *time)
{
	static const uint16_t days_before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	int64_t days;

	if (time->year < 1970 || time->year > 9999 || time->month < 1 || time->month > 12 || time->day < 1 ||
	    time->day > 31 || time->hour > 23 || time->minute > 59 || time->second > 60)
		return WALL_CLOCK_UNKNOWN;
	days = (int64_t)(time->year - 1970) * 365 + leap_years_before(time->year) - leap_years_before(1970);
	days += days_before_month[time->month - 1] + time->day - 1;
	if (time->month > 2 && is_leap_year(time->year))
		days++;
	return days * SECONDS_PER_DAY + time->hour * 3600 + time->minute * 60 + time->second;
}

static uint32_t from_bcd(uint32_t value)
{
	return (value >> 4) * 10 + (value & 0xf);
}

int64_t wall_clock_from_cmos(const struct cmos_time *time)
{
	bool is_binary = (time->status_b & CMOS_STATUS_B_BINARY) != 0;
	bool is_24_hours = (time->status_b & CMOS_STATUS_B_24_HOURS) != 0;
	bool afternoon = !is_24_hours && (time->hour & CMOS_HOUR_PM) != 0;
	uint32_t hour = is_24_hours ? time->hour : time->hour & ~CMOS_HOUR_PM;
	struct calendar_time calendar = {
		.year = 2000 + (is_binary ? time->year : from_bcd(time->year)),
		.month = is_binary ? time->month : from_bcd(time->month),
		.day = is_binary ? time->day : from_bcd(time->day),
		.hour = is_binary ? hour : from_bcd(hour),
		.minute = is_binary ? time->minute : from_bcd(time->minute),
		.second = is_binary ? time->second : from_bcd(time->second),
	};

	if (!is_24_hours)
		calendar.hour = calendar.hour % 12 + (afternoon ? 12 : 0);
	return wall_clock_from_calendar(&calendar);
}
