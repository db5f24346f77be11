/* The text screen on a linear framebuffer: compares with what is shown, draws what differs. */
#include "drivers/host/framebuffer.h"

#include <stdbool.h>

/* The usual sixteen: dark ones legible on black, bright ones for bold. */
static const uint32_t colour_rgb[TEXT_COLOUR_COUNT] = {
	0x000000, 0xcd3131, 0x23a523, 0xb58900, 0x3b78d8, 0xb04fb0, 0x1fa5a5, 0xcccccc,
	0x767676, 0xff5f5f, 0x5fe85f, 0xf5e663, 0x75a8ff, 0xf08cf0, 0x5fe8e8, 0xffffff,
};

static const struct text_cell blank_cell = {.code_point = ' ', .foreground = 7, .background = 0};

enum status framebuffer_init(struct framebuffer *framebuffer, volatile void *pixels,
			     const struct boot_framebuffer *mode, const struct font *font)
{
	struct glyph_surface *surface = &framebuffer->surface;
	enum status status = glyph_surface_init(surface, pixels, mode, font);

	if (status != OK)
		return status;
	framebuffer->columns = surface->columns < FRAMEBUFFER_MAX_COLUMNS ? surface->columns : FRAMEBUFFER_MAX_COLUMNS;
	framebuffer->rows = surface->rows < FRAMEBUFFER_MAX_ROWS ? surface->rows : FRAMEBUFFER_MAX_ROWS;
	for (uint32_t i = 0; i < TEXT_COLOUR_COUNT; i++)
		framebuffer->pixel_of_colour[i] = glyph_pixel(surface, colour_rgb[i]);
	for (uint32_t row = 0; row < FRAMEBUFFER_MAX_ROWS; row++)
		for (uint32_t column = 0; column < FRAMEBUFFER_MAX_COLUMNS; column++)
			framebuffer->shown[row][column] = blank_cell;
	glyph_clear(surface, framebuffer->pixel_of_colour[blank_cell.background]);
	return OK;
}

static bool cells_equal(const struct text_cell *a, const struct text_cell *b)
{
	return a->code_point == b->code_point && a->foreground == b->foreground && a->background == b->background;
}

uint32_t framebuffer_show_row(struct framebuffer *framebuffer, uint32_t row, const struct text_cell *cells,
			      uint32_t cell_count)
{
	const struct glyph_surface *surface = &framebuffer->surface;
	uint32_t drawn = 0;

	if (row >= framebuffer->rows)
		return 0;
	for (uint32_t column = 0; column < cell_count && column < framebuffer->columns; column++) {
		const struct text_cell *cell = &cells[column];
		struct text_cell *shown = &framebuffer->shown[row][column];

		if (cells_equal(cell, shown))
			continue;
		glyph_draw(surface, column, row, font_glyph(surface->font, cell->code_point),
			   framebuffer->pixel_of_colour[cell->foreground % TEXT_COLOUR_COUNT],
			   framebuffer->pixel_of_colour[cell->background % TEXT_COLOUR_COUNT]);
		*shown = *cell;
		drawn++;
	}
	return drawn;
}
