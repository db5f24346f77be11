/* The command "output": what a VM has printed lately, at the prompt. Each line begins with the VM's name, so that no guest can
 * print what looks like Bulkhead's own words. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/plain_text.h"
#include "console/shell.h"
#include "console/terminal.h"

struct output_view {
	bool active;
	bool in_line; /* the name stands before what comes */
	const struct terminal *terminal;
	struct terminal_reader reader;
	uint64_t end_bytes; /* position in the terminal's output */
	enum plain_text_state filter;
};

/* Begins to print what the terminal keeps: all up to now. Borrows it. */
void output_view_list(struct output_view *view, const struct terminal *terminal);

/* Another command, or Ctrl-C, has taken its place. */
void output_view_end(struct output_view *view);

/* Prints the next piece, of which room_bytes can be shown, and ends the answer after the last one. Returns whether it printed
 * something. */
bool output_view_serve(struct output_view *view, struct shell *shell, size_t room_bytes);
