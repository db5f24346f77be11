/* From bytes to pixels: the screen shows what the grid holds, in bounded pieces. */
#include "console/screen.h"

#include "tests/unit/unit.h"

#define WIDTH  640U
#define HEIGHT 480U

static uint32_t pixels[HEIGHT][WIDTH];
static uint32_t expected[HEIGHT][WIDTH];
static struct screen screen, other;

static const struct boot_framebuffer mode = {
	.width_pixels = WIDTH,
	.height_pixels = HEIGHT,
	.pitch_bytes = WIDTH * 4,
	.bits_per_pixel = 32,
	.red_shift = 16, .red_bits = 8, .green_shift = 8, .green_bits = 8, .blue_shift = 0, .blue_bits = 8,
};

static int setup(void **state)
{
	(void)state;
	return screen_init(&screen, pixels, &mode, &console_font);
}

static void write_text(struct screen *to, const char *text)
{
	assert_int_equal(screen_text_write(&to->text, text, strlen(text)), strlen(text));
}

static unsigned refresh_fully(struct screen *which)
{
	unsigned turns = 1;

	while (!screen_refresh(which))
		assert_true(++turns < 100);
	return turns;
}

static void test_screen_draws_once_and_rests(void **state)
{
	(void)state;
	assert_int_equal(screen.text.grid.columns, 80);
	assert_int_equal(screen.text.grid.rows, 30);
	write_text(&screen, "hello\r\nworld");
	refresh_fully(&screen);
	memset(pixels, 0x77, sizeof(pixels));
	assert_true(screen_refresh(&screen));
	assert_int_equal(pixels[0][0], 0x77777777);
}

static void test_screen_bounds_each_refresh(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 30 * 80 - 1; i++)
		write_text(&screen, "#");
	assert_true(refresh_fully(&screen) >= 2);
}

/* Whatever the order of writing, scrolling and refreshing: at the end the pixels are those of a fresh drawing. */
static void test_screen_ends_as_if_drawn_anew(void **state)
{
	static const char *const pieces[] = {
		"line\r\n", "\x1b[5;10r\x1b[7;3Hregion\n\n", "\x1b[2J", "\x1b[31mred\x1b[0m\x1b[r",
		"\x1b[999;1H\n\nend", "\x1bM\x1bM", "\x1b[H\x1b[3L", "wrap wrap wrap wrap ",
	};

	(void)state;
	assert_int_equal(screen_init(&other, expected, &mode, &console_font), OK);
	for (unsigned i = 0; i < 500; i++) {
		const char *piece = pieces[(i * 7 + i / 5) % (sizeof(pieces) / sizeof(pieces[0]))];

		write_text(&screen, piece);
		write_text(&other, piece);
		if (i % 3 == 0)
			(void)screen_refresh(&screen);
	}
	refresh_fully(&screen);
	refresh_fully(&other);
	assert_memory_equal(pixels, expected, sizeof(pixels));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_screen_draws_once_and_rests, setup),
		cmocka_unit_test_setup(test_screen_bounds_each_refresh, setup),
		cmocka_unit_test_setup(test_screen_ends_as_if_drawn_anew, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
