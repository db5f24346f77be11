/* Many terminals, one user: which terminal is shown, what the user types goes where, and how much each VM may print.
 * The serial line and the screen are sinks: each shows the same terminal at its own speed.
 *
 * Ctrl-] leaves a VM's terminal for Bulkhead's prompt; a second Ctrl-] at once goes back and sends one through.
 * A VM's terminal is passed through as it is; what is repeated from before it was shown is plain text only.
 * Fairness: every terminal may add at most a quantum of output each turn, and the shown one no more than the slowest
 * sink can take: a VM that floods waits for the line itself and loses nothing; all others overwrite their own past. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "console/plain_text.h"
#include "console/terminal.h"

#define MULTIPLEXER_MAX_TERMINALS 129U /* the prompt, 64 VMs, and as many further ports of them */
#define MULTIPLEXER_PROMPT        0U /* the number of Bulkhead's own terminal */
#define MULTIPLEXER_QUANTUM_BYTES 4096U
#define MULTIPLEXER_ESCAPE_BYTE   0x1dU /* Ctrl-] */
#define MULTIPLEXER_REPLAY_LINES  20U
#define MULTIPLEXER_REPLAY_BYTES  4096U
#define MULTIPLEXER_NOTICE_BYTES  256U

enum multiplexer_sink_number { MULTIPLEXER_SERIAL, MULTIPLEXER_SCREEN, MULTIPLEXER_SINK_COUNT };

struct multiplexer_sink {
	bool present;
	struct terminal_reader reader;       /* of the shown terminal */
	uint64_t replay_end_bytes;           /* up to here it is plain text only */
	enum plain_text_state replay_filter;
	uint64_t left_at_bytes[MULTIPLEXER_MAX_TERMINALS]; /* where it stood when each terminal was last left */
	uint64_t prompt_end_bytes; /* what the prompt held when it was left: shown whole before the VM's terminal */
	char notice[MULTIPLEXER_NOTICE_BYTES]; /* shown before the shown terminal */
	size_t notice_bytes;
	size_t notice_shown_bytes;
};

struct multiplexer {
	struct terminal *terminals[MULTIPLEXER_MAX_TERMINALS];
	uint32_t terminal_count;
	uint32_t shown;
	uint32_t previous;    /* the VM's terminal that was shown before the prompt */
	bool escape_repeats;  /* the last byte was Ctrl-] and led to the prompt */
	struct multiplexer_sink sinks[MULTIPLEXER_SINK_COUNT];
};

enum multiplexer_typed {
	MULTIPLEXER_TYPED_TO_TERMINAL, /* nothing more to do */
	MULTIPLEXER_TYPED_TO_PROMPT,   /* the shell gets this byte */
	MULTIPLEXER_CAME_TO_PROMPT,    /* the prompt is shown now: the shell draws its line again */
};

/* Starts with the prompt's terminal alone, shown; borrows it. Sinks are absent until multiplexer_add_sink. */
void multiplexer_init(struct multiplexer *multiplexer, struct terminal *prompt);
void multiplexer_add_sink(struct multiplexer *multiplexer, enum multiplexer_sink_number number);

/* Adds a VM's terminal (borrowed) and says its number. Errors: ERR_EXISTS: one has that name; ERR_NO_SPACE. */
MUST_CHECK enum status multiplexer_add(struct multiplexer *multiplexer, struct terminal *terminal, uint32_t *number);

/* Errors: ERR_NOT_FOUND. */
MUST_CHECK enum status multiplexer_find(const struct multiplexer *multiplexer, const char *name, uint32_t *number);

/* Shows another terminal: a line that says which, its last lines, then it lives. A number that is none: nothing. */
void multiplexer_show(struct multiplexer *multiplexer, uint32_t number);

/* What the shown terminal holds so far is not shown by this sink: someone else has done it. */
void multiplexer_skip(struct multiplexer *multiplexer, enum multiplexer_sink_number number);

/* True once every sink has shown all that the shown terminal holds. */
bool multiplexer_has_shown_all(const struct multiplexer *multiplexer);

/* Takes one byte that the user typed. */
enum multiplexer_typed multiplexer_type(struct multiplexer *multiplexer, uint8_t byte);

/* How many bytes of output terminal number may add in this turn; what it has beyond stays with its VM. */
size_t multiplexer_room_bytes(const struct multiplexer *multiplexer, uint32_t number);

/* Copies what this sink is to show next, at most size_bytes, and returns how many bytes. */
size_t multiplexer_read(struct multiplexer *multiplexer, enum multiplexer_sink_number number, void *out,
			size_t size_bytes);
