/* Interprets a terminal's output (text and the VT100/ANSI sequences that consoles use) on a text_grid.
 * The bytes come from guests and are hostile: state is of fixed size, every count is bounded, nothing is answered (a
 * sequence that asks the terminal something is dropped). Source: ECMA-48, "Control functions"; DEC VT220 Programmer
 * Reference, "Transmitted and Received Codes". */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "console/text_grid.h"
#include "console/utf8.h"

#define SCREEN_TEXT_MAX_PARAMETERS 16U
#define SCREEN_TEXT_WORK_CELLS     65536U

enum screen_text_state {
	SCREEN_TEXT_GROUND,
	SCREEN_TEXT_ESCAPE,      /* after ESC */
	SCREEN_TEXT_CHARSET,     /* after ESC ( or ESC ): one more byte */
	SCREEN_TEXT_SKIP_ONE,    /* after ESC and an intermediate we do not know: one more byte */
	SCREEN_TEXT_CONTROL,     /* after ESC [ */
	SCREEN_TEXT_STRING,      /* title and other strings: dropped until their end */
	SCREEN_TEXT_STRING_ESCAPE,
};

struct screen_text {
	struct text_grid grid;
	struct utf8_decoder utf8;
	enum screen_text_state state;
	uint32_t parameters[SCREEN_TEXT_MAX_PARAMETERS];
	uint32_t parameter_count;
	uint8_t private_mark;     /* '?' and the like, 0: none */
	bool has_intermediate;    /* a sequence that we do not know */
	bool cursor_shown;
	bool line_drawing[2];     /* G0 and G1 hold DEC's line drawing set */
	uint8_t charset;          /* 0: G0, 1: G1 */
	uint8_t charset_target;   /* which one SCREEN_TEXT_CHARSET sets */
	uint32_t saved_column;
	uint32_t saved_row;
	struct text_pen saved_pen;
};

/* A blank screen; sizes as text_grid_init takes them. */
void screen_text_init(struct screen_text *screen, uint32_t columns, uint32_t rows);

/* Feeds output, until all is taken or SCREEN_TEXT_WORK_CELLS cells were blanked (a few bytes can blank a whole screen).
 * Returns how many bytes it took, at least one if there is one. */
size_t screen_text_write(struct screen_text *screen, const void *bytes, size_t len_bytes);

/* Copies a row's cells with the cursor drawn into it (colours exchanged). cells holds grid.columns cells.
 * Returns false, and copies nothing, if there is no such row. */
bool screen_text_row(const struct screen_text *screen, uint32_t row, struct text_cell *cells);
