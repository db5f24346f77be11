/* Interprets a terminal's output: a state machine over bytes. What a control sequence does is screen_control. */
#include "console/screen_text.h"

#include "console/screen_control.h"

#define PARAMETER_LIMIT 9999U
#define TAB_COLUMNS     8U
#define ESC             0x1b

static void reset(struct screen_text *screen)
{
	text_grid_reset(&screen->grid);
	screen->utf8 = (struct utf8_decoder){0};
	screen->state = SCREEN_TEXT_GROUND;
	screen->cursor_shown = true;
	screen->line_drawing[0] = screen->line_drawing[1] = false;
	screen->charset = 0;
	screen->charset_target = 0;
	screen->saved_column = screen->saved_row = 0;
	screen->saved_pen = screen->grid.pen;
	screen->parameter_count = 0;
	screen->private_mark = 0;
	screen->has_intermediate = false;
}

void screen_text_init(struct screen_text *screen, uint32_t columns, uint32_t rows)
{
	text_grid_init(&screen->grid, columns, rows);
	reset(screen);
}

/* One byte of ESC [ ...: parameters 30h-3Fh, intermediates 20h-2Fh, the final byte 40h-7Eh. */
static void step_control(struct screen_text *screen, uint8_t byte)
{
	uint32_t last = screen->parameter_count - 1;

	if (byte >= '0' && byte <= '9') {
		uint32_t value = screen->parameters[last] * 10 + (uint32_t)(byte - '0');

		screen->parameters[last] = value < PARAMETER_LIMIT ? value : PARAMETER_LIMIT;
	} else if (byte == ';' || byte == ':') {
		if (screen->parameter_count < SCREEN_TEXT_MAX_PARAMETERS)
			screen->parameters[screen->parameter_count++] = 0;
		else
			screen->has_intermediate = true;
	} else if (byte >= '<' && byte <= '?') {
		screen->private_mark = byte;
	} else if (byte >= 0x20 && byte <= 0x2f) {
		screen->has_intermediate = true;
	} else {
		screen->state = SCREEN_TEXT_GROUND;
		if (byte >= 0x40 && byte <= 0x7e)
			screen_control_run(screen, byte);
	}
}

static void enter_control(struct screen_text *screen)
{
	screen->state = SCREEN_TEXT_CONTROL;
	screen->parameters[0] = 0;
	screen->parameter_count = 1;
	screen->private_mark = 0;
	screen->has_intermediate = false;
}

static void step_escape(struct screen_text *screen, uint8_t byte)
{
	screen->state = SCREEN_TEXT_GROUND;
	if (byte == '[') {
		enter_control(screen);
	} else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_') {
		screen->state = SCREEN_TEXT_STRING;
	} else if (byte == '(' || byte == ')') {
		screen->state = SCREEN_TEXT_CHARSET;
		screen->charset_target = byte == ')';
	} else if (byte >= 0x20 && byte <= 0x2f) {
		screen->state = SCREEN_TEXT_SKIP_ONE;
	} else if (byte == 'D') {
		text_grid_line_feed(&screen->grid);
	} else if (byte == 'E') {
		text_grid_line_feed(&screen->grid);
		text_grid_move_to(&screen->grid, 0, screen->grid.row);
	} else if (byte == 'M') {
		text_grid_reverse_line_feed(&screen->grid);
	} else if (byte == '7') {
		screen_control_save_cursor(screen);
	} else if (byte == '8') {
		screen_control_restore_cursor(screen);
	} else if (byte == 'c') {
		reset(screen);
	}
}

/* C0 controls act within sequences too (ECMA-48 leaves it open, terminals do it). */
static void run_control_character(struct screen_text *screen, uint8_t byte)
{
	struct text_grid *grid = &screen->grid;

	if (byte == '\b')
		text_grid_move_by(grid, -1, 0);
	else if (byte == '\t')
		text_grid_move_to(grid, grid->column / TAB_COLUMNS * TAB_COLUMNS + TAB_COLUMNS, grid->row);
	else if (byte == '\n' || byte == '\v' || byte == '\f')
		text_grid_line_feed(grid);
	else if (byte == '\r')
		text_grid_move_to(grid, 0, grid->row);
	else if (byte == 0x0e || byte == 0x0f)
		screen->charset = byte == 0x0e;
	else if (byte == 0x18 || byte == 0x1a)
		screen->state = SCREEN_TEXT_GROUND;
}

/* DEC's special graphics set, 60h to 7Eh (VT220, "DEC Special Graphics Character Set"). */
static const uint16_t line_drawing_set[] = {
	0x25c6, 0x2592, 0x2409, 0x240c, 0x240d, 0x240a, 0x00b0, 0x00b1, 0x2424, 0x240b, 0x2518,
	0x2510, 0x250c, 0x2514, 0x253c, 0x23ba, 0x23bb, 0x2500, 0x23bc, 0x23bd, 0x251c, 0x2524,
	0x2534, 0x252c, 0x2502, 0x2264, 0x2265, 0x03c0, 0x2260, 0x00a3, 0x00b7,
};

static void put_code_point(struct screen_text *screen, uint32_t code_point)
{
	bool combining = code_point >= 0x300 && code_point <= 0x36f;
	bool control = code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);

	if (combining || control)
		return;
	if (screen->line_drawing[screen->charset] && code_point >= 0x60 && code_point <= 0x7e)
		code_point = line_drawing_set[code_point - 0x60];
	text_grid_put(&screen->grid, (uint16_t)(code_point <= 0xffff ? code_point : UTF8_REPLACEMENT));
}

static void step_text(struct screen_text *screen, uint8_t byte)
{
	uint32_t code_points[2];
	unsigned count = utf8_decode(&screen->utf8, byte, code_points);

	for (unsigned i = 0; i < count; i++)
		put_code_point(screen, code_points[i]);
}

static void step(struct screen_text *screen, uint8_t byte)
{
	bool in_string = screen->state == SCREEN_TEXT_STRING || screen->state == SCREEN_TEXT_STRING_ESCAPE;

	if (byte == ESC && !in_string) {
		screen->state = SCREEN_TEXT_ESCAPE;
		screen->utf8.missing = 0;
		return;
	}
	/* A newline ends a string, so that garbage cannot hide all that follows. */
	if (byte == '\n' && in_string)
		screen->state = SCREEN_TEXT_GROUND;
	if (byte < 0x20 && (!in_string || byte == '\n' || byte == 0x18 || byte == 0x1a)) {
		screen->utf8.missing = 0;
		run_control_character(screen, byte);
		return;
	}
	switch (screen->state) {
	case SCREEN_TEXT_GROUND:
		step_text(screen, byte);
		return;
	case SCREEN_TEXT_ESCAPE:
		step_escape(screen, byte);
		return;
	case SCREEN_TEXT_CHARSET:
		screen->line_drawing[screen->charset_target] = byte == '0';
		screen->state = SCREEN_TEXT_GROUND;
		return;
	case SCREEN_TEXT_SKIP_ONE:
		screen->state = SCREEN_TEXT_GROUND;
		return;
	case SCREEN_TEXT_CONTROL:
		step_control(screen, byte);
		return;
	case SCREEN_TEXT_STRING:
		if (byte == 0x07)
			screen->state = SCREEN_TEXT_GROUND;
		else if (byte == ESC)
			screen->state = SCREEN_TEXT_STRING_ESCAPE;
		return;
	case SCREEN_TEXT_STRING_ESCAPE: /* ESC \ ends it; any other sequence begins */
		screen->state = SCREEN_TEXT_ESCAPE;
		step_escape(screen, byte);
		return;
	}
}

size_t screen_text_write(struct screen_text *screen, const void *bytes, size_t len_bytes)
{
	const uint8_t *next = bytes;
	uint32_t before = screen->grid.erased_count;
	size_t taken = 0;

	while (taken < len_bytes && screen->grid.erased_count - before < SCREEN_TEXT_WORK_CELLS)
		step(screen, next[taken++]);
	return taken;
}

bool screen_text_row(const struct screen_text *screen, uint32_t row, struct text_cell *cells)
{
	const struct text_cell *line = text_grid_row(&screen->grid, row);

	if (line == NULL)
		return false;
	for (uint32_t column = 0; column < screen->grid.columns; column++)
		cells[column] = line[column];
	if (screen->cursor_shown && row == screen->grid.row) {
		struct text_cell *cell = &cells[screen->grid.column];
		uint8_t foreground = cell->foreground;

		cell->foreground = cell->background;
		cell->background = foreground;
	}
	return true;
}
