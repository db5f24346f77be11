/* Brings the framebuffer to what the terminal interpreter holds, row by row. */
#include "console/screen.h"

_Static_assert(TEXT_GRID_MAX_COLUMNS >= FRAMEBUFFER_MAX_COLUMNS, "every column of the screen has a cell");
_Static_assert(TEXT_GRID_MAX_ROWS >= FRAMEBUFFER_MAX_ROWS, "every row of the screen has cells");

enum status screen_init(struct screen *screen, volatile void *pixels, const struct boot_framebuffer *mode,
			const struct font *font)
{
	enum status status = framebuffer_init(&screen->framebuffer, pixels, mode, font);

	if (status != OK)
		return status;
	screen_text_init(&screen->text, screen->framebuffer.columns, screen->framebuffer.rows);
	screen->next_row = 0;
	screen->drawn_changes = 0;
	screen->round_under_way = true;
	return OK;
}

bool screen_refresh(struct screen *screen)
{
	const struct text_grid *grid = &screen->text.grid;
	struct text_cell cells[TEXT_GRID_MAX_COLUMNS];
	uint32_t drawn = 0;

	if (!screen->round_under_way) {
		if (screen->drawn_changes == grid->change_count)
			return true;
		screen->round_under_way = true;
		screen->next_row = 0;
	}
	if (screen->next_row == 0)
		screen->drawn_changes = grid->change_count;
	while (screen->next_row < grid->rows && drawn < SCREEN_REFRESH_CELLS) {
		if (screen_text_row(&screen->text, screen->next_row, cells))
			drawn += framebuffer_show_row(&screen->framebuffer, screen->next_row, cells, grid->columns);
		screen->next_row++;
	}
	screen->round_under_way = screen->next_row < grid->rows;
	return !screen->round_under_way && screen->drawn_changes == grid->change_count;
}
