/* Days are counted from 1 March of year 0, so that the leap day is the last of a year: then days before a month, and
 * before a year, are plain formulas. */
#include "drivers/virt/rtc_calendar.h"

#define DAYS_PER_400_YEARS 146097
#define EPOCH_DAY          719468 /* 1970-01-01, from 0000-03-01 */
#define FIRST_DAY          (-60)  /* 0000-01-01 */
#define LAST_DAY           3652364 /* 9999-12-31 */
#define EPOCH_WEEKDAY      4 /* a Thursday, where Sunday is 0 */

/* Days of whole years (year 0 begins on 0000-03-01); year not negative. */
static int64_t days_before_year(int64_t year)
{
	return year * 365 + year / 4 - year / 100 + year / 400;
}

/* Days of a year before its month; month 0 is March. The months from March repeat 31, 30, 31, 30, 31. */
static int64_t days_before_month(int64_t month)
{
	return (month * 153 + 2) / 5;
}

static unsigned clamp(unsigned value, unsigned low, unsigned high)
{
	return value < low ? low : value > high ? high : value;
}

struct rtc_time rtc_time_of(int64_t seconds)
{
	int64_t days = seconds / SECONDS_PER_DAY - (seconds % SECONDS_PER_DAY < 0);
	int64_t rest = (seconds % SECONDS_PER_DAY + SECONDS_PER_DAY) % SECONDS_PER_DAY;
	int64_t day = days < FIRST_DAY - EPOCH_DAY  ? FIRST_DAY
		      : days > LAST_DAY - EPOCH_DAY ? LAST_DAY
						    : days + EPOCH_DAY;
	/* One cycle further, so that nothing is negative; a year too far at most, corrected. */
	int64_t shifted = day + DAYS_PER_400_YEARS;
	int64_t year = shifted * 400 / DAYS_PER_400_YEARS;
	int64_t month;

	if (days_before_year(year) > shifted)
		year--;
	else if (days_before_year(year + 1) <= shifted)
		year++;
	shifted -= days_before_year(year);
	month = (shifted * 5 + 2) / 153;
	return (struct rtc_time){
		.year = (unsigned)(year - 400 + (month >= 10)),
		.month = (unsigned)(month < 10 ? month + 3 : month - 9),
		.day = (unsigned)(shifted - days_before_month(month) + 1),
		.hour = (unsigned)(rest / 3600),
		.minute = (unsigned)(rest / 60 % 60),
		.second = (unsigned)(rest % 60),
		.weekday = (unsigned)((day - EPOCH_DAY + EPOCH_WEEKDAY + DAYS_PER_400_YEARS * 7LL) % 7 + 1),
	};
}

int64_t rtc_seconds(const struct rtc_time *time)
{
	unsigned month = clamp(time->month, 1, 12);
	int64_t year = (int64_t)clamp(time->year, 0, 9999) - (month <= 2) + 400;
	int64_t days = days_before_year(year) + days_before_month(month <= 2 ? month + 9 : month - 3) +
		       clamp(time->day, 1, 31) - 1 - DAYS_PER_400_YEARS - EPOCH_DAY;

	return days * SECONDS_PER_DAY + clamp(time->hour, 0, 23) * 3600LL + clamp(time->minute, 0, 59) * 60LL +
	       clamp(time->second, 0, 59);
}
