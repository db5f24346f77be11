/* boot/common/wall_clock.c and framebuffer.c. Expected seconds: date -u -d "..." +%s of GNU coreutils. */
#include "tests/unit/unit.h"

#include "boot/common/framebuffer.h"
#include "boot/common/wall_clock.h"

static int64_t seconds_of(uint32_t year, uint32_t month, uint32_t day, uint32_t hour, uint32_t minute, uint32_t second)
{
	const struct calendar_time time = {year, month, day, hour, minute, second};

	return wall_clock_from_calendar(&time);
}

static void test_wall_clock_known_moments(void **state)
{
	(void)state;
	assert_int_equal(seconds_of(1970, 1, 1, 0, 0, 0), 0);
	assert_int_equal(seconds_of(2000, 2, 29, 12, 34, 56), 951827696);
	assert_int_equal(seconds_of(2000, 3, 1, 0, 0, 0), 951868800);
	assert_int_equal(seconds_of(2023, 12, 31, 23, 59, 59), 1704067199);
	assert_int_equal(seconds_of(2024, 3, 1, 0, 0, 0), 1709251200);
	assert_int_equal(seconds_of(2100, 3, 1, 0, 0, 0), 4107542400);
}

static void test_wall_clock_rejects_what_is_no_time(void **state)
{
	(void)state;
	assert_int_equal(seconds_of(1969, 12, 31, 23, 59, 59), WALL_CLOCK_UNKNOWN);
	assert_int_equal(seconds_of(2024, 0, 1, 0, 0, 0), WALL_CLOCK_UNKNOWN);
	assert_int_equal(seconds_of(2024, 13, 1, 0, 0, 0), WALL_CLOCK_UNKNOWN);
	assert_int_equal(seconds_of(2024, 1, 0, 0, 0, 0), WALL_CLOCK_UNKNOWN);
	assert_int_equal(seconds_of(2024, 1, 32, 0, 0, 0), WALL_CLOCK_UNKNOWN);
	assert_int_equal(seconds_of(2024, 1, 1, 24, 0, 0), WALL_CLOCK_UNKNOWN);
	assert_int_equal(seconds_of(2024, 1, 1, 0, 60, 0), WALL_CLOCK_UNKNOWN);
	assert_int_equal(seconds_of(UINT32_MAX, 1, 1, 0, 0, 0), WALL_CLOCK_UNKNOWN);
}

static void test_wall_clock_cmos_forms(void **state)
{
	const struct cmos_time bcd_24 = {0x56, 0x34, 0x12, 0x29, 0x02, 0x00, 0x02};
	const struct cmos_time binary_24 = {56, 34, 12, 29, 2, 0, 0x06};
	const struct cmos_time bcd_noon = {0x56, 0x34, 0x92, 0x29, 0x02, 0x00, 0x00};
	const struct cmos_time bcd_midnight = {0x56, 0x34, 0x12, 0x29, 0x02, 0x00, 0x00};
	const struct cmos_time binary_1_pm = {56, 34, 0x81, 29, 2, 0, 0x04};
	const struct cmos_time no_clock = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	(void)state;
	assert_int_equal(wall_clock_from_cmos(&bcd_24), 951827696);
	assert_int_equal(wall_clock_from_cmos(&binary_24), 951827696);
	assert_int_equal(wall_clock_from_cmos(&bcd_noon), 951827696);
	assert_int_equal(wall_clock_from_cmos(&bcd_midnight), 951827696 - 12 * 3600);
	assert_int_equal(wall_clock_from_cmos(&binary_1_pm), 951827696 + 3600);
	assert_int_equal(wall_clock_from_cmos(&no_clock), WALL_CLOCK_UNKNOWN);
}

static void test_framebuffer_channels(void **state)
{
	struct boot_framebuffer framebuffer = {.red_bits = 99};
	const struct channel_masks rgb565 = {.red = 0xf800, .green = 0x07e0, .blue = 0x001f};
	const struct channel_masks hole = {.red = 0xf900, .green = 0x06e0, .blue = 0x001f};
	const struct channel_masks overlap = {.red = 0xff, .green = 0x80, .blue = 0xff0000};
	const struct channel_masks wide = {.red = 0x3ff00000, .green = 0xffc00, .blue = 0x3ff};
	const struct channel_masks missing = {.red = 0xff, .green = 0, .blue = 0xff0000};
	const struct channel_masks top = {.red = 0xff000000, .green = 0xff0000, .blue = 0xff00};

	(void)state;
	assert_int_equal(framebuffer_set_channels(&framebuffer, &hole), ERR_INVALID);
	assert_int_equal(framebuffer_set_channels(&framebuffer, &overlap), ERR_INVALID);
	assert_int_equal(framebuffer_set_channels(&framebuffer, &wide), ERR_INVALID);
	assert_int_equal(framebuffer_set_channels(&framebuffer, &missing), ERR_INVALID);
	assert_int_equal(framebuffer.red_bits, 99);
	assert_int_equal(framebuffer_set_channels(&framebuffer, &rgb565), OK);
	assert_int_equal(framebuffer.red_shift, 11);
	assert_int_equal(framebuffer.red_bits, 5);
	assert_int_equal(framebuffer.green_shift, 5);
	assert_int_equal(framebuffer.green_bits, 6);
	assert_int_equal(framebuffer.blue_shift, 0);
	assert_int_equal(framebuffer.blue_bits, 5);
	assert_int_equal(framebuffer_set_channels(&framebuffer, &top), OK);
	assert_int_equal(framebuffer.red_shift, 24);
	assert_int_equal(framebuffer.red_bits, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wall_clock_known_moments),
		cmocka_unit_test(test_wall_clock_rejects_what_is_no_time),
		cmocka_unit_test(test_wall_clock_cmos_forms),
		cmocka_unit_test(test_framebuffer_channels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
