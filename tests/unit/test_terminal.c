/* The ring of a terminal's output, its input queue, and the filter of repeated text. */
#include "console/terminal.h"

#include "console/plain_text.h"
#include "tests/unit/unit.h"

static struct terminal terminal;
static uint8_t out[2 * TERMINAL_OUTPUT_BYTES];

static int setup(void **state)
{
	(void)state;
	terminal_init(&terminal, "web");
	return 0;
}

static void test_terminal_cuts_long_names(void **state)
{
	(void)state;
	terminal_init(&terminal, "a name that is much too long for a terminal, and longer still than that");
	assert_int_equal(strlen(terminal.name), TERMINAL_NAME_BYTES - 1);
}

static void test_terminal_readers_are_independent(void **state)
{
	struct terminal_reader first = {0};
	struct terminal_reader second = {0};

	(void)state;
	terminal_write(&terminal, "hello ", 6);
	assert_int_equal(terminal_read(&terminal, &first, out, 3), 3);
	terminal_write(&terminal, "world", 5);
	assert_int_equal(terminal_unread_bytes(&terminal, &first), 8);
	assert_int_equal(terminal_read(&terminal, &second, out, sizeof(out)), 11);
	assert_memory_equal(out, "hello world", 11);
	assert_int_equal(terminal_read(&terminal, &first, out, sizeof(out)), 8);
	assert_memory_equal(out, "lo world", 8);
	assert_int_equal(terminal_read(&terminal, &first, out, sizeof(out)), 0);
}

static void test_terminal_overwrites_oldest_and_counts(void **state)
{
	struct terminal_reader reader = {0};

	(void)state;
	for (uint32_t i = 0; i < TERMINAL_OUTPUT_BYTES + 1000; i += 4)
		terminal_write(&terminal, &i, 4);
	assert_int_equal(terminal_read(&terminal, &reader, out, sizeof(out)), TERMINAL_OUTPUT_BYTES);
	assert_int_equal(reader.lost_bytes, 1000);
	for (uint32_t i = 0; i < TERMINAL_OUTPUT_BYTES; i += 4) {
		uint32_t value;

		memcpy(&value, out + i, 4);
		assert_int_equal(value, i + 1000);
	}
	/* One write longer than the ring. */
	memset(out, 'x', sizeof(out));
	terminal_write(&terminal, out, sizeof(out));
	assert_int_equal(terminal_read(&terminal, &reader, out, sizeof(out)), TERMINAL_OUTPUT_BYTES);
	assert_int_equal(reader.lost_bytes, 1000 + TERMINAL_OUTPUT_BYTES);
}

static void test_terminal_finds_last_lines(void **state)
{
	(void)state;
	assert_int_equal(terminal_last_lines(&terminal, 2, 100), 0);
	terminal_write(&terminal, "one\ntwo\nthree\n", 14);
	assert_int_equal(terminal_last_lines(&terminal, 1, 100), 8);
	assert_int_equal(terminal_last_lines(&terminal, 2, 100), 4);
	assert_int_equal(terminal_last_lines(&terminal, 9, 100), 0);
	assert_int_equal(terminal_last_lines(&terminal, 9, 5), 9);
	terminal_write(&terminal, "$ ", 2);
	assert_int_equal(terminal_last_lines(&terminal, 1, 100), 14);
	assert_int_equal(terminal_last_lines(&terminal, 2, 100), 8);
}

static void test_terminal_input_is_bounded(void **state)
{
	(void)state;
	for (unsigned i = 0; i < TERMINAL_INPUT_BYTES + 5; i++)
		terminal_type(&terminal, (uint8_t)i);
	assert_int_equal(terminal.lost_input_bytes, 5);
	assert_int_equal(terminal_take_input(&terminal, out, 10), 10);
	assert_int_equal(out[9], 9);
	assert_int_equal(terminal_take_input(&terminal, out, sizeof(out)), TERMINAL_INPUT_BYTES - 10);
	assert_int_equal(terminal_take_input(&terminal, out, sizeof(out)), 0);
}

static void expect_plain(const char *text, const char *expected)
{
	enum plain_text_state filter = PLAIN_TEXT_GROUND;
	char kept[128] = {0};
	size_t count = 0;

	for (size_t i = 0; text[i] != '\0'; i++)
		if (plain_text_keeps(&filter, (uint8_t)text[i]))
			kept[count++] = text[i];
	assert_string_equal(kept, expected);
}

static void test_plain_text_takes_sequences_out(void **state)
{
	(void)state;
	expect_plain("a\x1b[31;1mb\x1b[0m\tc\r\n", "ab\tc\r\n");
	expect_plain("a\x1b[6nb\x1b" "7c\x1b(0d\x1b#8e\x1b[?25lf", "abcdef");
	expect_plain("a\x1b]0;title\x07" "b\x1bPq\x1b\\c", "abc");
	expect_plain("a\x1b]0;never ends\nb", "a\nb");
	expect_plain("a\x07\b\x0e\x7f" "b\x05", "ab");
	expect_plain("\xc3\xa9\xe2\x94\x80", "\xc3\xa9\xe2\x94\x80");
	expect_plain("\xc2\x9b" "6n\xc2\xb0", "\xc2" "6n\xc2\xb0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_terminal_cuts_long_names, setup),
		cmocka_unit_test_setup(test_terminal_readers_are_independent, setup),
		cmocka_unit_test_setup(test_terminal_overwrites_oldest_and_counts, setup),
		cmocka_unit_test_setup(test_terminal_finds_last_lines, setup),
		cmocka_unit_test_setup(test_terminal_input_is_bounded, setup),
		cmocka_unit_test(test_plain_text_takes_sequences_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
