/* Draws glyphs into a linear framebuffer. Shared by ring 0's emergency console and the console program's driver. */
#include "lib/font/glyph_blit.h"

#include <stdbool.h>

/* Screens of 1400 lines and more get doubled glyphs, of 2800 and more quadrupled ones. */
#define MIN_LINES_PER_SCALE 700U
#define MAX_SCALE           4U

static uint32_t scale_for(uint32_t height_pixels)
{
	uint32_t scale = 1;

	while (scale < MAX_SCALE && height_pixels / (2 * scale) >= MIN_LINES_PER_SCALE)
		scale *= 2;
	return scale;
}

static bool mask_fits(uint8_t shift, uint8_t bits, uint8_t bits_per_pixel)
{
	return bits > 0 && bits <= bits_per_pixel && shift <= bits_per_pixel - bits;
}

enum status glyph_surface_init(struct glyph_surface *surface, volatile void *pixels,
			       const struct boot_framebuffer *mode, const struct font *font)
{
	uint32_t bytes = (mode->bits_per_pixel + 7U) / 8;
	uint32_t scale = scale_for(mode->height_pixels);
	uint8_t bpp = mode->bits_per_pixel;

	if ((bpp != 15 && bpp != 16 && bpp != 24 && bpp != 32) || mode->width_pixels > mode->pitch_bytes / bytes ||
	    !mask_fits(mode->red_shift, mode->red_bits, bpp) || !mask_fits(mode->green_shift, mode->green_bits, bpp) ||
	    !mask_fits(mode->blue_shift, mode->blue_bits, bpp))
		return ERR_UNSUPPORTED;
	if (mode->width_pixels < font->width_pixels * scale || mode->height_pixels < font->height_pixels * scale)
		return ERR_UNSUPPORTED;
	*surface = (struct glyph_surface){
		.pixels = pixels,
		.mode = *mode,
		.font = font,
		.bytes_per_pixel = bytes,
		.scale = scale,
		.columns = mode->width_pixels / (font->width_pixels * scale),
		.rows = mode->height_pixels / (font->height_pixels * scale),
	};
	return OK;
}

static uint32_t channel(uint32_t value, uint8_t shift, uint8_t bits)
{
	return (bits >= 8 ? value << (bits - 8) : value >> (8 - bits)) << shift;
}

uint32_t glyph_pixel(const struct glyph_surface *surface, uint32_t rgb)
{
	const struct boot_framebuffer *mode = &surface->mode;

	return channel(rgb >> 16 & 0xff, mode->red_shift, mode->red_bits) |
	       channel(rgb >> 8 & 0xff, mode->green_shift, mode->green_bits) |
	       channel(rgb & 0xff, mode->blue_shift, mode->blue_bits);
}

/* The caller has checked that (x, y) lies on the surface. */
static void put_pixel(const struct glyph_surface *surface, uint32_t x, uint32_t y, uint32_t pixel)
{
	volatile uint8_t *at = surface->pixels + (uint64_t)y * surface->mode.pitch_bytes +
			       (uint64_t)x * surface->bytes_per_pixel;

	if (surface->bytes_per_pixel == 4) {
		*(volatile uint32_t *)at = pixel;
		return;
	}
	for (uint32_t i = 0; i < surface->bytes_per_pixel; i++)
		at[i] = (uint8_t)(pixel >> 8 * i);
}

void glyph_draw(const struct glyph_surface *surface, uint32_t column, uint32_t row, unsigned glyph, uint32_t foreground,
		uint32_t background)
{
	const struct font *font = surface->font;
	uint32_t width = font->width_pixels * surface->scale;
	uint32_t height = font->height_pixels * surface->scale;

	if (column >= surface->columns || row >= surface->rows || glyph >= font->glyph_count)
		return;
	for (uint32_t y = 0; y < height; y++) {
		uint32_t glyph_row = glyph * font->height_pixels + y / surface->scale;
		const uint8_t *bits = font->bitmap + glyph_row * font->row_bytes;

		for (uint32_t x = 0; x < width; x++) {
			uint32_t bit = x / surface->scale;
			bool set = bits[bit / 8] >> (7 - bit % 8) & 1;

			put_pixel(surface, column * width + x, row * height + y, set ? foreground : background);
		}
	}
}

void glyph_clear(const struct glyph_surface *surface, uint32_t pixel)
{
	for (uint32_t y = 0; y < surface->mode.height_pixels; y++)
		for (uint32_t x = 0; x < surface->mode.width_pixels; x++)
			put_pixel(surface, x, y, pixel);
}
