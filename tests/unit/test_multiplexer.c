/* Which terminal gets the keys and whose output is shown; no terminal is lost or starved. */
#include "console/multiplexer.h"

#include "tests/unit/unit.h"

static struct terminal prompt, web, db;
static struct multiplexer mux;
static uint32_t web_number, db_number;
static char out[2 * TERMINAL_OUTPUT_BYTES];

static int setup(void **state)
{
	(void)state;
	terminal_init(&prompt, "");
	terminal_init(&web, "web");
	terminal_init(&db, "db");
	multiplexer_init(&mux, &prompt);
	multiplexer_add_sink(&mux, MULTIPLEXER_SERIAL);
	if (multiplexer_add(&mux, &web, &web_number) != OK || multiplexer_add(&mux, &db, &db_number) != OK)
		return 1;
	return 0;
}

static void print(struct terminal *terminal, const char *text)
{
	terminal_write(terminal, text, strlen(text));
}

/* All that the serial line shows now, as a string. */
static const char *shown(void)
{
	size_t count = multiplexer_read(&mux, MULTIPLEXER_SERIAL, out, sizeof(out) - 1);

	out[count] = '\0';
	return out;
}

/* The same behind the notice of a switch, which ends with a newline. */
static const char *shown_after_notice(void)
{
	const char *text = shown();
	const char *end = strstr(text, "prompt]\r\n");

	assert_non_null(end);
	return end + strlen("prompt]\r\n");
}

static void type(const char *text)
{
	for (; *text != '\0'; text++)
		(void)multiplexer_type(&mux, (uint8_t)*text);
}

static void expect_input(struct terminal *terminal, const char *expected)
{
	char bytes[64] = {0};

	(void)terminal_take_input(terminal, bytes, sizeof(bytes) - 1);
	assert_string_equal(bytes, expected);
}

static void test_multiplexer_starts_at_the_prompt(void **state)
{
	(void)state;
	print(&web, "noise");
	print(&prompt, "bulkhead> ");
	assert_string_equal(shown(), "bulkhead> ");
	assert_int_equal(multiplexer_type(&mux, 'l'), MULTIPLEXER_TYPED_TO_PROMPT);
	assert_int_equal(multiplexer_type(&mux, 0x1d), MULTIPLEXER_CAME_TO_PROMPT);
	assert_int_equal(mux.shown, MULTIPLEXER_PROMPT);
}

static void test_multiplexer_names_are_unique_and_bounded(void **state)
{
	static struct terminal many[MULTIPLEXER_MAX_TERMINALS];
	static struct terminal again;
	uint32_t number = 99;

	(void)state;
	terminal_init(&again, "db");
	assert_int_equal(multiplexer_add(&mux, &again, &number), ERR_EXISTS);
	assert_int_equal(multiplexer_find(&mux, "db", &number), OK);
	assert_int_equal(number, db_number);
	assert_int_equal(multiplexer_find(&mux, "mail", &number), ERR_NOT_FOUND);
	assert_int_equal(multiplexer_find(&mux, "", &number), ERR_NOT_FOUND);
	for (uint32_t i = 0; i < MULTIPLEXER_MAX_TERMINALS - 3; i++) {
		const char name[3] = {(char)('A' + i / 26), (char)('a' + i % 26), '\0'};

		terminal_init(&many[i], name);
		assert_int_equal(multiplexer_add(&mux, &many[i], &number), OK);
	}
	terminal_init(&again, "last");
	assert_int_equal(multiplexer_add(&mux, &again, &number), ERR_NO_SPACE);
}

static void test_multiplexer_routes_input_and_escape(void **state)
{
	(void)state;
	multiplexer_show(&mux, web_number);
	type("ls\r");
	assert_int_equal(multiplexer_type(&mux, 0x1d), MULTIPLEXER_CAME_TO_PROMPT);
	assert_int_equal(multiplexer_type(&mux, 'x'), MULTIPLEXER_TYPED_TO_PROMPT);
	assert_int_equal(multiplexer_type(&mux, 0x1d), MULTIPLEXER_CAME_TO_PROMPT);
	assert_int_equal(mux.shown, MULTIPLEXER_PROMPT);
	expect_input(&web, "ls\r");
	multiplexer_show(&mux, db_number);
	type("a\x1d\x1d" "b");
	assert_int_equal(mux.shown, db_number);
	expect_input(&db, "a\x1d" "b");
	expect_input(&web, "");
}

static void test_multiplexer_shows_last_lines_as_plain_text_then_raw(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		print(&web, "old\r\n");
	print(&web, "\x1b[31mlogin:\x1b[6n ");
	multiplexer_show(&mux, web_number);
	print(&web, "\x1b[32mlive");
	const char *text = shown_after_notice();

	assert_int_equal(strncmp(text, "old\r\n", 5), 0);
	text = strstr(text, "login");
	assert_non_null(text);
	assert_string_equal(text, "login: \x1b[32mlive");
	assert_true(text - out < 300);
}

/* The terminal of a VM that ended would be empty otherwise. */
static void test_multiplexer_shows_the_last_lines_again_where_nothing_is_new(void **state)
{
	(void)state;
	print(&web, "first\r\nlast words\r\n");
	multiplexer_show(&mux, web_number);
	assert_string_equal(shown_after_notice(), "first\r\nlast words\r\n");
	type("\x1d");
	(void)shown();
	multiplexer_show(&mux, web_number);
	assert_string_equal(shown_after_notice(), "first\r\nlast words\r\n");
}

static void test_multiplexer_resets_the_terminal_between(void **state)
{
	(void)state;
	multiplexer_show(&mux, web_number);
	print(&web, "\x1b[41m");
	(void)shown();
	type("\x1d");
	print(&prompt, "bulkhead> ");
	const char *text = shown();

	assert_int_equal(text[0], 0x18);
	assert_non_null(strstr(text, "\x1b[0m"));
	assert_non_null(strstr(text, "\r\nbulkhead> "));
}

static void test_multiplexer_prompt_keeps_what_happened_meanwhile(void **state)
{
	(void)state;
	print(&prompt, "one ");
	assert_string_equal(shown(), "one ");
	multiplexer_show(&mux, web_number);
	(void)shown();
	print(&prompt, "two ");
	assert_string_equal(shown(), "");
	multiplexer_show(&mux, MULTIPLEXER_PROMPT);
	assert_non_null(strstr(shown(), "\r\ntwo "));
	assert_null(strstr(out, "one"));
}

static void test_multiplexer_return_goes_on_where_it_was(void **state)
{
	(void)state;
	print(&web, "before\r\n");
	multiplexer_show(&mux, web_number);
	(void)shown();
	type("\x1d");
	(void)shown();
	print(&web, "meanwhile\r\n");
	type("\x1d");
	assert_string_equal(shown_after_notice(), "meanwhile\r\n");
	expect_input(&web, "\x1d");
}

static void test_multiplexer_quantum_is_fair(void **state)
{
	static char flood[MULTIPLEXER_QUANTUM_BYTES];
	size_t accepted = 0;

	(void)state;
	memset(flood, 'f', sizeof(flood));
	multiplexer_show(&mux, web_number);
	for (unsigned turn = 0; turn < 100; turn++) {
		size_t room = multiplexer_room_bytes(&mux, web_number);

		assert_true(room <= MULTIPLEXER_QUANTUM_BYTES);
		terminal_write(&web, flood, room);
		accepted += room;
		assert_int_equal(multiplexer_room_bytes(&mux, db_number), MULTIPLEXER_QUANTUM_BYTES);
		terminal_write(&db, flood, sizeof(flood));
	}
	/* The line did not move, so the flood stopped at what can still be shown; nothing of it is lost. */
	assert_int_equal(accepted, TERMINAL_OUTPUT_BYTES);
	assert_int_equal(multiplexer_room_bytes(&mux, web_number), 0);
	assert_int_equal(strlen(shown_after_notice()), TERMINAL_OUTPUT_BYTES);
	assert_int_equal(mux.sinks[MULTIPLEXER_SERIAL].reader.lost_bytes, 0);
	assert_int_equal(multiplexer_room_bytes(&mux, web_number), MULTIPLEXER_QUANTUM_BYTES);
}

static void test_multiplexer_absent_sink_holds_nobody(void **state)
{
	(void)state;
	multiplexer_show(&mux, web_number);
	for (unsigned i = 0; i < 100; i++) {
		terminal_write(&web, out, multiplexer_room_bytes(&mux, web_number));
		(void)shown();
	}
	assert_int_equal(multiplexer_room_bytes(&mux, web_number), MULTIPLEXER_QUANTUM_BYTES);
	assert_int_equal(multiplexer_read(&mux, MULTIPLEXER_SCREEN, out, sizeof(out)), 0);
}

static void test_multiplexer_reads_in_small_pieces(void **state)
{
	size_t used = 0;

	(void)state;
	print(&web, "x\x1b[1my\r\n");
	multiplexer_show(&mux, web_number);
	print(&web, "z");
	while (multiplexer_read(&mux, MULTIPLEXER_SERIAL, out + used, 1) == 1)
		used++;
	out[used] = '\0';
	assert_non_null(strstr(out, "prompt]\r\nxy\r\nz"));
}

static void test_multiplexer_shows_the_prompt_to_its_end_before_a_vm(void **state)
{
	const char *text;

	(void)state;
	print(&prompt, "bulkhead> console web\r\n");
	assert_int_equal(multiplexer_read(&mux, MULTIPLEXER_SERIAL, out, 12), 12);
	multiplexer_show(&mux, web_number);
	print(&prompt, "E301 db: stopped\r\n");
	assert_int_equal(multiplexer_read(&mux, MULTIPLEXER_SERIAL, out, 4), 4);
	assert_memory_equal(out, "nsol", 4);
	assert_false(multiplexer_has_shown_all(&mux));
	text = shown();
	assert_memory_equal(text, "e web\r\n", 7);
	assert_non_null(strstr(text, "[web: "));
	assert_null(strstr(text, "E301"));
	assert_true(multiplexer_has_shown_all(&mux));
	multiplexer_show(&mux, MULTIPLEXER_PROMPT);
	text = shown();
	assert_null(strstr(text, "web"));
	assert_non_null(strstr(text, "\r\nE301 db: stopped"));
}

static void test_multiplexer_returns_to_a_prompt_not_yet_shown(void **state)
{
	(void)state;
	print(&prompt, "bulkhead> console web\r\n");
	multiplexer_show(&mux, web_number);
	multiplexer_show(&mux, MULTIPLEXER_PROMPT);
	assert_non_null(strstr(shown(), "bulkhead> console web\r\n"));
	multiplexer_show(&mux, web_number);
	assert_null(strstr(shown(), "bulkhead"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_multiplexer_starts_at_the_prompt, setup),
		cmocka_unit_test_setup(test_multiplexer_names_are_unique_and_bounded, setup),
		cmocka_unit_test_setup(test_multiplexer_routes_input_and_escape, setup),
		cmocka_unit_test_setup(test_multiplexer_shows_last_lines_as_plain_text_then_raw, setup),
		cmocka_unit_test_setup(test_multiplexer_shows_the_last_lines_again_where_nothing_is_new, setup),
		cmocka_unit_test_setup(test_multiplexer_resets_the_terminal_between, setup),
		cmocka_unit_test_setup(test_multiplexer_prompt_keeps_what_happened_meanwhile, setup),
		cmocka_unit_test_setup(test_multiplexer_return_goes_on_where_it_was, setup),
		cmocka_unit_test_setup(test_multiplexer_quantum_is_fair, setup),
		cmocka_unit_test_setup(test_multiplexer_absent_sink_holds_nobody, setup),
		cmocka_unit_test_setup(test_multiplexer_reads_in_small_pieces, setup),
		cmocka_unit_test_setup(test_multiplexer_shows_the_prompt_to_its_end_before_a_vm, setup),
		cmocka_unit_test_setup(test_multiplexer_returns_to_a_prompt_not_yet_shown, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
