/* Draws glyphs into a linear framebuffer: the least that a panic needs, and the floor of drivers/host/framebuffer.
 * Writes pixels only, never reads them (framebuffers are uncached or write-combining). Owns no state. */
#pragma once
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"
#include "lib/font/font.h"

struct glyph_surface {
	volatile uint8_t *pixels;
	struct boot_framebuffer mode;
	const struct font *font;
	uint32_t bytes_per_pixel;
	uint32_t scale;   /* 1, 2 or 4 screen pixels for each pixel of the font */
	uint32_t columns; /* whole cells; what is left at the right and below stays as it is */
	uint32_t rows;
};

/* Describes the framebuffer mapped at pixels, mode->pitch_bytes * mode->height_pixels bytes long.
 * Errors: ERR_UNSUPPORTED: not 15, 16, 24 or 32 bits per pixel, a mask outside the pixel, lines longer than the pitch,
 * or smaller than one cell. Context: any; pure. */
MUST_CHECK enum status glyph_surface_init(struct glyph_surface *surface, volatile void *pixels,
					  const struct boot_framebuffer *mode, const struct font *font);

/* The pixel value of a colour 0xRRGGBB in this mode. */
uint32_t glyph_pixel(const struct glyph_surface *surface, uint32_t rgb);

/* Draws one glyph (values from font_glyph and glyph_pixel); nothing for a cell outside the surface or a glyph outside
 * the font. */
void glyph_draw(const struct glyph_surface *surface, uint32_t column, uint32_t row, unsigned glyph, uint32_t foreground,
		uint32_t background);

/* Fills every pixel of the framebuffer. */
void glyph_clear(const struct glyph_surface *surface, uint32_t pixel);
