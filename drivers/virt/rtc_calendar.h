/* Days, months and years for the real-time clock: the proleptic Gregorian calendar, all functions pure. */
#pragma once
#include <stdint.h>

#define SECONDS_PER_DAY 86400

/* A moment in UTC. */
struct rtc_time {
	unsigned year; /* 0 to 9999 */
	unsigned month, day; /* from 1 */
	unsigned hour, minute, second;
	unsigned weekday; /* 1 is Sunday, as the chip has it; ignored by rtc_seconds() */
};

/* seconds: since 1970-01-01T00:00:00; below year 0 is shown as the start of year 0, above 9999 as the end of 9999. */
struct rtc_time rtc_time_of(int64_t seconds);

/* Seconds since 1970. Fields out of range are brought into it: month 0 is 1, day 40 is 31; day 31 of April is May 1. */
int64_t rtc_seconds(const struct rtc_time *time);
