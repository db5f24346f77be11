/* One line of input being typed: editing keys, echo, and a short history. Fixed size; knows nothing of commands. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_BYTES         128U /* with its NUL */
#define LINE_HISTORY_LINES 8U

enum line_key_state { LINE_KEY_PLAIN, LINE_KEY_ESCAPE, LINE_KEY_CONTROL };

struct line_editor {
	char line[LINE_BYTES]; /* NUL-terminated */
	size_t len_bytes;
	bool after_return;     /* a newline right after a carriage return is part of it */
	enum line_key_state key_state;
	uint32_t history_count; /* ever; the latest LINE_HISTORY_LINES are kept */
	uint32_t history_back;  /* how far the user went back: 0 is the line itself */
	char history[LINE_HISTORY_LINES][LINE_BYTES];
};

enum line_event {
	LINE_CONTINUES,
	LINE_COMPLETE, /* the line is in editor->line; line_editor_clear follows */
	LINE_ABANDONED, /* Ctrl-C */
};

/* What a key changes on the display: the editor writes it here, the caller prints it. */
struct line_echo {
	char bytes[2 * LINE_BYTES + 8];
	size_t len_bytes;
};

void line_editor_init(struct line_editor *editor);

/* Takes one typed byte. Printable ASCII is added; Backspace, Ctrl-U, Ctrl-W, Ctrl-C, Return, cursor up and down work; a
 * full line rings the bell; everything else is ignored. echo is overwritten. */
enum line_event line_editor_type(struct line_editor *editor, uint8_t byte, struct line_echo *echo);

/* Puts the line into the history, unless it is empty or repeats the last one, and starts a new one. */
void line_editor_clear(struct line_editor *editor);
