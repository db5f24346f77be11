/* Bulkhead's prompt: reads a line, finds the command in one const table, and has it carried out by injected operations.
 * It holds no state of VMs; whoever provides the operations asks the manager. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "console/line_editor.h"

#define SHELL_PROMPT            "bulkhead> "
#define SHELL_TYPED_AHEAD_BYTES 64U

enum shell_outcome {
	SHELL_DONE,       /* carried out: the next prompt follows */
	SHELL_WAITS,      /* the answer comes by shell_answer, its end by shell_answer_end */
	SHELL_ATTACHED,   /* another terminal is shown: no prompt until shell_show_line */
	SHELL_NO_SUCH_VM, /* the name means nothing */
	SHELL_NO_MANAGER, /* whoever must carry it out does not answer */
	SHELL_WRONG_USE,  /* an argument makes no sense */
};

struct shell_ops {
	void (*print)(void *context, const char *text, size_t len_bytes);
	enum shell_outcome (*list)(void *context);
	enum shell_outcome (*start)(void *context, const char *name);
	enum shell_outcome (*stop)(void *context, const char *name);
	enum shell_outcome (*output)(void *context, const char *name);
	enum shell_outcome (*attach)(void *context, const char *name);
	enum shell_outcome (*log)(void *context);
	enum shell_outcome (*top)(void *context, uint32_t seconds); /* 1 .. CONSOLE_TOP_SECONDS_MAX */
	enum shell_outcome (*balloon)(void *context, const char *name, uint32_t megabytes); /* not 0 */
	enum shell_outcome (*power_off)(void *context);
};

struct shell {
	const struct shell_ops *ops;
	void *context;
	struct line_editor editor;
	const char *second; /* the second argument of the command that runs, or "" */
	bool line_shown; /* the prompt is the last thing printed */
	bool waits; /* for an answer: what is typed meanwhile is kept, up to a bound */
	uint32_t typed_ahead_count;
	uint8_t typed_ahead[SHELL_TYPED_AHEAD_BYTES];
};

/* Borrows ops and context. Prints nothing yet. */
void shell_init(struct shell *shell, const struct shell_ops *ops, void *context);

/* Prints the prompt and what is typed so far: at the start, and when its terminal is shown again. */
void shell_show_line(struct shell *shell);

/* Takes one byte that the user typed at the prompt. Ctrl-C also ends waiting for an answer. */
void shell_type(struct shell *shell, uint8_t byte);

/* Prints text, newlines as CR LF, and no prompt: what stands above the first prompt. */
void shell_print(struct shell *shell, const char *text, size_t len_bytes);

/* Prints text that nobody asked for (a VM stopped, a log line) above the line being typed. Newlines become CR LF. */
void shell_notice(struct shell *shell, const char *text, size_t len_bytes);

/* Prints a part of an answer, newlines as CR LF; an answer that is no longer awaited is dropped. */
void shell_answer(struct shell *shell, const char *text, size_t len_bytes);

/* The answer is complete: the prompt comes back. outcome is SHELL_DONE, SHELL_NO_SUCH_VM or SHELL_NO_MANAGER. */
void shell_answer_end(struct shell *shell, enum shell_outcome outcome);
