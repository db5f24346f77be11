/* One terminal's rings. Positions are 64-bit byte counts, so that they never wrap in practice. */
#include "console/terminal.h"

#include "lib/base/string.h"

void terminal_init(struct terminal *terminal, const char *name)
{
	size_t len = strnlen(name, TERMINAL_NAME_BYTES - 1);

	memcpy(terminal->name, name, len);
	terminal->name[len] = '\0';
	terminal->written_bytes = 0;
	terminal->lost_input_bytes = 0;
	terminal->input_put_count = terminal->input_taken_count = 0;
}

void terminal_write(struct terminal *terminal, const void *bytes, size_t len_bytes)
{
	const uint8_t *next = bytes;

	while (len_bytes > 0) {
		size_t offset = terminal->written_bytes % TERMINAL_OUTPUT_BYTES;
		size_t room = TERMINAL_OUTPUT_BYTES - offset;
		size_t count = len_bytes < room ? len_bytes : room;

		memcpy(terminal->output + offset, next, count);
		terminal->written_bytes += count;
		next += count;
		len_bytes -= count;
	}
}

static uint64_t oldest_position(const struct terminal *terminal)
{
	return terminal->written_bytes > TERMINAL_OUTPUT_BYTES ? terminal->written_bytes - TERMINAL_OUTPUT_BYTES : 0;
}

uint64_t terminal_unread_bytes(const struct terminal *terminal, const struct terminal_reader *reader)
{
	return terminal->written_bytes - reader->position_bytes;
}

size_t terminal_read(const struct terminal *terminal, struct terminal_reader *reader, void *out, size_t size_bytes)
{
	uint64_t oldest = oldest_position(terminal);
	uint8_t *next = out;
	size_t count = 0;

	if (reader->position_bytes < oldest) {
		reader->lost_bytes += oldest - reader->position_bytes;
		reader->position_bytes = oldest;
	}
	while (count < size_bytes && reader->position_bytes < terminal->written_bytes)
		next[count++] = terminal->output[reader->position_bytes++ % TERMINAL_OUTPUT_BYTES];
	return count;
}

uint64_t terminal_last_lines(const struct terminal *terminal, uint32_t line_count, uint32_t max_bytes)
{
	uint64_t end = terminal->written_bytes;
	uint64_t oldest = oldest_position(terminal);
	uint64_t first = end - oldest > max_bytes ? end - max_bytes : oldest;
	uint32_t lines = 0;

	for (uint64_t at = end; at > first; at--) {
		bool newline = terminal->output[(at - 1) % TERMINAL_OUTPUT_BYTES] == '\n';

		if (newline && at != end && ++lines == line_count)
			return at;
	}
	return first;
}

void terminal_type(struct terminal *terminal, uint8_t byte)
{
	if (terminal->input_put_count - terminal->input_taken_count == TERMINAL_INPUT_BYTES)
		terminal->lost_input_bytes++;
	else
		terminal->input[terminal->input_put_count++ % TERMINAL_INPUT_BYTES] = byte;
}

size_t terminal_take_input(struct terminal *terminal, void *out, size_t size_bytes)
{
	uint8_t *next = out;
	size_t count = 0;

	while (count < size_bytes && terminal->input_taken_count != terminal->input_put_count)
		next[count++] = terminal->input[terminal->input_taken_count++ % TERMINAL_INPUT_BYTES];
	return count;
}
