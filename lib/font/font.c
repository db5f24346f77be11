/* Looks glyphs up. Drawing them is glyph_blit.c. */
#include "lib/font/font.h"

unsigned font_glyph(const struct font *font, uint32_t code_point)
{
	unsigned first = 0;
	unsigned end = font->code_point_count;

	while (first < end) {
		unsigned middle = first + (end - first) / 2;
		const struct font_code_point *entry = &font->code_points[middle];

		if (entry->code_point == code_point)
			return entry->glyph;
		if (entry->code_point < code_point)
			first = middle + 1;
		else
			end = middle;
	}
	return font->replacement_glyph;
}
