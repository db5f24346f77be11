/* What complete control sequences do to the screen: one const table, final byte to function.
 * ECMA-48, "Control functions". */
#include "console/screen_control.h"

/* The parameter at index, fallback where it is missing or zero (ECMA-48: zero means the default). */
static uint32_t parameter(const struct screen_text *screen, uint32_t index, uint32_t fallback)
{
	return index < screen->parameter_count && screen->parameters[index] != 0 ? screen->parameters[index] : fallback;
}

static void cursor_up(struct screen_text *s)
{
	text_grid_move_by(&s->grid, 0, -(int32_t)parameter(s, 0, 1));
}

static void cursor_down(struct screen_text *s)
{
	text_grid_move_by(&s->grid, 0, (int32_t)parameter(s, 0, 1));
}

static void cursor_right(struct screen_text *s)
{
	text_grid_move_by(&s->grid, (int32_t)parameter(s, 0, 1), 0);
}

static void cursor_left(struct screen_text *s)
{
	text_grid_move_by(&s->grid, -(int32_t)parameter(s, 0, 1), 0);
}

static void cursor_next_line(struct screen_text *s)
{
	cursor_down(s);
	text_grid_move_to(&s->grid, 0, s->grid.row);
}

static void cursor_previous_line(struct screen_text *s)
{
	cursor_up(s);
	text_grid_move_to(&s->grid, 0, s->grid.row);
}

static void cursor_column(struct screen_text *s)
{
	text_grid_move_to(&s->grid, parameter(s, 0, 1) - 1, s->grid.row);
}

static void cursor_row(struct screen_text *s)
{
	text_grid_move_to(&s->grid, s->grid.column, parameter(s, 0, 1) - 1);
}

static void cursor_position(struct screen_text *s)
{
	text_grid_move_to(&s->grid, parameter(s, 1, 1) - 1, parameter(s, 0, 1) - 1);
}

static void erase_display(struct screen_text *s)
{
	struct text_grid *grid = &s->grid;
	uint32_t what = parameter(s, 0, 0);

	if (what == 0) {
		text_grid_erase(grid, grid->row, grid->column, grid->columns);
		text_grid_erase_rows(grid, grid->row + 1, grid->rows);
	} else if (what == 1) {
		text_grid_erase_rows(grid, 0, grid->row);
		text_grid_erase(grid, grid->row, 0, grid->column + 1);
	} else {
		text_grid_erase_rows(grid, 0, grid->rows);
	}
}

static void erase_line(struct screen_text *s)
{
	struct text_grid *grid = &s->grid;
	uint32_t what = parameter(s, 0, 0);

	text_grid_erase(grid, grid->row, what == 0 ? grid->column : 0, what == 1 ? grid->column + 1 : grid->columns);
}

static bool cursor_in_region(const struct text_grid *grid)
{
	return grid->row >= grid->top && grid->row < grid->bottom;
}

static void insert_lines(struct screen_text *s)
{
	if (cursor_in_region(&s->grid))
		text_grid_scroll_down(&s->grid, s->grid.row, parameter(s, 0, 1));
}

static void delete_lines(struct screen_text *s)
{
	if (cursor_in_region(&s->grid))
		text_grid_scroll_up(&s->grid, s->grid.row, parameter(s, 0, 1));
}

static void scroll_up(struct screen_text *s)
{
	text_grid_scroll_up(&s->grid, s->grid.top, parameter(s, 0, 1));
}

static void scroll_down(struct screen_text *s)
{
	text_grid_scroll_down(&s->grid, s->grid.top, parameter(s, 0, 1));
}

static void insert_cells(struct screen_text *s)
{
	text_grid_insert_cells(&s->grid, parameter(s, 0, 1));
}

static void delete_cells(struct screen_text *s)
{
	text_grid_delete_cells(&s->grid, parameter(s, 0, 1));
}

static void erase_cells(struct screen_text *s)
{
	uint32_t column = s->grid.column;

	text_grid_erase(&s->grid, s->grid.row, column, column + parameter(s, 0, 1));
}

static void set_region(struct screen_text *s)
{
	text_grid_set_region(&s->grid, parameter(s, 0, 1) - 1, parameter(s, 1, s->grid.rows));
}

void screen_control_save_cursor(struct screen_text *s)
{
	s->saved_column = s->grid.column;
	s->saved_row = s->grid.row;
	s->saved_pen = s->grid.pen;
}

void screen_control_restore_cursor(struct screen_text *s)
{
	text_grid_move_to(&s->grid, s->saved_column, s->saved_row);
	s->grid.pen = s->saved_pen;
}

/* The nearest of the eight colours, bright where one part is strong. */
static uint8_t colour_of_rgb(uint32_t red, uint32_t green, uint32_t blue)
{
	uint32_t most = red > green ? red : green;

	most = most > blue ? most : blue;
	if (most < 64)
		return 0;
	return (uint8_t)((red * 2 > most ? 1 : 0) | (green * 2 > most ? 2 : 0) | (blue * 2 > most ? 4 : 0) |
			 (most > 200 ? 8 : 0));
}

/* xterm's palette: 16 colours, a cube of six steps each, 24 greys. */
static uint8_t colour_of_index(uint32_t index)
{
	if (index < 16)
		return (uint8_t)index;
	if (index < 232)
		return colour_of_rgb((index - 16) / 36 * 51, (index - 16) / 6 % 6 * 51, (index - 16) % 6 * 51);
	return colour_of_rgb((index - 232) * 11, (index - 232) * 11, (index - 232) * 11);
}

/* "38;5;n" and "38;2;r;g;b" (48: background): returns how many parameters it used. */
static uint32_t set_extended_colour(struct screen_text *s, uint32_t at, uint8_t *colour)
{
	uint32_t kind = parameter(s, at + 1, 0);

	if (kind == 5) {
		*colour = colour_of_index(parameter(s, at + 2, 0) & 0xff);
		return 3;
	}
	if (kind == 2) {
		*colour = colour_of_rgb(parameter(s, at + 2, 0), parameter(s, at + 3, 0), parameter(s, at + 4, 0));
		return 5;
	}
	return 2;
}

static void set_simple_rendition(struct text_pen *pen, uint32_t value)
{
	if (value == 0)
		*pen = (struct text_pen){.foreground = 7};
	else if (value == 1)
		pen->bold = true;
	else if (value == 22)
		pen->bold = false;
	else if (value == 7 || value == 27)
		pen->inverse = value == 7;
	else if (value >= 30 && value <= 37)
		pen->foreground = (uint8_t)(value - 30);
	else if (value == 39)
		pen->foreground = 7;
	else if (value >= 40 && value <= 47)
		pen->background = (uint8_t)(value - 40);
	else if (value == 49)
		pen->background = 0;
	else if (value >= 90 && value <= 97)
		pen->foreground = (uint8_t)(value - 90 + 8);
	else if (value >= 100 && value <= 107)
		pen->background = (uint8_t)(value - 100 + 8);
}

static void set_rendition(struct screen_text *s)
{
	struct text_pen *pen = &s->grid.pen;
	uint32_t at = 0;

	do {
		uint32_t value = parameter(s, at, 0);

		if (value == 38 || value == 48) {
			at += set_extended_colour(s, at, value == 38 ? &pen->foreground : &pen->background);
		} else {
			set_simple_rendition(pen, value);
			at++;
		}
	} while (at < s->parameter_count);
}

/* ESC [ ? n h and l. The alternate screen is an erased one. */
static void set_private_mode(struct screen_text *s, bool on)
{
	for (uint32_t i = 0; i < s->parameter_count; i++) {
		uint32_t mode = s->parameters[i];

		if (mode == 7)
			s->grid.wraps = on;
		else if (mode == 25)
			s->cursor_shown = on;
		else if (mode == 47 || mode == 1047 || mode == 1049)
			text_grid_erase_rows(&s->grid, 0, s->grid.rows);
	}
	s->grid.change_count++;
}

static const struct control_sequence {
	uint8_t final;
	void (*run)(struct screen_text *screen);
} control_sequences[] = {
	{'@', insert_cells},    {'A', cursor_up},            {'B', cursor_down},   {'C', cursor_right},
	{'D', cursor_left},     {'E', cursor_next_line},     {'F', cursor_previous_line},
	{'G', cursor_column},   {'H', cursor_position},      {'J', erase_display}, {'K', erase_line},
	{'L', insert_lines},    {'M', delete_lines},         {'P', delete_cells},  {'S', scroll_up},
	{'T', scroll_down},     {'X', erase_cells},          {'`', cursor_column}, {'a', cursor_right},
	{'d', cursor_row},      {'e', cursor_down},          {'f', cursor_position},
	{'m', set_rendition},   {'r', set_region},
	{'s', screen_control_save_cursor},                   {'u', screen_control_restore_cursor},
};

void screen_control_run(struct screen_text *screen, uint8_t final)
{
	if (screen->has_intermediate)
		return;
	if (screen->private_mark != 0) {
		if (screen->private_mark == '?' && (final == 'h' || final == 'l'))
			set_private_mode(screen, final == 'h');
		return;
	}
	for (uint32_t i = 0; i < sizeof(control_sequences) / sizeof(control_sequences[0]); i++)
		if (control_sequences[i].final == final)
			control_sequences[i].run(screen);
}
