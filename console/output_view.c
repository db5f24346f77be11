/* A VM's output as lines with its name. */
#include "console/output_view.h"

#include "lib/base/format.h"

#define PIECE_BYTES 512U
#define ENTRY_BYTES (TERMINAL_NAME_BYTES + 64U) /* the most that one byte of output becomes */

struct piece {
	char text[PIECE_BYTES];
	size_t count;
};

void output_view_list(struct output_view *view, const struct terminal *terminal)
{
	*view = (struct output_view){.active = true, .terminal = terminal, .end_bytes = terminal->written_bytes};
}

void output_view_end(struct output_view *view)
{
	view->active = false;
}

static void begin_line(struct output_view *view, struct piece *piece)
{
	if (!view->in_line)
		piece->count += format_text(piece->text + piece->count, PIECE_BYTES - piece->count, "%s| ", view->terminal->name);
	view->in_line = true;
}

static void end_line(struct output_view *view, struct piece *piece)
{
	if (view->in_line)
		piece->text[piece->count++] = '\n';
	view->in_line = false;
}

/* What was printed before the oldest byte that is kept. */
static void tell_loss(struct output_view *view, struct piece *piece)
{
	if (view->reader.lost_bytes == 0)
		return;
	end_line(view, piece);
	piece->count += format_text(piece->text + piece->count, PIECE_BYTES - piece->count,
				    "[%s: %lu bytes before this are no longer kept]\n", view->terminal->name,
				    (unsigned long)view->reader.lost_bytes);
	view->reader.lost_bytes = 0;
}

/* A carriage return would lead back over the name. */
static void put(struct output_view *view, struct piece *piece, uint8_t byte)
{
	if (!plain_text_keeps(&view->filter, byte) || byte == '\r')
		return;
	begin_line(view, piece);
	if (byte == '\n')
		end_line(view, piece);
	else
		piece->text[piece->count++] = (char)byte;
}

static bool has_more(const struct output_view *view)
{
	return view->reader.position_bytes < view->end_bytes;
}

bool output_view_serve(struct output_view *view, struct shell *shell, size_t room_bytes)
{
	size_t size = room_bytes / 2 < PIECE_BYTES ? room_bytes / 2 : PIECE_BYTES; /* a newline becomes two bytes */
	struct piece piece = {.count = 0};
	uint8_t byte;

	if (!shell->waits)
		view->active = false; /* Ctrl-C */
	if (!view->active || size < 2 * ENTRY_BYTES)
		return false;
	while (has_more(view) && piece.count + 2 * ENTRY_BYTES <= size &&
	       terminal_read(view->terminal, &view->reader, &byte, 1) == 1) {
		tell_loss(view, &piece);
		put(view, &piece, byte);
	}
	if (!has_more(view))
		end_line(view, &piece);
	shell_answer(shell, piece.text, piece.count);
	if (!has_more(view)) {
		view->active = false;
		shell_answer_end(shell, SHELL_DONE);
	}
	return true;
}
