/* console/output_view: lines with the VM's name, nothing that drives a terminal, and what is no longer kept. */
#include "console/output_view.h"

#include "tests/unit/unit.h"

static struct terminal terminal;
static struct output_view view;
static struct shell shell;
static char printed[200000];
static size_t printed_count;

static void print(void *context, const char *text, size_t len_bytes)
{
	(void)context;
	assert_true(printed_count + len_bytes < sizeof(printed));
	memcpy(printed + printed_count, text, len_bytes);
	printed_count += len_bytes;
	printed[printed_count] = '\0';
}

static const struct shell_ops ops = {.print = print};

static int setup(void **state)
{
	(void)state;
	terminal_init(&terminal, "web");
	shell_init(&shell, &ops, NULL);
	printed_count = 0;
	shell.waits = true;
	return 0;
}

static void output(const char *text)
{
	terminal_write(&terminal, text, strlen(text));
}

static void show(void)
{
	output_view_list(&view, &terminal);
	for (unsigned i = 0; output_view_serve(&view, &shell, 4096); i++)
		assert_true(i < 10000);
}

static void test_output_view_names_each_line(void **state)
{
	(void)state;
	output("one\n\ntwo\r\nbulkhead> ");
	show();
	assert_string_equal(printed, "web| one\r\nweb| \r\nweb| two\r\nweb| bulkhead> \r\nbulkhead> ");
	assert_false(shell.waits);
	assert_false(view.active);
}

static void test_output_view_lets_nothing_drive_the_terminal(void **state)
{
	(void)state;
	output("a\x1b[2Jb\rmail: stopped: x\bc\n");
	show();
	assert_non_null(strstr(printed, "web| abmail: stopped: xc\r\n"));
}

static void test_output_view_of_a_silent_vm_is_empty(void **state)
{
	(void)state;
	show();
	assert_null(strstr(printed, "web"));
	assert_false(shell.waits);
}

static void test_output_view_says_what_is_no_longer_kept(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TERMINAL_OUTPUT_BYTES / 4 + 10; i++)
		output("abc\n");
	show();
	assert_non_null(strstr(printed, "[web: 40 bytes before this are no longer kept]\r\nweb| abc\r\n"));
	assert_int_equal(printed_count, strlen("[web: 40 bytes before this are no longer kept]\r\n") +
						TERMINAL_OUTPUT_BYTES / 4 * strlen("web| abc\r\n") + strlen("bulkhead> "));
}

/* What comes while it is printed is not part of it. */
static void test_output_view_ends_where_it_began_to_print(void **state)
{
	(void)state;
	output("early\n");
	output_view_list(&view, &terminal);
	output("late\n");
	assert_true(output_view_serve(&view, &shell, 4096));
	assert_false(output_view_serve(&view, &shell, 4096));
	assert_null(strstr(printed, "late"));
}

static void test_output_view_waits_for_room_and_ends_with_ctrl_c(void **state)
{
	(void)state;
	output("text\n");
	output_view_list(&view, &terminal);
	assert_false(output_view_serve(&view, &shell, 100));
	assert_true(view.active);
	shell_type(&shell, 3);
	assert_false(output_view_serve(&view, &shell, 4096));
	assert_false(view.active);
	assert_null(strstr(printed, "text"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_output_view_names_each_line, setup),
		cmocka_unit_test_setup(test_output_view_lets_nothing_drive_the_terminal, setup),
		cmocka_unit_test_setup(test_output_view_of_a_silent_vm_is_empty, setup),
		cmocka_unit_test_setup(test_output_view_says_what_is_no_longer_kept, setup),
		cmocka_unit_test_setup(test_output_view_ends_where_it_began_to_print, setup),
		cmocka_unit_test_setup(test_output_view_waits_for_room_and_ends_with_ctrl_c, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
