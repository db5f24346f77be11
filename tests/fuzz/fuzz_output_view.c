/* The command "output" over anything that a guest may print: each line that comes out begins with the VM's name or is Bulkhead's
 * note of a loss, and nothing in it drives a terminal. */
#include <stdlib.h>
#include <string.h>

#include "console/output_view.h"

#define ROOM_BYTES 1024U

static char line[8];
static size_t line_count;

static void check(char byte)
{
	static const char name[] = "web| ", note[] = "[web: ";

	if (byte == '\n') {
		line_count = 0;
		return;
	}
	if ((byte >= 0 && byte < ' ' && byte != '\r' && byte != '\t') || byte == 0x7f)
		abort();
	if (line_count < 5 && byte != name[line_count] && byte != note[line_count])
		abort();
	if (line_count < sizeof(line))
		line[line_count++] = byte;
}

static bool is_prompt;

static void print(void *context, const char *text, size_t len_bytes)
{
	(void)context;
	is_prompt = is_prompt || (len_bytes > 0 && strncmp(text, SHELL_PROMPT, strlen(SHELL_PROMPT)) == 0 && line_count == 0);
	for (size_t i = 0; i < len_bytes && !is_prompt; i++)
		check(text[i]);
}

static const struct shell_ops ops = {.print = print};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct terminal terminal;
	struct output_view view;
	struct shell shell;

	terminal_init(&terminal, "web");
	for (unsigned i = 0; i < (size > 0 && data[0] == 'm' ? 20 : 1); i++)
		terminal_write(&terminal, data, size);
	shell_init(&shell, &ops, NULL);
	shell.waits = true;
	is_prompt = false;
	line_count = 0;
	output_view_list(&view, &terminal);
	while (output_view_serve(&view, &shell, ROOM_BYTES))
		;
	if (view.active || shell.waits)
		abort();
	return 0;
}
