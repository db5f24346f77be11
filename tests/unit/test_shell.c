/* Commands at the prompt, with a manager that answers well, late, wrongly or not at all. */
#include "console/shell.h"

#include <stdio.h>

#include "tests/unit/unit.h"

struct record {
	char printed[8192];
	size_t len_bytes;
	char attached[64];
	char named[64]; /* COMMAND NAME, of start, stop and output */
	unsigned list_count, log_count, top_count, power_off_count;
	uint32_t top_seconds;
	enum shell_outcome answer;
};

static struct record record;
static struct shell shell;

static void print(void *context, const char *text, size_t len_bytes)
{
	struct record *r = context;

	assert_true(len_bytes < sizeof(r->printed) - r->len_bytes);
	memcpy(r->printed + r->len_bytes, text, len_bytes);
	r->len_bytes += len_bytes;
	r->printed[r->len_bytes] = '\0';
}

static enum shell_outcome list(void *context)
{
	((struct record *)context)->list_count++;
	return ((struct record *)context)->answer;
}

static enum shell_outcome attach(void *context, const char *name)
{
	struct record *r = context;

	strncpy(r->attached, name, sizeof(r->attached) - 1);
	return strcmp(name, "web") == 0 ? SHELL_ATTACHED : SHELL_NO_SUCH_VM;
}

static enum shell_outcome note(void *context, const char *command, const char *name)
{
	struct record *r = context;

	snprintf(r->named, sizeof(r->named), "%s %s", command, name);
	return strcmp(name, "web") == 0 ? SHELL_WAITS : SHELL_NO_SUCH_VM;
}

static enum shell_outcome start(void *context, const char *name)
{
	return note(context, "start", name);
}

static enum shell_outcome stop(void *context, const char *name)
{
	return note(context, "stop", name);
}

static enum shell_outcome output(void *context, const char *name)
{
	return note(context, "output", name);
}

static enum shell_outcome show_log(void *context)
{
	((struct record *)context)->log_count++;
	return SHELL_WAITS;
}

static enum shell_outcome top(void *context, uint32_t seconds)
{
	((struct record *)context)->top_count++;
	((struct record *)context)->top_seconds = seconds;
	return SHELL_DONE;
}

static enum shell_outcome balloon(void *context, const char *name, uint32_t megabytes)
{
	struct record *r = context;

	snprintf(r->named, sizeof(r->named), "balloon %s %u", name, megabytes);
	return SHELL_DONE;
}

static enum shell_outcome power_off(void *context)
{
	((struct record *)context)->power_off_count++;
	return SHELL_NO_MANAGER;
}

static const struct shell_ops ops = {
	.print = print, .list = list, .start = start, .stop = stop, .output = output,
	.attach = attach, .log = show_log, .top = top, .balloon = balloon, .power_off = power_off,
};

static int setup(void **state)
{
	(void)state;
	record = (struct record){.answer = SHELL_DONE};
	shell_init(&shell, &ops, &record);
	return 0;
}

static void type(const char *text)
{
	record.len_bytes = 0;
	record.printed[0] = '\0';
	for (; *text != '\0'; text++)
		shell_type(&shell, (uint8_t)*text);
}

static void test_shell_runs_commands(void **state)
{
	(void)state;
	shell_show_line(&shell);
	assert_string_equal(record.printed, "bulkhead> ");
	type("list\r");
	assert_int_equal(record.list_count, 1);
	assert_string_equal(record.printed, "list\r\nbulkhead> ");
	type("  list  \n");
	assert_int_equal(record.list_count, 2);
	type("\r\n\r\n");
	assert_string_equal(record.printed, "\r\nbulkhead> \r\nbulkhead> ");
	assert_int_equal(record.list_count, 2);
}

static void test_shell_attaches_by_name(void **state)
{
	(void)state;
	type("console web\r");
	assert_string_equal(record.attached, "web");
	assert_string_equal(record.printed, "console web\r\n");
	shell_show_line(&shell);
	type("console mail\r");
	assert_non_null(strstr(record.printed, "E612 prompt: no VM of that name; type list"));
	assert_non_null(strstr(record.printed, "\r\nbulkhead> "));
}

static void test_shell_hands_on_commands_with_a_name(void **state)
{
	static const char *const names[] = {"start", "stop", "output"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "%s web\r", names[i]);
		type(line);
		assert_memory_equal(record.named, line, strlen(line) - 1);
		assert_true(shell.waits);
		shell_answer_end(&shell, SHELL_DONE);
		snprintf(line, sizeof(line), "%s mail\r", names[i]);
		type(line);
		assert_non_null(strstr(record.printed, "E612 prompt: no VM of that name"));
		snprintf(line, sizeof(line), "%s\r", names[i]);
		type(line);
		assert_non_null(strstr(record.printed, "E611 prompt: write it as: "));
	}
}

static void test_shell_runs_top_for_some_seconds(void **state)
{
	static const char *const wrong[] = {"top 0\r", "top 61\r", "top x\r", "top 1x\r", "top -1\r", "top 4294967297\r",
			"top 1 2\r"};

	(void)state;
	type("top\r");
	assert_int_equal(record.top_seconds, 1);
	type("top 60\r");
	assert_int_equal(record.top_seconds, 60);
	type("top 007\r");
	assert_int_equal(record.top_seconds, 7);
	assert_int_equal(record.top_count, 3);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		type(wrong[i]);
		assert_non_null(strstr(record.printed, "E611 prompt: write it as: top [SECONDS]\r\nbulkhead> "));
	}
	assert_int_equal(record.top_count, 3);
}

static void test_shell_explains_mistakes(void **state)
{
	(void)state;
	type("lsit\r");
	assert_non_null(strstr(record.printed, "E610 prompt: no command \"lsit\"; type help"));
	type("console\r");
	assert_non_null(strstr(record.printed, "E611 prompt: write it as: console NAME"));
	type("console a b\r");
	assert_non_null(strstr(record.printed, "E611"));
	type("list all\r");
	assert_non_null(strstr(record.printed, "E611 prompt: write it as: list"));
	type("poweroff\r");
	assert_int_equal(record.power_off_count, 1);
	assert_non_null(strstr(record.printed, "E613 prompt: the manager does not answer"));
}

static void test_shell_help_names_every_command(void **state)
{
	static const char *const names[] = {"list", "console NAME", "log", "help", "poweroff"};

	(void)state;
	type("help\r");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_non_null(strstr(record.printed, names[i]));
}

static void test_shell_edits_the_line(void **state)
{
	(void)state;
	type("lisx\x7ft\r");
	assert_int_equal(record.list_count, 1);
	type("garbage\x15list\r");
	assert_int_equal(record.list_count, 2);
	type("list junk\x17\r");
	assert_int_equal(record.list_count, 3);
	type("poweroff\x03");
	assert_string_equal(record.printed, "poweroff^C\r\nbulkhead> ");
	type("\r");
	assert_int_equal(record.power_off_count, 0);
	type("\b\b\x7f\x15\x01\x02\xff\x80list\r");
	assert_int_equal(record.list_count, 4);
}

static void test_shell_line_is_bounded(void **state)
{
	char line[LINE_BYTES * 2];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	type(line);
	assert_int_equal(strlen(shell.editor.line), LINE_BYTES - 1);
	assert_int_equal(record.printed[LINE_BYTES], '\a');
	type("\r");
	assert_non_null(strstr(record.printed, "E610"));
}

static void test_shell_recalls_history(void **state)
{
	(void)state;
	type("list\rhelp\rhelp\r");
	type("\x1b[A");
	assert_string_equal(shell.editor.line, "help");
	type("\x1bOA");
	assert_string_equal(shell.editor.line, "list");
	type("\x1b[A\x1b[A");
	assert_string_equal(shell.editor.line, "list");
	type("\x1b[B");
	assert_string_equal(shell.editor.line, "help");
	type("\x1b[B");
	assert_string_equal(shell.editor.line, "");
	type("\x1b[B\x1b[1;5C\x1b[3~");
	assert_string_equal(shell.editor.line, "");
	for (char c = 'a'; c < 'a' + 12; c++) {
		const char text[] = {c, '\r', '\0'};

		type(text);
	}
	for (unsigned i = 0; i < 20; i++)
		type("\x1b[A");
	assert_string_equal(shell.editor.line, "e");
}

static void test_shell_waits_for_answers(void **state)
{
	(void)state;
	type("log\rli");
	assert_string_equal(record.printed, "log\r\n");
	type("st\r");
	assert_string_equal(record.printed, "");
	shell_answer(&shell, "line 1\nline 2\n", 14);
	shell_answer_end(&shell, SHELL_DONE);
	assert_string_equal(record.printed, "line 1\r\nline 2\r\nbulkhead> list\r\nbulkhead> ");
	assert_int_equal(record.list_count, 1);
	/* An answer nobody waits for is dropped. */
	type("");
	shell_answer(&shell, "late\n", 5);
	shell_answer_end(&shell, SHELL_NO_MANAGER);
	assert_string_equal(record.printed, "");
}

static void test_shell_waiting_ends_with_ctrl_c(void **state)
{
	(void)state;
	type("log\rtyped ahead\x03");
	assert_string_equal(record.printed, "log\r\n^C\r\nbulkhead> ");
	type("log\r");
	for (unsigned i = 0; i < 1000; i++)
		shell_type(&shell, 'y');
	shell_answer_end(&shell, SHELL_NO_SUCH_VM);
	assert_non_null(strstr(record.printed, "E612"));
	assert_int_equal(shell.editor.len_bytes, SHELL_TYPED_AHEAD_BYTES);
}

static void test_shell_notice_keeps_the_line(void **state)
{
	(void)state;
	shell_show_line(&shell);
	type("lis");
	shell_notice(&shell, "web: stopped\n", 13);
	assert_string_equal(record.printed, "lis\r\x1b[Kweb: stopped\r\nbulkhead> lis");
	shell_show_line(&shell); /* its terminal comes back: no second prompt on the line */
	assert_string_equal(record.printed, "lis\r\x1b[Kweb: stopped\r\nbulkhead> lis\r\x1b[Kbulkhead> lis");
	type("t\r");
	assert_int_equal(record.list_count, 1);
}

static void test_shell_takes_a_size(void **state)
{
	static const char *const wrong[] = {"balloon web", "balloon", "balloon web 0M", "balloon web 100", "balloon web 100K",
					    "balloon web M", "balloon web 100MB", "balloon web 99999999999G", "balloon web 1M 2M"};

	(void)state;
	type("balloon web 256M\r");
	assert_string_equal(record.named, "balloon web 256");
	type("balloon db 3G\r");
	assert_string_equal(record.named, "balloon db 3072");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		record.named[0] = '\0';
		record.len_bytes = 0;
		type(wrong[i]);
		type("\r");
		assert_string_equal(record.named, "");
		assert_non_null(strstr(record.printed, "E611 prompt: write it as: balloon NAME SIZE"));
	}
	type("stop web 256M\r");
	assert_string_equal(record.named, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_shell_runs_commands, setup),
		cmocka_unit_test_setup(test_shell_attaches_by_name, setup),
		cmocka_unit_test_setup(test_shell_hands_on_commands_with_a_name, setup),
		cmocka_unit_test_setup(test_shell_runs_top_for_some_seconds, setup),
		cmocka_unit_test_setup(test_shell_explains_mistakes, setup),
		cmocka_unit_test_setup(test_shell_help_names_every_command, setup),
		cmocka_unit_test_setup(test_shell_edits_the_line, setup),
		cmocka_unit_test_setup(test_shell_line_is_bounded, setup),
		cmocka_unit_test_setup(test_shell_recalls_history, setup),
		cmocka_unit_test_setup(test_shell_waits_for_answers, setup),
		cmocka_unit_test_setup(test_shell_waiting_ends_with_ctrl_c, setup),
		cmocka_unit_test_setup(test_shell_notice_keeps_the_line, setup),
		cmocka_unit_test_setup(test_shell_takes_a_size, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
