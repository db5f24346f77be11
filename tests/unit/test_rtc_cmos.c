/* Expected values: MC146818A data sheet, "Registers", "Update Cycle"; the calendar against the C library's. */
#include <time.h>

#include "drivers/virt/rtc_calendar.h"
#include "drivers/virt/rtc_cmos.h"
#include "tests/unit/unit.h"

#define SECOND 1000000000ULL
#define START  1709164799LL /* 2024-02-28 23:59:59 UTC, a Wednesday */
#define FIRST  (77 * SECOND) /* guest time at START */

static struct rtc_cmos rtc;
static bool line;
static unsigned rises;
static uint64_t now_ns;

static void set_line(void *ctx, bool level)
{
	(void)ctx;
	assert_int_not_equal(level, line);
	rises += level;
	line = level;
}

static int setup(void **state)
{
	(void)state;
	line = false;
	rises = 0;
	now_ns = FIRST;
	rtc_cmos_init(&rtc, &(struct rtc_cmos_wires){{set_line, NULL}}, START, now_ns);
	return 0;
}

static uint8_t in(uint8_t index)
{
	rtc_cmos_ops.write(&rtc, 0, 1, index | 0x80, now_ns);
	return (uint8_t)rtc_cmos_ops.read(&rtc, 1, 1, now_ns);
}

static void out(uint8_t index, uint8_t value)
{
	rtc_cmos_ops.write(&rtc, 0, 1, index, now_ns);
	rtc_cmos_ops.write(&rtc, 1, 1, value, now_ns);
}

static void expect_time(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second)
{
	assert_int_equal(in(0x32), year >> 8);
	assert_int_equal(in(9), year & 0xff);
	assert_int_equal(in(8), month);
	assert_int_equal(in(7), day);
	assert_int_equal(in(4), hour);
	assert_int_equal(in(2), minute);
	assert_int_equal(in(0), second);
}

static void run_to_event(void)
{
	uint64_t event_ns = rtc_cmos_ops.next_event_ns(&rtc);

	assert_int_not_equal(event_ns, UINT64_MAX);
	assert_true(event_ns > now_ns);
	rtc_cmos_ops.tick(&rtc, event_ns - 1);
	assert_false(line);
	now_ns = event_ns;
	rtc_cmos_ops.tick(&rtc, now_ns);
	assert_true(line);
}

static void test_rtc_calendar_agrees_with_libc(void **state)
{
	(void)state;
	for (int64_t seconds = -62167219200; seconds < 253402300800; seconds += 86400 * 13 + 3607) {
		time_t t = seconds;
		struct tm tm;
		struct rtc_time time = rtc_time_of(seconds);

		assert_non_null(gmtime_r(&t, &tm));
		assert_int_equal(time.year, tm.tm_year + 1900);
		assert_int_equal(time.month, tm.tm_mon + 1);
		assert_int_equal(time.day, tm.tm_mday);
		assert_int_equal(time.hour, tm.tm_hour);
		assert_int_equal(time.minute, tm.tm_min);
		assert_int_equal(time.second, tm.tm_sec);
		assert_int_equal(time.weekday, tm.tm_wday + 1);
		assert_int_equal(rtc_seconds(&time), seconds);
	}
	assert_int_equal(rtc_time_of(INT64_MIN).year, 0);
	assert_int_equal(rtc_time_of(INT64_MAX).year, 9999);
	assert_int_equal(rtc_seconds(&(struct rtc_time){.year = 1970, .month = 0, .day = 99, .hour = 99}),
			 30 * 86400 + 23 * 3600);
}

static void test_rtc_shows_time_in_all_formats(void **state)
{
	(void)state;
	expect_time(0x2024, 0x02, 0x28, 0x23, 0x59, 0x59);
	assert_int_equal(in(6), 4);
	now_ns += SECOND;
	expect_time(0x2024, 0x02, 0x29, 0x00, 0x00, 0x00);
	now_ns += 86400 * SECOND;
	expect_time(0x2024, 0x03, 0x01, 0x00, 0x00, 0x00);
	out(0x0b, 0x00); /* 12 hours, BCD */
	assert_int_equal(in(4), 0x12);
	now_ns += 13 * 3600 * SECOND;
	assert_int_equal(in(4), 0x81);
	out(0x0b, 0x06); /* 24 hours, binary */
	assert_int_equal(in(4), 13);
	assert_int_equal(in(9), 24);
	assert_int_equal(in(0x32), 20);
	assert_int_equal(in(0x0d), 0x80);
	assert_int_equal(rtc_cmos_ops.read(&rtc, 0, 1, now_ns), 0xff);
}

static void test_rtc_update_in_progress_precedes_update(void **state)
{
	(void)state;
	now_ns = FIRST + SECOND - 244001;
	assert_int_equal(in(0x0a), 0x26);
	now_ns += 1;
	assert_int_equal(in(0x0a), 0xa6);
	assert_int_equal(in(0), 0x59);
	now_ns = FIRST + SECOND;
	assert_int_equal(in(0x0a), 0x26);
	assert_int_equal(in(0), 0x00);
}

/* As Linux sets it: SET, divider reset, registers, divider, SET off. */
static void test_rtc_is_set_and_starts_after_half_a_second(void **state)
{
	(void)state;
	out(0x0b, 0x82);
	out(0x0a, 0x76);
	now_ns += 5 * SECOND; /* it stands */
	expect_time(0x2024, 0x02, 0x28, 0x23, 0x59, 0x59);
	out(0x32, 0x19);
	out(9, 0x99);
	out(8, 0x12);
	out(7, 0x31);
	out(4, 0x23);
	out(2, 0x59);
	out(0, 0x58);
	out(0x0b, 0x02);
	out(0x0a, 0x26);
	now_ns += SECOND / 2 - 1;
	assert_int_equal(in(0), 0x58);
	now_ns += 1;
	assert_int_equal(in(0), 0x59);
	now_ns += SECOND;
	expect_time(0x2000, 0x01, 0x01, 0x00, 0x00, 0x00);
	out(7, 0x15); /* without stopping it */
	expect_time(0x2000, 0x01, 0x15, 0x00, 0x00, 0x00);
	out(2, 0xff); /* nonsense is brought into range */
	assert_int_equal(in(2), 0x59);
}

static void test_rtc_update_interrupt_each_second(void **state)
{
	(void)state;
	now_ns += 100;
	assert_int_equal(rtc_cmos_ops.next_event_ns(&rtc), UINT64_MAX);
	out(0x0b, 0x12);
	for (unsigned i = 1; i < 5; i++) {
		run_to_event();
		assert_int_equal(now_ns, FIRST + i * SECOND);
		assert_int_equal(rtc_cmos_ops.next_event_ns(&rtc), UINT64_MAX);
		/* The alarm is at 0:00:00; the period is 1/1024 s. */
		assert_int_equal(in(0x0c), 0xd0 | (i > 1 ? 0 : 0x20));
		assert_false(line);
		assert_int_equal(in(0x0c), 0);
	}
	out(0x0b, 0x92); /* SET clears the enable */
	assert_int_equal(in(0x0b), 0x82);
}

static void test_rtc_periodic_interrupt_rates(void **state)
{
	(void)state;
	out(0x0b, 0x42);
	for (uint8_t rate = 1; rate < 16; rate++) {
		unsigned hz = 32768U >> (rate < 3 ? rate + 6 : rate - 1);

		out(0x0a, 0x20 | rate);
		(void)in(0x0c);
		now_ns = (now_ns / SECOND + 1) * SECOND;
		(void)in(0x0c);
		rises = 0;
		for (unsigned i = 0; i < hz; i++) {
			run_to_event();
			assert_int_equal(in(0x0c) & 0xc0, 0xc0);
		}
		assert_int_equal(now_ns % SECOND, 0);
		assert_int_equal(rises, hz);
	}
	out(0x0a, 0x20);
	assert_int_equal(rtc_cmos_ops.next_event_ns(&rtc), UINT64_MAX);
	out(0x0a, 0x66);
	assert_int_equal(rtc_cmos_ops.next_event_ns(&rtc), UINT64_MAX);
}

static void expect_alarm(uint8_t hour, uint8_t minute, uint8_t second, uint64_t after_seconds)
{
	assert_int_equal(setup(NULL), 0);
	out(5, hour);
	out(3, minute);
	out(1, second);
	out(0x0b, 0x22);
	if (after_seconds == 0) {
		assert_int_equal(rtc_cmos_ops.next_event_ns(&rtc), UINT64_MAX);
		return;
	}
	run_to_event();
	assert_int_equal(now_ns, FIRST + after_seconds * SECOND);
	assert_int_equal(in(0x0c), 0xf0);
}

static void test_rtc_alarm(void **state)
{
	(void)state;
	expect_alarm(0x00, 0x00, 0x00, 1);
	expect_alarm(0x23, 0x59, 0x59, 86400);
	expect_alarm(0x06, 0x30, 0x15, 6 * 3600 + 30 * 60 + 16);
	expect_alarm(0xff, 0xff, 0xff, 1);
	expect_alarm(0xff, 0xff, 0x30, 31);
	expect_alarm(0xff, 0x15, 0xc0, 15 * 60 + 1);
	expect_alarm(0x23, 0x59, 0xff, 86400 - 59);
	expect_alarm(0x23, 0xff, 0x59, 86400 - 59 * 60);
	expect_alarm(0x24, 0xff, 0xff, 0);
	expect_alarm(0xff, 0x75, 0xff, 0);
	expect_alarm(0xff, 0xff, 0xaa, 0);
	assert_int_equal(setup(NULL), 0);
	out(0x0b, 0x20); /* 12 hours */
	out(5, 0x81); /* one in the afternoon */
	run_to_event();
	assert_int_equal(now_ns, FIRST + (13 * 3600 + 1) * SECOND);
}

static void test_rtc_keeps_ram_and_survives_reset(void **state)
{
	(void)state;
	rtc_cmos_preset(&rtc, 0x15, 0x80);
	rtc_cmos_preset(&rtc, 0x00, 0x11);
	rtc_cmos_preset(&rtc, 0x80, 0x11);
	assert_int_equal(in(0x15), 0x80);
	out(0x7f, 0xa5);
	out(0x0c, 0xff);
	out(0x0d, 0x00);
	out(0x0b, 0x12);
	run_to_event();
	rtc_cmos_ops.reset(&rtc);
	assert_false(line);
	assert_int_equal(in(0x7f), 0xa5);
	assert_int_equal(in(0x0b), 0x02);
	assert_int_equal(in(0x0d), 0x80);
	expect_time(0x2024, 0x02, 0x29, 0x00, 0x00, 0x00);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rtc_calendar_agrees_with_libc),
		cmocka_unit_test_setup(test_rtc_shows_time_in_all_formats, setup),
		cmocka_unit_test_setup(test_rtc_update_in_progress_precedes_update, setup),
		cmocka_unit_test_setup(test_rtc_is_set_and_starts_after_half_a_second, setup),
		cmocka_unit_test_setup(test_rtc_update_interrupt_each_second, setup),
		cmocka_unit_test_setup(test_rtc_periodic_interrupt_rates, setup),
		cmocka_unit_test_setup(test_rtc_alarm, setup),
		cmocka_unit_test_setup(test_rtc_keeps_ram_and_survives_reset, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
