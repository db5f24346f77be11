/* boot/common/command_line.c */
#include "tests/unit/unit.h"

#include "boot/common/command_line.h"

static void append(char *line, const char *text)
{
	assert_int_equal(command_line_append(line, text, strlen(text)), OK);
}

static void test_command_line_joins_first_lines(void **state)
{
	static char line[COMMAND_LINE_BYTES];

	(void)state;
	append(line, "  ");
	append(line, "quiet");
	append(line, "\tbare=x\r\nsecond line");
	append(line, "\nnot this");
	append(line, "");
	assert_string_equal(line, "quiet bare=x");
}

static void test_command_line_cuts_what_does_not_fit(void **state)
{
	static char line[COMMAND_LINE_BYTES];
	static char text[COMMAND_LINE_BYTES + 100];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(command_line_append(line, text, COMMAND_LINE_BYTES - 1), OK);
	assert_int_equal(strlen(line), COMMAND_LINE_BYTES - 1);
	append(line, "\n the next line does not count");
	append(line, " ");
	assert_int_equal(command_line_append(line, "y", 1), ERR_OVERFLOW);
	line[0] = '\0';
	assert_int_equal(command_line_append(line, text, sizeof(text)), ERR_OVERFLOW);
	assert_int_equal(strlen(line), COMMAND_LINE_BYTES - 1);
}

static void test_command_line_value_finds_last(void **state)
{
	char value[16] = "before";

	(void)state;
	assert_true(command_line_value("bare=a bare=b", "bare", value, sizeof(value)));
	assert_string_equal(value, "b");
	assert_true(command_line_value("bare= x", "bare", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_false(command_line_value("", "bare", value, sizeof(value)));
	assert_false(command_line_value("bar=1 bare barex=2 xbare=3", "bare", value, sizeof(value)));
}

static void test_command_line_value_must_fit(void **state)
{
	char value[4];

	(void)state;
	assert_true(command_line_value("a=123", "a", value, sizeof(value)));
	assert_string_equal(value, "123");
	assert_false(command_line_value("a=1234", "a", value, sizeof(value)));
}

static void test_command_line_stops_at_dashes(void **state)
{
	const char *line = "bare=k baretsc --  console=ttyS0 bare=other nosmp";
	char value[16];

	(void)state;
	assert_true(command_line_value(line, "bare", value, sizeof(value)));
	assert_string_equal(value, "k");
	assert_false(command_line_value(line, "console", value, sizeof(value)));
	assert_true(command_line_has(line, "baretsc"));
	assert_false(command_line_has(line, "nosmp"));
	assert_false(command_line_has(line, "bare"));
	assert_string_equal(command_line_rest(line), "console=ttyS0 bare=other nosmp");
	assert_string_equal(command_line_rest("a b"), "");
	assert_string_equal(command_line_rest("a --"), "");
	assert_string_equal(command_line_rest("a --b c"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_line_joins_first_lines),
		cmocka_unit_test(test_command_line_cuts_what_does_not_fit),
		cmocka_unit_test(test_command_line_value_finds_last),
		cmocka_unit_test(test_command_line_value_must_fit),
		cmocka_unit_test(test_command_line_stops_at_dashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
