/* Any bytes on screens of any size: no crash, cursor and region stay inside. */
#include "console/screen_text.h"

#include <stdlib.h>

static struct screen_text screen;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void)
{
	const struct text_grid *grid = &screen.grid;
	struct text_cell cells[TEXT_GRID_MAX_COLUMNS];

	if (grid->column >= grid->columns || grid->row >= grid->rows || grid->top >= grid->bottom ||
	    grid->bottom > grid->rows)
		abort();
	for (uint32_t row = 0; row < grid->rows; row++)
		if (!screen_text_row(&screen, row, cells) || cells[0].foreground > 15 || cells[0].background > 15)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	screen_text_init(&screen, data[0], data[1] % 40);
	for (size_t at = 2; at < size;) {
		size_t taken = screen_text_write(&screen, data + at, size - at);

		if (taken == 0 || taken > size - at)
			abort();
		at += taken;
		check();
	}
	return 0;
}
