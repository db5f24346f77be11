/* A bitmap font of one cell size. The build makes the console's from a Debian package, by tools/font_to_c.py. */
#pragma once
#include <stdint.h>

struct font_code_point {
	uint16_t code_point;
	uint16_t glyph;
};

struct font {
	uint8_t width_pixels;
	uint8_t height_pixels;
	uint8_t row_bytes; /* of one row of one glyph; the leftmost pixel is bit 7 of the first byte */
	uint16_t glyph_count;
	uint16_t replacement_glyph;
	uint16_t code_point_count;
	const uint8_t *bitmap;                    /* glyph_count * height_pixels * row_bytes */
	const struct font_code_point *code_points; /* sorted by code_point */
};

/* Uni2-TerminusBold16: 8x16 pixels; Latin, Greek, Cyrillic, box drawing. */
extern const struct font console_font;

/* The glyph number for a Unicode code point, the replacement glyph where the font has none.
 * Context: any; pure. */
unsigned font_glyph(const struct font *font, uint32_t code_point);
