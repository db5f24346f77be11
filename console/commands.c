/* What the prompt's commands do: most ask the manager, some the terminals, the log or the multiplexer. */
#include "console/commands.h"

#define DRAIN_TURNS 32U /* a channel's worth, and a guest that goes on printing does not matter */

static void print_at_prompt(void *context, const char *text, size_t len_bytes)
{
	struct console *console = context;

	terminal_write(&console->prompt, text, len_bytes);
}

void console_signal_manager(const struct console *console)
{
	if (console->manager_event != 0)
		console->effects->signal(console->effects->context, console->manager_event,
					 console->manager_event_bits);
}

/* Another command has taken the place of one that was given up. */
static void end_lists(struct console *console)
{
	console->waiting_request = 0;
	log_view_end_list(&console->log);
	output_view_end(&console->output);
}

static enum shell_outcome request(struct console *console, enum console_message_kind kind, uint32_t argument, const char *name)
{
	uint32_t number = 0;
	enum status status = console->manager_lost ? ERR_BAD_FORMAT
						   : manager_link_request(&console->manager, kind, argument, name, &number);

	if (status != OK)
		return status == ERR_OUT_OF_RANGE ? SHELL_NO_SUCH_VM : SHELL_NO_MANAGER;
	end_lists(console);
	console->waiting_request = number;
	console->waiting_since_ms = console->now_ms;
	console_signal_manager(console);
	return SHELL_WAITS;
}

static enum shell_outcome request_list(void *context)
{
	return request(context, CONSOLE_REQUEST_LIST, 0, NULL);
}

static enum shell_outcome request_start(void *context, const char *name)
{
	return request(context, CONSOLE_REQUEST_START, 0, name);
}

static enum shell_outcome request_stop(void *context, const char *name)
{
	return request(context, CONSOLE_REQUEST_STOP, 0, name);
}

static enum shell_outcome request_top(void *context, uint32_t seconds)
{
	return request(context, CONSOLE_REQUEST_TOP, seconds, NULL);
}

static enum shell_outcome list_log(void *context)
{
	struct console *console = context;

	end_lists(console);
	return log_view_list(&console->log);
}

/* What a VM printed before the command was typed is part of its answer: all that its channel holds. */
static void drain(struct console *console, struct console_vm *vm)
{
	for (unsigned i = 0; i < DRAIN_TURNS && console_serve_vm(console, vm); i++)
		;
}

static enum shell_outcome list_output(void *context, const char *name)
{
	struct console *console = context;
	uint32_t number;

	if (multiplexer_find(&console->multiplexer, name, &number) != OK)
		return SHELL_NO_SUCH_VM;
	end_lists(console);
	drain(console, &console->vms[number - 1]);
	output_view_list(&console->output, &console->vms[number - 1].terminal);
	return SHELL_WAITS;
}

static enum shell_outcome request_balloon(void *context, const char *name, uint32_t megabytes)
{
	return request(context, CONSOLE_REQUEST_BALLOON, megabytes, name);
}

static enum shell_outcome request_power_off(void *context)
{
	return request(context, CONSOLE_REQUEST_POWER_OFF, 0, NULL);
}

enum shell_outcome console_show(struct console *console, const char *name)
{
	uint32_t number;

	if (multiplexer_find(&console->multiplexer, name, &number) != OK)
		return SHELL_NO_SUCH_VM;
	multiplexer_show(&console->multiplexer, number);
	return SHELL_ATTACHED;
}

static enum shell_outcome attach(void *context, const char *name)
{
	struct console *console = context;

	console->user_has_chosen = true;
	return console_show(console, name);
}

const struct shell_ops console_commands = {
	.print = print_at_prompt,
	.list = request_list,
	.start = request_start,
	.stop = request_stop,
	.output = list_output,
	.attach = attach,
	.log = list_log,
	.top = request_top,
	.balloon = request_balloon,
	.power_off = request_power_off,
};
