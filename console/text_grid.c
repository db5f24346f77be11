/* The cells of a text screen. Rows are reached through line_of_row: a scroll moves numbers and blanks one line. */
#include "console/text_grid.h"

#include "lib/base/string.h"

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static struct text_cell *line_at(struct text_grid *grid, uint32_t row)
{
	return grid->lines[grid->line_of_row[row]];
}

void text_grid_init(struct text_grid *grid, uint32_t columns, uint32_t rows)
{
	grid->columns = columns == 0 ? 1 : least(columns, TEXT_GRID_MAX_COLUMNS);
	grid->rows = rows == 0 ? 1 : least(rows, TEXT_GRID_MAX_ROWS);
	grid->change_count = 0;
	grid->erased_count = 0;
	text_grid_reset(grid);
}

void text_grid_reset(struct text_grid *grid)
{
	grid->column = 0;
	grid->row = 0;
	grid->top = 0;
	grid->bottom = grid->rows;
	grid->wraps = true;
	grid->wrap_pending = false;
	grid->pen = (struct text_pen){.foreground = 7};
	for (uint32_t row = 0; row < TEXT_GRID_MAX_ROWS; row++)
		grid->line_of_row[row] = (uint8_t)row;
	text_grid_erase_rows(grid, 0, grid->rows);
}

const struct text_cell *text_grid_row(const struct text_grid *grid, uint32_t row)
{
	return row < grid->rows ? grid->lines[grid->line_of_row[row]] : NULL;
}

/* Bold is shown by the bright half of the colours. */
static struct text_cell cell_of(const struct text_pen *pen, uint16_t code_point)
{
	uint8_t foreground = pen->bold && pen->foreground < 8 ? (uint8_t)(pen->foreground + 8) : pen->foreground;

	return (struct text_cell){
		.code_point = code_point,
		.foreground = pen->inverse ? pen->background : foreground,
		.background = pen->inverse ? foreground : pen->background,
	};
}

void text_grid_put(struct text_grid *grid, uint16_t code_point)
{
	if (grid->wrap_pending && grid->wraps) {
		grid->column = 0;
		text_grid_line_feed(grid);
	}
	line_at(grid, grid->row)[grid->column] = cell_of(&grid->pen, code_point);
	grid->wrap_pending = grid->column + 1 == grid->columns;
	if (!grid->wrap_pending)
		grid->column++;
	grid->change_count++;
}

void text_grid_move_to(struct text_grid *grid, uint32_t column, uint32_t row)
{
	grid->column = least(column, grid->columns - 1);
	grid->row = least(row, grid->rows - 1);
	grid->wrap_pending = false;
	grid->change_count++;
}

static uint32_t moved(uint32_t position, int32_t by)
{
	int64_t target = (int64_t)position + by;

	return target < 0 ? 0 : (uint32_t)target;
}

void text_grid_move_by(struct text_grid *grid, int32_t columns, int32_t rows)
{
	text_grid_move_to(grid, moved(grid->column, columns), moved(grid->row, rows));
}

void text_grid_line_feed(struct text_grid *grid)
{
	grid->wrap_pending = false;
	grid->change_count++;
	if (grid->row + 1 == grid->bottom)
		text_grid_scroll_up(grid, grid->top, 1);
	else if (grid->row + 1 < grid->rows)
		grid->row++;
}

void text_grid_reverse_line_feed(struct text_grid *grid)
{
	grid->wrap_pending = false;
	grid->change_count++;
	if (grid->row == grid->top)
		text_grid_scroll_down(grid, grid->top, 1);
	else if (grid->row > 0)
		grid->row--;
}

void text_grid_set_region(struct text_grid *grid, uint32_t top, uint32_t bottom)
{
	bool valid = bottom <= grid->rows && top < bottom && bottom - top >= 2;

	grid->top = valid ? top : 0;
	grid->bottom = valid ? bottom : grid->rows;
	text_grid_move_to(grid, 0, 0);
}

/* Turns line_of_row[first .. end) left by count, which is less than their number. */
static void rotate_rows(struct text_grid *grid, uint32_t first, uint32_t end, uint32_t count)
{
	uint8_t turned[TEXT_GRID_MAX_ROWS];
	uint32_t length = end - first;

	for (uint32_t i = 0; i < length; i++)
		turned[i] = grid->line_of_row[first + (i + count) % length];
	memcpy(grid->line_of_row + first, turned, length);
}

void text_grid_scroll_up(struct text_grid *grid, uint32_t first, uint32_t count)
{
	if (first >= grid->bottom)
		return;
	count = least(count, grid->bottom - first);
	rotate_rows(grid, first, grid->bottom, count);
	text_grid_erase_rows(grid, grid->bottom - count, grid->bottom);
}

void text_grid_scroll_down(struct text_grid *grid, uint32_t first, uint32_t count)
{
	if (first >= grid->bottom)
		return;
	count = least(count, grid->bottom - first);
	rotate_rows(grid, first, grid->bottom, grid->bottom - first - count);
	text_grid_erase_rows(grid, first, first + count);
}

void text_grid_erase(struct text_grid *grid, uint32_t row, uint32_t first, uint32_t end)
{
	const struct text_cell blank = {.code_point = ' ', .foreground = 7, .background = grid->pen.background};

	if (row >= grid->rows)
		return;
	for (uint32_t column = first; column < end && column < grid->columns; column++)
		line_at(grid, row)[column] = blank;
	grid->change_count++;
	grid->erased_count += first < end ? least(end, grid->columns) - least(first, grid->columns) : 0;
}

void text_grid_erase_rows(struct text_grid *grid, uint32_t first, uint32_t end)
{
	for (uint32_t row = first; row < end && row < grid->rows; row++)
		text_grid_erase(grid, row, 0, grid->columns);
}

void text_grid_insert_cells(struct text_grid *grid, uint32_t count)
{
	struct text_cell *cells = line_at(grid, grid->row) + grid->column;
	uint32_t length = grid->columns - grid->column;

	count = least(count, length);
	memmove(cells + count, cells, (length - count) * sizeof(*cells));
	text_grid_erase(grid, grid->row, grid->column, grid->column + count);
}

void text_grid_delete_cells(struct text_grid *grid, uint32_t count)
{
	struct text_cell *cells = line_at(grid, grid->row) + grid->column;
	uint32_t length = grid->columns - grid->column;

	count = least(count, length);
	memmove(cells, cells + count, (length - count) * sizeof(*cells));
	text_grid_erase(grid, grid->row, grid->columns - count, grid->columns);
}
