/* Glyphs in all pixel formats, clipped at every edge. */
#include "lib/font/glyph_blit.h"

#include <stdlib.h>

#include "tests/unit/unit.h"

static struct boot_framebuffer mode_of(uint32_t width, uint32_t height, uint8_t bpp)
{
	struct boot_framebuffer mode = {
		.base_physical = 0xe0000000,
		.width_pixels = width,
		.height_pixels = height,
		.bits_per_pixel = bpp,
		.pitch_bytes = width * ((bpp + 7U) / 8),
		.red_shift = 16, .red_bits = 8, .green_shift = 8, .green_bits = 8, .blue_shift = 0, .blue_bits = 8,
	};

	if (bpp <= 16) {
		mode.red_shift = 11;
		mode.red_bits = mode.blue_bits = 5;
		mode.green_shift = 5;
		mode.green_bits = 6;
	}
	return mode;
}

/* Draws an 'A' into the last cell of a framebuffer that malloc bounds (ASan sees a byte too far), checks each pixel. */
static void check_last_cell(uint32_t width, uint32_t height, uint8_t bpp, uint32_t scale)
{
	struct boot_framebuffer mode = mode_of(width, height, bpp);
	uint8_t *pixels = calloc(height, mode.pitch_bytes);
	struct glyph_surface surface;
	unsigned glyph = font_glyph(&console_font, 'A');
	uint32_t bytes = (bpp + 7U) / 8;

	assert_non_null(pixels);
	assert_int_equal(glyph_surface_init(&surface, pixels, &mode, &console_font), OK);
	assert_int_equal(surface.scale, scale);
	assert_int_equal(surface.columns, width / (8 * scale));
	assert_int_equal(surface.rows, height / (16 * scale));
	uint32_t foreground = glyph_pixel(&surface, 0xffffff);

	glyph_draw(&surface, surface.columns - 1, surface.rows - 1, glyph, foreground, 0);
	for (uint32_t y = 0; y < 16 * scale; y++) {
		for (uint32_t x = 0; x < 8 * scale; x++) {
			uint32_t py = (surface.rows - 1) * 16 * scale + y;
			uint32_t px = (surface.columns - 1) * 8 * scale + x;
			uint32_t got = 0;
			bool set = console_font.bitmap[glyph * 16 + y / scale] >> (7 - x / scale) & 1;

			memcpy(&got, pixels + py * mode.pitch_bytes + px * bytes, bytes);
			assert_int_equal(got, set ? foreground : 0);
		}
	}
	glyph_clear(&surface, foreground);
	assert_int_equal(pixels[(size_t)height * mode.pitch_bytes - 1], foreground >> 8 * (bytes - 1) & 0xff);
	free(pixels);
}

static void test_glyph_blit_draws_in_every_depth(void **state)
{
	(void)state;
	check_last_cell(640, 480, 32, 1);
	check_last_cell(803, 601, 24, 1);
	check_last_cell(1366, 768, 16, 1);
}

static void test_glyph_blit_scales_large_screens(void **state)
{
	(void)state;
	check_last_cell(2560, 1440, 32, 2);
	check_last_cell(5120, 2880, 16, 4);
}

static void test_glyph_blit_colours_follow_masks(void **state)
{
	uint32_t pixels[8 * 16];
	struct boot_framebuffer mode = mode_of(8, 16, 32);
	struct glyph_surface surface;

	(void)state;
	assert_int_equal(glyph_surface_init(&surface, pixels, &mode, &console_font), OK);
	assert_int_equal(glyph_pixel(&surface, 0x123456), 0x123456);
	mode.red_shift = 0;
	mode.blue_shift = 16;
	assert_int_equal(glyph_surface_init(&surface, pixels, &mode, &console_font), OK);
	assert_int_equal(glyph_pixel(&surface, 0x123456), 0x563412);
	mode.red_shift = 20; /* 10 bits a channel */
	mode.green_shift = 10;
	mode.blue_shift = 0;
	mode.red_bits = mode.green_bits = mode.blue_bits = 10;
	assert_int_equal(glyph_surface_init(&surface, pixels, &mode, &console_font), OK);
	assert_int_equal(glyph_pixel(&surface, 0xff8001), 0x3fcU << 20 | 0x200U << 10 | 4);
	mode = mode_of(8, 16, 16);
	assert_int_equal(glyph_surface_init(&surface, pixels, &mode, &console_font), OK);
	assert_int_equal(glyph_pixel(&surface, 0xffffff), 0xffff);
	assert_int_equal(glyph_pixel(&surface, 0xff0000), 0xf800);
}

static void test_glyph_blit_refuses_bad_modes(void **state)
{
	uint32_t pixels[8 * 16];
	struct glyph_surface surface;
	struct boot_framebuffer bad[] = {
		mode_of(8, 16, 8), mode_of(7, 16, 32), mode_of(8, 15, 32), mode_of(8, 16, 32), mode_of(8, 16, 32),
		mode_of(8, 16, 0), mode_of(8, 16, 32),
	};

	(void)state;
	bad[3].pitch_bytes = 31;
	bad[4].red_shift = 25;
	bad[6].green_bits = 0;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(glyph_surface_init(&surface, pixels, &bad[i], &console_font), ERR_UNSUPPORTED);
}

static void test_glyph_blit_ignores_cells_outside(void **state)
{
	uint32_t pixels[8 * 16] = {0};
	struct boot_framebuffer mode = mode_of(8, 16, 32);
	struct glyph_surface surface;

	(void)state;
	assert_int_equal(glyph_surface_init(&surface, pixels, &mode, &console_font), OK);
	glyph_draw(&surface, 1, 0, 0, 1, 1);
	glyph_draw(&surface, 0, 1, 0, 1, 1);
	glyph_draw(&surface, UINT32_MAX, UINT32_MAX, 0, 1, 1);
	glyph_draw(&surface, 0, 0, console_font.glyph_count, 1, 1);
	for (size_t i = 0; i < 8 * 16; i++)
		assert_int_equal(pixels[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glyph_blit_draws_in_every_depth),
		cmocka_unit_test(test_glyph_blit_scales_large_screens),
		cmocka_unit_test(test_glyph_blit_colours_follow_masks),
		cmocka_unit_test(test_glyph_blit_refuses_bad_modes),
		cmocka_unit_test(test_glyph_blit_ignores_cells_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
