/* The kernel's log at the prompt: what was there before, new lines as they come, all of it on request. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/shell.h"

/* Copies the log from *position on, which it moves (up, where that text is gone); returns the count, 0 at the end. */
struct log_source {
	size_t (*read)(void *context, uint64_t *position, char *out, size_t size_bytes);
	void *context;
};

struct log_view {
	struct log_source source;
	uint64_t shown_position; /* up to here the log was shown at the prompt */
	uint64_t list_position;  /* what the command "log" prints is from here */
	uint64_t list_end;       /* to here; not after list_position: nothing */
};

/* shown_position: up to there someone else has shown the log. */
void log_view_init(struct log_view *view, const struct log_source *source, uint64_t shown_position);

/* Prints all up to shown_position, without a prompt. */
void log_view_print_old(const struct log_view *view, struct shell *shell);

/* The command "log": begins to list. */
enum shell_outcome log_view_list(struct log_view *view);

/* Another command, or Ctrl-C, has taken the list's place. */
void log_view_end_list(struct log_view *view);

/* Prints the next piece of a list under way, of which room_bytes can be shown, and ends the answer after the last one;
 * then new lines, if there are any. Returns whether it printed something. */
bool log_view_serve(struct log_view *view, struct shell *shell, size_t room_bytes);
