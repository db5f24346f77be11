/* One line of input being typed. The cursor is always at the end: erasing is all the editing there is. */
#include "console/line_editor.h"

#include "lib/base/string.h"

#define CTRL_C    0x03
#define BELL      0x07
#define BACKSPACE 0x08
#define CTRL_U    0x15
#define CTRL_W    0x17
#define ESC       0x1b
#define DELETE    0x7f

void line_editor_init(struct line_editor *editor)
{
	memset(editor, 0, sizeof(*editor));
}

static void echo_text(struct line_echo *echo, const char *text, size_t len_bytes)
{
	if (len_bytes > sizeof(echo->bytes) - echo->len_bytes)
		return;
	memcpy(echo->bytes + echo->len_bytes, text, len_bytes);
	echo->len_bytes += len_bytes;
}

static void add(struct line_editor *editor, char c, struct line_echo *echo)
{
	static const char bell = BELL;

	if (editor->len_bytes + 1 >= LINE_BYTES) {
		echo_text(echo, &bell, 1);
		return;
	}
	editor->line[editor->len_bytes++] = c;
	editor->line[editor->len_bytes] = '\0';
	echo_text(echo, &c, 1);
}

/* Backspaces to the wanted column, then erases to the line's end (ECMA-48, EL). */
static void cut_to(struct line_editor *editor, size_t len_bytes, struct line_echo *echo)
{
	if (editor->len_bytes == len_bytes)
		return;
	while (editor->len_bytes > len_bytes) {
		echo_text(echo, "\b", 1);
		editor->line[--editor->len_bytes] = '\0';
	}
	echo_text(echo, "\x1b[K", 3);
}

static size_t start_of_last_word(const struct line_editor *editor)
{
	size_t at = editor->len_bytes;

	while (at > 0 && editor->line[at - 1] == ' ')
		at--;
	while (at > 0 && editor->line[at - 1] != ' ')
		at--;
	return at;
}

/* Replaces the line by the one that is back lines before it; 0 lines back is an empty one. */
static void recall(struct line_editor *editor, uint32_t back, struct line_echo *echo)
{
	uint32_t kept = editor->history_count < LINE_HISTORY_LINES ? editor->history_count : LINE_HISTORY_LINES;

	if (back > kept)
		return;
	editor->history_back = back;
	cut_to(editor, 0, echo);
	if (back == 0)
		return;
	const char *line = editor->history[(editor->history_count - back) % LINE_HISTORY_LINES];

	for (size_t i = 0; line[i] != '\0'; i++)
		add(editor, line[i], echo);
}

/* Cursor keys come as ESC [ A or ESC O A; the rest of such sequences is dropped. */
static void type_in_sequence(struct line_editor *editor, uint8_t byte, struct line_echo *echo)
{
	if (editor->key_state == LINE_KEY_ESCAPE) {
		editor->key_state = byte == '[' || byte == 'O' ? LINE_KEY_CONTROL : LINE_KEY_PLAIN;
		return;
	}
	if (byte >= 0x20 && byte <= 0x3f)
		return;
	editor->key_state = LINE_KEY_PLAIN;
	if (byte == 'A')
		recall(editor, editor->history_back + 1, echo);
	else if (byte == 'B' && editor->history_back > 0)
		recall(editor, editor->history_back - 1, echo);
}

enum line_event line_editor_type(struct line_editor *editor, uint8_t byte, struct line_echo *echo)
{
	bool after_return = editor->after_return;

	echo->len_bytes = 0;
	editor->after_return = byte == '\r';
	if (byte == '\r' || (byte == '\n' && !after_return)) {
		editor->key_state = LINE_KEY_PLAIN;
		echo_text(echo, "\r\n", 2);
		return LINE_COMPLETE;
	}
	if (byte == CTRL_C) {
		editor->key_state = LINE_KEY_PLAIN;
		echo_text(echo, "^C\r\n", 4);
		return LINE_ABANDONED;
	}
	if (byte == ESC)
		editor->key_state = LINE_KEY_ESCAPE;
	else if (editor->key_state != LINE_KEY_PLAIN)
		type_in_sequence(editor, byte, echo);
	else if (byte == BACKSPACE || byte == DELETE)
		cut_to(editor, editor->len_bytes > 0 ? editor->len_bytes - 1 : 0, echo);
	else if (byte == CTRL_U)
		cut_to(editor, 0, echo);
	else if (byte == CTRL_W)
		cut_to(editor, start_of_last_word(editor), echo);
	else if (byte >= 0x20 && byte < 0x7f)
		add(editor, (char)byte, echo);
	return LINE_CONTINUES;
}

void line_editor_clear(struct line_editor *editor)
{
	const char *latest = editor->history[(editor->history_count - 1) % LINE_HISTORY_LINES];
	bool repeats = editor->history_count > 0 && strcmp(latest, editor->line) == 0;

	if (editor->len_bytes > 0 && !repeats)
		memcpy(editor->history[editor->history_count++ % LINE_HISTORY_LINES], editor->line, LINE_BYTES);
	editor->len_bytes = 0;
	editor->line[0] = '\0';
	editor->history_back = 0;
}
