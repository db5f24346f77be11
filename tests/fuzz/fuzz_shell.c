/* Any typed bytes, with answers and notices in between: no crash, the line stays a string in its bounds. */
#include "abi/console.h"
#include "console/shell.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print(void *context, const char *text, size_t len_bytes)
{
	volatile uint8_t sum = 0;

	(void)context;
	for (size_t i = 0; i < len_bytes; i++)
		sum = (uint8_t)(sum + (uint8_t)text[i]);
}

static enum shell_outcome wait(void *context)
{
	(void)context;
	return SHELL_WAITS;
}

static enum shell_outcome wait_seconds(void *context, uint32_t seconds)
{
	(void)context;
	if (seconds < 1 || seconds > CONSOLE_TOP_SECONDS_MAX)
		__builtin_trap();
	return SHELL_WAITS;
}

static enum shell_outcome attach(void *context, const char *name)
{
	(void)context;
	return (enum shell_outcome)(strlen(name) % (SHELL_NO_MANAGER + 1));
}

static enum shell_outcome balloon(void *context, const char *name, uint32_t megabytes)
{
	(void)context;
	(void)name;
	return megabytes != 0 ? SHELL_WAITS : SHELL_NO_MANAGER;
}

static const struct shell_ops ops = {
	.print = print, .list = wait, .start = attach, .stop = attach, .output = attach, .attach = attach, .log = wait,
	.top = wait_seconds, .balloon = balloon, .power_off = wait,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct shell shell;

	shell_init(&shell, &ops, NULL);
	for (size_t i = 0; i < size; i++) {
		if (data[i] == 0xfe)
			shell_answer_end(&shell, SHELL_DONE);
		else if (data[i] == 0xfd)
			shell_notice(&shell, (const char *)data + i, size - i < 5 ? size - i : 5);
		else
			shell_type(&shell, data[i]);
		if (strnlen(shell.editor.line, LINE_BYTES) != shell.editor.len_bytes)
			abort();
	}
	return 0;
}
