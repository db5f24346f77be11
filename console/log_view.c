/* The kernel's log at the prompt. Positions count the log's bytes since the boot. */
#include "console/log_view.h"

#define PIECE_BYTES 512U

void log_view_init(struct log_view *view, const struct log_source *source, uint64_t shown_position)
{
	*view = (struct log_view){.source = *source, .shown_position = shown_position};
}

/* Reads at most size_bytes, and not beyond end. */
static size_t read_until(const struct log_view *view, uint64_t *position, uint64_t end, char *out, size_t size_bytes)
{
	uint64_t left = *position < end ? end - *position : 0;

	return view->source.read(view->source.context, position, out, left < size_bytes ? (size_t)left : size_bytes);
}

void log_view_print_old(const struct log_view *view, struct shell *shell)
{
	char text[PIECE_BYTES];
	uint64_t position = 0;
	size_t count;

	while ((count = read_until(view, &position, view->shown_position, text, sizeof(text))) > 0)
		shell_print(shell, text, count);
}

enum shell_outcome log_view_list(struct log_view *view)
{
	view->list_position = 0;
	view->list_end = view->shown_position;
	return view->list_end > 0 ? SHELL_WAITS : SHELL_DONE;
}

void log_view_end_list(struct log_view *view)
{
	view->list_end = 0;
}

static bool list_more(struct log_view *view, struct shell *shell, size_t room_bytes)
{
	char text[PIECE_BYTES];
	size_t room = room_bytes / 2 < sizeof(text) ? room_bytes / 2 : sizeof(text); /* a newline becomes two bytes */
	size_t count;

	if (!shell->waits)
		view->list_end = 0; /* Ctrl-C */
	if (view->list_position >= view->list_end || room == 0)
		return false;
	count = read_until(view, &view->list_position, view->list_end, text, room);
	shell_answer(shell, text, count);
	if (count == 0 || view->list_position >= view->list_end) {
		view->list_end = 0;
		shell_answer_end(shell, SHELL_DONE);
	}
	return true;
}

static size_t whole_lines(const char *text, size_t len_bytes)
{
	while (len_bytes > 0 && text[len_bytes - 1] != '\n')
		len_bytes--;
	return len_bytes;
}

/* New lines appear above the prompt. One that has not ended waits, unless it is longer than any should be. */
static bool show_new(struct log_view *view, struct shell *shell)
{
	char text[PIECE_BYTES];
	uint64_t position = view->shown_position;
	size_t count = view->source.read(view->source.context, &position, text, sizeof(text));
	size_t whole = whole_lines(text, count);

	if (whole == 0 && count == sizeof(text))
		whole = count;
	if (whole == 0)
		return false;
	view->shown_position = position - (count - whole);
	shell_notice(shell, text, whole);
	return true;
}

bool log_view_serve(struct log_view *view, struct shell *shell, size_t room_bytes)
{
	bool listed = list_more(view, shell, room_bytes);

	return show_new(view, shell) || listed;
}
