/* The cells of a text screen and the operations that a terminal performs on them: write, move, scroll, erase, shift.
 * Every position is clamped; no argument is too large. Knows nothing of escape sequences (screen_text) or pixels. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/host/text_cell.h"

#define TEXT_GRID_MAX_COLUMNS 320U
#define TEXT_GRID_MAX_ROWS    100U

struct text_pen {
	uint8_t foreground;
	uint8_t background;
	bool bold;
	bool inverse;
};

struct text_grid {
	uint32_t columns;
	uint32_t rows;
	uint32_t column; /* the cursor */
	uint32_t row;
	uint32_t top;    /* the scrolling region, rows top to bottom - 1 */
	uint32_t bottom;
	bool wraps;        /* at the right edge the cursor goes on in the next row */
	bool wrap_pending; /* the last column was written; the next character wraps first */
	struct text_pen pen;
	uint32_t change_count; /* differs whenever a cell or the cursor may have changed */
	uint32_t erased_count; /* cells blanked so far: the measure of work */
	uint8_t line_of_row[TEXT_GRID_MAX_ROWS]; /* scrolling turns these, not the cells */
	struct text_cell lines[TEXT_GRID_MAX_ROWS][TEXT_GRID_MAX_COLUMNS];
};

/* A blank grid. Sizes are clamped to 1 and the maximum. */
void text_grid_init(struct text_grid *grid, uint32_t columns, uint32_t rows);

/* Blank again, cursor at home, everything at its default. */
void text_grid_reset(struct text_grid *grid);

/* The cells of a row; NULL if there is no such row. Owned by the grid. */
const struct text_cell *text_grid_row(const struct text_grid *grid, uint32_t row);

/* Writes one character at the cursor and moves on. */
void text_grid_put(struct text_grid *grid, uint16_t code_point);

void text_grid_move_to(struct text_grid *grid, uint32_t column, uint32_t row);
/* Relative, clamped at the screen's edges. */
void text_grid_move_by(struct text_grid *grid, int32_t columns, int32_t rows);
/* Down or up one row; at the edge of the scrolling region that region scrolls. */
void text_grid_line_feed(struct text_grid *grid);
void text_grid_reverse_line_feed(struct text_grid *grid);

/* Rows top to bottom - 1; the cursor goes home. Anything but 0 <= top, top + 1 < bottom <= rows: the whole screen. */
void text_grid_set_region(struct text_grid *grid, uint32_t top, uint32_t bottom);
/* Scrolls rows first to the region's bottom: up (lines leave at first) or down (lines enter at first). */
void text_grid_scroll_up(struct text_grid *grid, uint32_t first, uint32_t count);
void text_grid_scroll_down(struct text_grid *grid, uint32_t first, uint32_t count);

/* Blanks cells first to end - 1 of a row. */
void text_grid_erase(struct text_grid *grid, uint32_t row, uint32_t first, uint32_t end);
/* Blanks rows first to end - 1. */
void text_grid_erase_rows(struct text_grid *grid, uint32_t first, uint32_t end);
/* Shifts what is right of the cursor by count cells; blanks what becomes free. */
void text_grid_insert_cells(struct text_grid *grid, uint32_t count);
void text_grid_delete_cells(struct text_grid *grid, uint32_t count);
