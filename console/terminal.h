/* One terminal: what a VM (or Bulkhead's prompt) has printed lately, and what was typed for it.
 * Output is a ring: the oldest bytes are overwritten, readers that were too slow learn how much they lost.
 * Knows nothing of what the bytes mean, or of who shows them (multiplexer). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TERMINAL_NAME_BYTES   64U
#define TERMINAL_OUTPUT_BYTES 32768U /* powers of two */
#define TERMINAL_INPUT_BYTES  1024U

struct terminal {
	char name[TERMINAL_NAME_BYTES]; /* NUL-terminated */
	uint64_t written_bytes;         /* ever */
	uint64_t lost_input_bytes;
	uint32_t input_put_count; /* both count for ever */
	uint32_t input_taken_count;
	uint8_t input[TERMINAL_INPUT_BYTES];
	uint8_t output[TERMINAL_OUTPUT_BYTES];
};

/* A place in a terminal's output, in bytes since its beginning. */
struct terminal_reader {
	uint64_t position_bytes;
	uint64_t lost_bytes; /* overwritten before this reader came to them */
};

/* An empty terminal; a name that is too long is cut. */
void terminal_init(struct terminal *terminal, const char *name);

/* Adds output. */
void terminal_write(struct terminal *terminal, const void *bytes, size_t len_bytes);

/* Copies at most size_bytes from where the reader stands, and returns how many. */
size_t terminal_read(const struct terminal *terminal, struct terminal_reader *reader, void *out, size_t size_bytes);

/* How many bytes the reader has not read, lost ones included. */
uint64_t terminal_unread_bytes(const struct terminal *terminal, const struct terminal_reader *reader);

/* The position where the last line_count lines begin (one that has not ended counts), at most max_bytes back. */
uint64_t terminal_last_lines(const struct terminal *terminal, uint32_t line_count, uint32_t max_bytes);

/* Adds a typed byte; when the queue is full it is dropped and counted. */
void terminal_type(struct terminal *terminal, uint8_t byte);

/* Takes at most size_bytes typed bytes and returns how many. */
size_t terminal_take_input(struct terminal *terminal, void *out, size_t size_bytes);
