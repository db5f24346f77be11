/* The text screen on a linear framebuffer. Keeps a copy of what it drew and draws only cells that differ: a
 * framebuffer is written, never read. What the cells hold is the caller's business (console/text_grid). */
#pragma once
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"
#include "drivers/host/text_cell.h"
#include "lib/font/glyph_blit.h"

#define FRAMEBUFFER_MAX_COLUMNS 320U
#define FRAMEBUFFER_MAX_ROWS    100U

struct framebuffer {
	struct glyph_surface surface;
	uint32_t columns; /* the surface's, at most FRAMEBUFFER_MAX_COLUMNS */
	uint32_t rows;
	uint32_t pixel_of_colour[TEXT_COLOUR_COUNT];
	struct text_cell shown[FRAMEBUFFER_MAX_ROWS][FRAMEBUFFER_MAX_COLUMNS];
};

/* Takes the framebuffer mapped at pixels (mode->pitch_bytes * mode->height_pixels bytes) and clears it to black.
 * Errors: ERR_UNSUPPORTED, see glyph_surface_init. */
MUST_CHECK enum status framebuffer_init(struct framebuffer *framebuffer, volatile void *pixels,
					const struct boot_framebuffer *mode, const struct font *font);

/* Brings one row of the screen to what cells (cell_count of them, from column 0) says; columns beyond stay.
 * Returns the number of cells it drew, the measure of the time it took. A row outside the screen draws nothing. */
uint32_t framebuffer_show_row(struct framebuffer *framebuffer, uint32_t row, const struct text_cell *cells,
			      uint32_t cell_count);
