/* Many terminals, one user. The sinks hold positions in the terminals' rings; nothing is copied before it is shown. */
#include "console/multiplexer.h"

#include "lib/base/format.h"
#include "lib/base/string.h"

/* Whatever state a guest left the user's terminal in: end a sequence, whole screen scrolls, plain colours and
 * characters, cursor shown, lines wrap. (CAN; ECMA-48 SGR; DECSC, DECSTBM, DECRC, DECTCEM, DECAWM.) */
#define RESET_TERMINAL "\x18\x1b" "7\x1b[r\x1b" "8\x1b[0m\x1b(B\x0f\x1b[?25h\x1b[?7h"

void multiplexer_init(struct multiplexer *multiplexer, struct terminal *prompt)
{
	memset(multiplexer, 0, sizeof(*multiplexer));
	multiplexer->terminals[MULTIPLEXER_PROMPT] = prompt;
	multiplexer->terminal_count = 1;
}

void multiplexer_add_sink(struct multiplexer *multiplexer, enum multiplexer_sink_number number)
{
	multiplexer->sinks[number].present = true;
}

enum status multiplexer_find(const struct multiplexer *multiplexer, const char *name, uint32_t *number)
{
	for (uint32_t i = 0; i < multiplexer->terminal_count; i++) {
		if (i != MULTIPLEXER_PROMPT && strcmp(multiplexer->terminals[i]->name, name) == 0) {
			*number = i;
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

enum status multiplexer_add(struct multiplexer *multiplexer, struct terminal *terminal, uint32_t *number)
{
	uint32_t existing;

	if (multiplexer_find(multiplexer, terminal->name, &existing) == OK)
		return ERR_EXISTS;
	if (multiplexer->terminal_count == MULTIPLEXER_MAX_TERMINALS)
		return ERR_NO_SPACE;
	*number = multiplexer->terminal_count++;
	multiplexer->terminals[*number] = terminal;
	return OK;
}

/* The prompt's lines are all shown, those of a time when it was not shown included; a VM's from the last lines on, or
 * from where the user left it if that is later. Where nothing came since then, the last lines are shown again: a terminal of a VM
 * that ended is otherwise empty. */
static void point_sink(const struct multiplexer *multiplexer, struct multiplexer_sink *sink, uint32_t number)
{
	const struct terminal *terminal = multiplexer->terminals[number];
	uint64_t left_at = sink->left_at_bytes[number];
	uint64_t last_lines = terminal_last_lines(terminal, MULTIPLEXER_REPLAY_LINES, MULTIPLEXER_REPLAY_BYTES);

	bool has_news = left_at > last_lines && left_at < terminal->written_bytes;

	sink->reader.position_bytes = number == MULTIPLEXER_PROMPT || has_news ? left_at : last_lines;
	sink->replay_end_bytes = number == MULTIPLEXER_PROMPT ? 0 : terminal->written_bytes;
	sink->replay_filter = PLAIN_TEXT_GROUND;
	if (number == MULTIPLEXER_PROMPT)
		sink->notice_bytes = format_text(sink->notice, sizeof(sink->notice), RESET_TERMINAL "\r\n");
	else
		sink->notice_bytes = format_text(sink->notice, sizeof(sink->notice),
						 RESET_TERMINAL "\r\n[%s: Ctrl-] returns to Bulkhead's prompt]\r\n",
						 terminal->name);
	sink->notice_shown_bytes = 0;
}

void multiplexer_show(struct multiplexer *multiplexer, uint32_t number)
{
	if (number >= multiplexer->terminal_count || number == multiplexer->shown)
		return;
	for (uint32_t i = 0; i < MULTIPLEXER_SINK_COUNT; i++) {
		struct multiplexer_sink *sink = &multiplexer->sinks[i];

		sink->left_at_bytes[multiplexer->shown] = sink->reader.position_bytes;
		if (multiplexer->shown == MULTIPLEXER_PROMPT)
			sink->prompt_end_bytes = multiplexer->terminals[MULTIPLEXER_PROMPT]->written_bytes;
		point_sink(multiplexer, sink, number);
	}
	if (multiplexer->shown != MULTIPLEXER_PROMPT)
		multiplexer->previous = multiplexer->shown;
	multiplexer->shown = number;
	multiplexer->escape_repeats = false;
}

void multiplexer_skip(struct multiplexer *multiplexer, enum multiplexer_sink_number number)
{
	const struct terminal *terminal = multiplexer->terminals[multiplexer->shown];

	multiplexer->sinks[number].reader.position_bytes = terminal->written_bytes;
}

/* At the prompt Ctrl-] draws it again; at once after the one that led there it goes to the VM. */
static enum multiplexer_typed type_at_prompt(struct multiplexer *multiplexer, uint8_t byte)
{
	bool repeated = multiplexer->escape_repeats;

	multiplexer->escape_repeats = false;
	if (byte != MULTIPLEXER_ESCAPE_BYTE)
		return MULTIPLEXER_TYPED_TO_PROMPT;
	if (!repeated)
		return MULTIPLEXER_CAME_TO_PROMPT;
	multiplexer_show(multiplexer, multiplexer->previous);
	terminal_type(multiplexer->terminals[multiplexer->shown], byte);
	return MULTIPLEXER_TYPED_TO_TERMINAL;
}

enum multiplexer_typed multiplexer_type(struct multiplexer *multiplexer, uint8_t byte)
{
	if (multiplexer->shown == MULTIPLEXER_PROMPT)
		return type_at_prompt(multiplexer, byte);
	if (byte != MULTIPLEXER_ESCAPE_BYTE) {
		terminal_type(multiplexer->terminals[multiplexer->shown], byte);
		return MULTIPLEXER_TYPED_TO_TERMINAL;
	}
	multiplexer_show(multiplexer, MULTIPLEXER_PROMPT);
	multiplexer->escape_repeats = true;
	return MULTIPLEXER_CAME_TO_PROMPT;
}

size_t multiplexer_room_bytes(const struct multiplexer *multiplexer, uint32_t number)
{
	size_t room = MULTIPLEXER_QUANTUM_BYTES;

	if (number != multiplexer->shown)
		return room;
	for (uint32_t i = 0; i < MULTIPLEXER_SINK_COUNT; i++) {
		const struct multiplexer_sink *sink = &multiplexer->sinks[i];
		uint64_t unread = terminal_unread_bytes(multiplexer->terminals[number], &sink->reader);
		size_t left = unread < TERMINAL_OUTPUT_BYTES ? (size_t)(TERMINAL_OUTPUT_BYTES - unread) : 0;

		if (sink->present && left < room)
			room = left;
	}
	return room;
}

static bool owes_prompt(const struct multiplexer *multiplexer, const struct multiplexer_sink *sink)
{
	return multiplexer->shown != MULTIPLEXER_PROMPT && sink->left_at_bytes[MULTIPLEXER_PROMPT] < sink->prompt_end_bytes;
}

bool multiplexer_has_shown_all(const struct multiplexer *multiplexer)
{
	const struct terminal *terminal = multiplexer->terminals[multiplexer->shown];

	for (uint32_t i = 0; i < MULTIPLEXER_SINK_COUNT; i++) {
		const struct multiplexer_sink *sink = &multiplexer->sinks[i];

		if (sink->present && (owes_prompt(multiplexer, sink) || sink->notice_shown_bytes < sink->notice_bytes ||
				      terminal_unread_bytes(terminal, &sink->reader) > 0))
			return false;
	}
	return true;
}

/* The line with which the user left the prompt is echoed to its end. */
static size_t read_rest_of_prompt(const struct multiplexer *multiplexer, struct multiplexer_sink *sink, uint8_t *out,
				  size_t size_bytes)
{
	struct terminal_reader reader = {.position_bytes = sink->left_at_bytes[MULTIPLEXER_PROMPT]};
	uint64_t left = sink->prompt_end_bytes - reader.position_bytes;
	size_t want = left < size_bytes ? (size_t)left : size_bytes;
	size_t count;

	if (!owes_prompt(multiplexer, sink))
		return 0;
	count = terminal_read(multiplexer->terminals[MULTIPLEXER_PROMPT], &reader, out, want);
	sink->left_at_bytes[MULTIPLEXER_PROMPT] = reader.position_bytes;
	return count;
}

static size_t read_notice(struct multiplexer_sink *sink, uint8_t *out, size_t size_bytes)
{
	size_t left = sink->notice_bytes - sink->notice_shown_bytes;
	size_t count = left < size_bytes ? left : size_bytes;

	memcpy(out, sink->notice + sink->notice_shown_bytes, count);
	sink->notice_shown_bytes += count;
	return count;
}

/* Reads what lies before replay_end_bytes and keeps the text of it. */
static size_t read_replay(const struct terminal *terminal, struct multiplexer_sink *sink, uint8_t *out,
			  size_t size_bytes)
{
	size_t kept = 0;
	uint8_t byte;

	while (kept < size_bytes && sink->reader.position_bytes < sink->replay_end_bytes) {
		if (terminal_read(terminal, &sink->reader, &byte, 1) == 0)
			break;
		if (plain_text_keeps(&sink->replay_filter, byte))
			out[kept++] = byte;
	}
	return kept;
}

size_t multiplexer_read(struct multiplexer *multiplexer, enum multiplexer_sink_number number, void *out,
			size_t size_bytes)
{
	struct multiplexer_sink *sink = &multiplexer->sinks[number];
	const struct terminal *terminal = multiplexer->terminals[multiplexer->shown];
	uint8_t *next = out;
	size_t count;

	if (!sink->present)
		return 0;
	count = read_rest_of_prompt(multiplexer, sink, next, size_bytes);
	count += read_notice(sink, next + count, size_bytes - count);
	count += read_replay(terminal, sink, next + count, size_bytes - count);
	return count + terminal_read(terminal, &sink->reader, next + count, size_bytes - count);
}
