/* Cells of text on a framebuffer of memory: what is drawn, and what is left alone. */
#include "drivers/host/framebuffer.h"

#include "tests/unit/unit.h"

#define COLUMNS 10U
#define ROWS    4U

static uint32_t pixels[ROWS * 16][COLUMNS * 8];
static struct framebuffer screen;

static const struct boot_framebuffer mode = {
	.width_pixels = COLUMNS * 8,
	.height_pixels = ROWS * 16,
	.pitch_bytes = COLUMNS * 32,
	.bits_per_pixel = 32,
	.red_shift = 16, .red_bits = 8, .green_shift = 8, .green_bits = 8, .blue_shift = 0, .blue_bits = 8,
};

static int setup(void **state)
{
	(void)state;
	memset(pixels, 0xee, sizeof(pixels));
	return framebuffer_init(&screen, pixels, &mode, &console_font);
}

static bool cell_is_black(uint32_t row, uint32_t column)
{
	for (uint32_t y = 0; y < 16; y++)
		for (uint32_t x = 0; x < 8; x++)
			if (pixels[row * 16 + y][column * 8 + x] != 0)
				return false;
	return true;
}

static void test_framebuffer_starts_black(void **state)
{
	(void)state;
	assert_int_equal(screen.columns, COLUMNS);
	assert_int_equal(screen.rows, ROWS);
	for (uint32_t i = 0; i < ROWS * COLUMNS; i++)
		assert_true(cell_is_black(i / COLUMNS, i % COLUMNS));
}

static void test_framebuffer_draws_only_what_changed(void **state)
{
	struct text_cell row[COLUMNS];

	(void)state;
	for (uint32_t i = 0; i < COLUMNS; i++)
		row[i] = (struct text_cell){.code_point = ' ', .foreground = 7};
	assert_int_equal(framebuffer_show_row(&screen, 2, row, COLUMNS), 0);
	row[3].code_point = 'A';
	row[9] = (struct text_cell){.code_point = 0x2588, .foreground = 15, .background = 4};
	assert_int_equal(framebuffer_show_row(&screen, 2, row, COLUMNS), 2);
	assert_false(cell_is_black(2, 3));
	assert_true(cell_is_black(2, 4));
	assert_true(cell_is_black(1, 3));
	assert_int_equal(framebuffer_show_row(&screen, 2, row, COLUMNS), 0);
	/* It never reads the framebuffer: what someone else wrote there does not matter. */
	memset(pixels, 0, sizeof(pixels));
	assert_int_equal(framebuffer_show_row(&screen, 2, row, COLUMNS), 0);
	row[3].foreground = 1;
	assert_int_equal(framebuffer_show_row(&screen, 2, row, COLUMNS), 1);
}

static void test_framebuffer_is_bounded(void **state)
{
	static struct text_cell row[1000];

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		row[i] = (struct text_cell){.code_point = (uint16_t)(i * 97), .foreground = 255, .background = 200};
	assert_int_equal(framebuffer_show_row(&screen, ROWS, row, 1000), 0);
	assert_int_equal(framebuffer_show_row(&screen, UINT32_MAX, row, 1000), 0);
	assert_int_equal(framebuffer_show_row(&screen, ROWS - 1, row, 1000), COLUMNS);
	assert_int_equal(framebuffer_show_row(&screen, 0, row, 0), 0);
}

static void test_framebuffer_refuses_bad_mode(void **state)
{
	struct boot_framebuffer bad = mode;

	(void)state;
	bad.bits_per_pixel = 8;
	assert_int_equal(framebuffer_init(&screen, pixels, &bad, &console_font), ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_framebuffer_starts_black, setup),
		cmocka_unit_test_setup(test_framebuffer_draws_only_what_changed, setup),
		cmocka_unit_test_setup(test_framebuffer_is_bounded, setup),
		cmocka_unit_test_setup(test_framebuffer_refuses_bad_mode, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
