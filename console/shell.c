/* Bulkhead's prompt: command table and the life of a line. */
#include "console/shell.h"

#include "abi/console.h"
#include "lib/base/error_codes.h"
#include "lib/base/format.h"
#include "lib/base/string.h"

#define CTRL_C 0x03

struct shell_command {
	const char *name;
	const char *argument; /* NULL: it takes none; "[...]": it may be left out */
	const char *help;
	enum shell_outcome (*run)(struct shell *shell, const char *argument);
};

static enum shell_outcome run_list(struct shell *shell, const char *argument);
static enum shell_outcome run_console(struct shell *shell, const char *argument);
static enum shell_outcome run_start(struct shell *shell, const char *argument);
static enum shell_outcome run_stop(struct shell *shell, const char *argument);
static enum shell_outcome run_output(struct shell *shell, const char *argument);
static enum shell_outcome run_log(struct shell *shell, const char *argument);
static enum shell_outcome run_top(struct shell *shell, const char *argument);
static enum shell_outcome run_balloon(struct shell *shell, const char *argument);
static enum shell_outcome run_help(struct shell *shell, const char *argument);
static enum shell_outcome run_poweroff(struct shell *shell, const char *argument);

static const struct shell_command commands[] = {
	{"list", NULL, "the VMs and their states", run_list},
	{"console", "NAME", "the terminal of a VM; Ctrl-] comes back here", run_console},
	{"output", "NAME", "what a VM has printed lately, each line with its name", run_output},
	{"start", "NAME", "starts a VM that does not run", run_start},
	{"stop", "NAME", "ends a VM at once, as if its plug were pulled", run_stop},
	{"top", "[SECONDS]", "what each virtual CPU did in that time (1 to 60; 1)", run_top},
	{"balloon", "NAME SIZE", "asks a VM to keep so much memory, such as 256M", run_balloon},
	{"log", NULL, "Bulkhead's messages since the boot", run_log},
	{"help", NULL, "this list", run_help},
	{"poweroff", NULL, "stops the VMs in order and switches the PC off", run_poweroff},
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

void shell_init(struct shell *shell, const struct shell_ops *ops, void *context)
{
	shell->ops = ops;
	shell->context = context;
	shell->line_shown = false;
	shell->waits = false;
	shell->typed_ahead_count = 0;
	line_editor_init(&shell->editor);
}

static void print(struct shell *shell, const char *text, size_t len_bytes)
{
	shell->ops->print(shell->context, text, len_bytes);
}

/* A terminal needs a carriage return before each newline. */
void shell_print(struct shell *shell, const char *text, size_t len_bytes)
{
	size_t begin = 0;

	for (size_t i = 0; i < len_bytes; i++) {
		if (text[i] != '\n')
			continue;
		print(shell, text + begin, i - begin);
		print(shell, "\r\n", 2);
		begin = i + 1;
	}
	print(shell, text + begin, len_bytes - begin);
}

static void print_text(struct shell *shell, const char *text)
{
	shell_print(shell, text, strlen(text));
}

static void erase_line(struct shell *shell)
{
	if (shell->line_shown)
		print_text(shell, "\r\x1b[K");
	shell->line_shown = false;
}

void shell_show_line(struct shell *shell)
{
	if (shell->waits)
		return;
	erase_line(shell);
	print_text(shell, SHELL_PROMPT);
	print(shell, shell->editor.line, shell->editor.len_bytes);
	shell->line_shown = true;
}

static enum shell_outcome run_list(struct shell *shell, const char *argument)
{
	(void)argument;
	return shell->ops->list(shell->context);
}

static enum shell_outcome run_console(struct shell *shell, const char *argument)
{
	return shell->ops->attach(shell->context, argument);
}

static enum shell_outcome run_start(struct shell *shell, const char *argument)
{
	return shell->ops->start(shell->context, argument);
}

static enum shell_outcome run_stop(struct shell *shell, const char *argument)
{
	return shell->ops->stop(shell->context, argument);
}

static enum shell_outcome run_output(struct shell *shell, const char *argument)
{
	return shell->ops->output(shell->context, argument);
}

static enum shell_outcome run_log(struct shell *shell, const char *argument)
{
	(void)argument;
	return shell->ops->log(shell->context);
}

/* 0: no number from 1 to CONSOLE_TOP_SECONDS_MAX. */
static uint32_t parse_seconds(const char *text)
{
	uint32_t value = 0;

	for (; *text >= '0' && *text <= '9' && value <= CONSOLE_TOP_SECONDS_MAX; text++)
		value = value * 10 + (uint32_t)(*text - '0');
	return *text == '\0' && value <= CONSOLE_TOP_SECONDS_MAX ? value : 0;
}

static enum shell_outcome run_top(struct shell *shell, const char *argument)
{
	uint32_t seconds = *argument != '\0' ? parse_seconds(argument) : 1;

	return seconds != 0 ? shell->ops->top(shell->context, seconds) : SHELL_WRONG_USE;
}

/* "256M", "2G"; 0: no such size, or 4 PiB and more. */
static uint32_t parse_megabytes(const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9' && value <= UINT32_MAX; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	if (*text == 'G')
		value *= 1024;
	if ((*text != 'M' && *text != 'G') || text[1] != '\0' || value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

static enum shell_outcome run_balloon(struct shell *shell, const char *argument)
{
	uint32_t megabytes = parse_megabytes(shell->second);

	return megabytes != 0 ? shell->ops->balloon(shell->context, argument, megabytes) : SHELL_WRONG_USE;
}

static enum shell_outcome run_help(struct shell *shell, const char *argument)
{
	char line[128];

	(void)argument;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		char usage[32];

		format_text(usage, sizeof(usage), "%s %s", commands[i].name,
			    commands[i].argument != NULL ? commands[i].argument : "");
		format_text(line, sizeof(line), "  %-14s %s\n", usage, commands[i].help);
		print_text(shell, line);
	}
	return SHELL_DONE;
}

static enum shell_outcome run_poweroff(struct shell *shell, const char *argument)
{
	(void)argument;
	return shell->ops->power_off(shell->context);
}

/* Cuts the next word off a line: ends it with a NUL and moves the line on. Returns "" when there is none. */
static char *next_word(char **line)
{
	char *word = *line;
	char *end;

	while (*word == ' ')
		word++;
	for (end = word; *end != '\0' && *end != ' '; end++)
		;
	*line = *end == '\0' ? end : end + 1;
	*end = '\0';
	return word;
}

static const struct shell_command *find_command(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Says what went wrong and what to do about it. */
static void print_failure(struct shell *shell, enum shell_outcome outcome)
{
	if (outcome == SHELL_NO_SUCH_VM)
		print_text(shell, "E612 prompt: no VM of that name; type list for those there are\n");
	else if (outcome == SHELL_NO_MANAGER)
		print_text(shell, "E613 prompt: the manager does not answer; the VMs go on, log may say why\n");
}

static void print_usage(struct shell *shell, const struct shell_command *command)
{
	char message[2 * LINE_BYTES];

	format_text(message, sizeof(message), "E611 prompt: write it as: %s %s\n", command->name,
		    command->argument != NULL ? command->argument : "");
	print_text(shell, message);
}

static bool takes_arguments(const struct shell_command *command, const char *argument, const char *second, const char *excess)
{
	bool takes_two = command->argument != NULL && strchr(command->argument, ' ') != NULL;

	if (*excess != '\0' || (*second != '\0') != takes_two)
		return false;
	if (command->argument == NULL)
		return *argument == '\0';
	return *argument != '\0' || command->argument[0] == '[';
}

static enum shell_outcome run_line(struct shell *shell, char *line)
{
	char message[2 * LINE_BYTES];
	const char *name = next_word(&line);
	const char *argument = next_word(&line);
	const char *second = next_word(&line);
	const char *excess = next_word(&line);
	const struct shell_command *command = find_command(name);
	enum shell_outcome outcome;

	if (*name == '\0')
		return SHELL_DONE;
	if (command == NULL) {
		format_text(message, sizeof(message), "E610 prompt: no command \"%s\"; type help for the list\n", name);
		print_text(shell, message);
		return SHELL_DONE;
	}
	shell->second = second;
	outcome = takes_arguments(command, argument, second, excess) ? command->run(shell, argument) : SHELL_WRONG_USE;
	if (outcome == SHELL_WRONG_USE) {
		print_usage(shell, command);
		return SHELL_DONE;
	}
	print_failure(shell, outcome);
	return outcome;
}

static void finish_line(struct shell *shell)
{
	char line[LINE_BYTES];
	enum shell_outcome outcome;

	memcpy(line, shell->editor.line, sizeof(line));
	line_editor_clear(&shell->editor);
	outcome = run_line(shell, line);
	shell->waits = outcome == SHELL_WAITS;
	if (outcome != SHELL_ATTACHED)
		shell_show_line(shell);
}

static void type_while_waiting(struct shell *shell, uint8_t byte)
{
	if (byte == CTRL_C) {
		shell->typed_ahead_count = 0;
		print_text(shell, "^C\n");
		shell_answer_end(shell, SHELL_DONE);
	} else if (shell->typed_ahead_count < SHELL_TYPED_AHEAD_BYTES) {
		shell->typed_ahead[shell->typed_ahead_count++] = byte;
	}
}

void shell_type(struct shell *shell, uint8_t byte)
{
	struct line_echo echo;
	enum line_event event;

	if (shell->waits) {
		type_while_waiting(shell, byte);
		return;
	}
	event = line_editor_type(&shell->editor, byte, &echo);
	print(shell, echo.bytes, echo.len_bytes);
	if (event != LINE_CONTINUES)
		shell->line_shown = false;
	if (event == LINE_COMPLETE) {
		finish_line(shell);
	} else if (event == LINE_ABANDONED) {
		line_editor_clear(&shell->editor);
		shell_show_line(shell);
	}
}

void shell_notice(struct shell *shell, const char *text, size_t len_bytes)
{
	erase_line(shell);
	shell_print(shell, text, len_bytes);
	shell_show_line(shell);
}

void shell_answer(struct shell *shell, const char *text, size_t len_bytes)
{
	if (shell->waits)
		shell_print(shell, text, len_bytes);
}

void shell_answer_end(struct shell *shell, enum shell_outcome outcome)
{
	uint8_t typed[SHELL_TYPED_AHEAD_BYTES];
	uint32_t count = shell->typed_ahead_count;

	if (!shell->waits)
		return;
	shell->waits = false;
	print_failure(shell, outcome);
	shell_show_line(shell);
	memcpy(typed, shell->typed_ahead, count);
	shell->typed_ahead_count = 0;
	for (uint32_t i = 0; i < count; i++)
		shell_type(shell, typed[i]);
}
