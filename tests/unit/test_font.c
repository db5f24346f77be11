/* The font that the build made from Debian's package. */
#include "lib/font/font.h"
#include "tests/unit/unit.h"

static void expect_glyph(uint32_t code_point)
{
	unsigned glyph = font_glyph(&console_font, code_point);

	if (glyph == console_font.replacement_glyph || glyph >= console_font.glyph_count)
		fail_msg("no glyph for U+%04X", code_point);
}

static void test_font_covers_latin_and_box_drawing(void **state)
{
	(void)state;
	for (uint32_t c = 0x20; c <= 0x7e; c++)
		expect_glyph(c);
	for (uint32_t c = 0xa0; c <= 0xff; c++)
		expect_glyph(c);
	for (uint32_t c = 0x2500; c <= 0x257f; c++)
		expect_glyph(c);
}

static void test_font_replaces_unknown_code_points(void **state)
{
	(void)state;
	assert_int_equal(font_glyph(&console_font, 0x4e00), console_font.replacement_glyph);
	assert_int_equal(font_glyph(&console_font, 0x1f600), console_font.replacement_glyph);
	assert_int_equal(font_glyph(&console_font, UINT32_MAX), console_font.replacement_glyph);
	assert_int_equal(font_glyph(&console_font, 0x10041), console_font.replacement_glyph);
}

static void test_font_table_is_sorted(void **state)
{
	(void)state;
	const struct font_code_point *entries = console_font.code_points;

	for (unsigned i = 0; i < console_font.code_point_count; i++) {
		assert_true(entries[i].glyph < console_font.glyph_count);
		if (i > 0)
			assert_true(entries[i - 1].code_point < entries[i].code_point);
	}
}

static void test_font_shape_of_letter_l(void **state)
{
	const uint8_t *rows = console_font.bitmap + font_glyph(&console_font, 'L') * 16U;
	unsigned widest = 0;

	(void)state;
	assert_int_equal(console_font.width_pixels, 8);
	assert_int_equal(console_font.height_pixels, 16);
	/* An L is a bar at the left and a foot; the space is empty. */
	for (unsigned y = 0; y < 16; y++)
		if (rows[y] > rows[widest])
			widest = y;
	assert_true(widest >= 8);
	for (unsigned y = 0; y < 16; y++)
		assert_int_equal(console_font.bitmap[font_glyph(&console_font, ' ') * 16U + y], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_font_covers_latin_and_box_drawing),
		cmocka_unit_test(test_font_replaces_unknown_code_points),
		cmocka_unit_test(test_font_table_is_sorted),
		cmocka_unit_test(test_font_shape_of_letter_l),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
