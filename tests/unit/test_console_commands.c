/* The console program: commands that the manager answers, well, late or not at all, and those that print a lot. */
#include "tests/unit/console_pc.h"

/* An empty answer prints nothing, and the prompt goes on waiting. */
static void test_console_asks_the_manager_to_start_and_stop(void **state)
{
	struct console_message message;
	struct console_name name;
	size_t count;

	(void)state;
	run();
	type("start web\r");
	message = next_request();
	assert_int_equal(message.kind, CONSOLE_REQUEST_START);
	assert_int_equal(message.len_bytes, sizeof(name));
	assert_int_equal(channel_read(&manager_in, &name, sizeof(name), &count), OK);
	assert_string_equal(name.text, "web");
	send_text(CONSOLE_ANSWER_TEXT, message.request, "web: runs already\n");
	send(CONSOLE_ANSWER_END, message.request, NULL, 0);
	run();
	assert_string_equal(sent, "start web\r\nweb: runs already\r\nbulkhead> ");
	type("stop 0123456789012345678901234567890\r");
	message = next_request();
	assert_int_equal(message.kind, CONSOLE_REQUEST_STOP);
	assert_int_equal(channel_read(&manager_in, &name, sizeof(name), &count), OK);
	send(CONSOLE_ANSWER_END, message.request, NULL, 0);
	run();
	type("stop 0123456789012345678901234567890123456789012345678901234567890123\r"); /* no VM has so long a name */
	assert_non_null(strstr(sent, "E612 prompt: no VM of that name"));
}

/* All that a VM printed before the command, also what its channel holds, and no other words between. */
static void test_console_prints_a_vms_output(void **state)
{
	(void)state;
	add_vm(0, "web");
	assert_int_equal(vm_prints(0, "one\ntwo"), 7);
	log_text("something else\n");
	type("output web\r");
	assert_string_equal(sent, "output web\r\nweb| one\r\nweb| two\r\nbulkhead> \r\x1b[Ksomething else\r\nbulkhead> ");
	type("output mail\r");
	assert_non_null(strstr(sent, "E612 prompt: no VM of that name"));
}

static void test_console_waits_as_long_as_the_manager_answers(void **state)
{
	(void)state;
	type("top 30\r");
	struct console_message message = next_request();

	assert_int_equal(message.kind, CONSOLE_REQUEST_TOP);
	assert_int_equal(message.argument, 30);
	for (unsigned i = 0; i < 4; i++) {
		now_ms += CONSOLE_ANSWER_TIMEOUT_MS;
		send_text(CONSOLE_ANSWER_TEXT, message.request, "");
		run();
	}
	send_text(CONSOLE_ANSWER_TEXT, message.request, "no VM runs\n");
	send(CONSOLE_ANSWER_END, message.request, NULL, 0);
	run();
	assert_non_null(strstr(sent, "top 30\r\nno VM runs\r\nbulkhead> "));
	assert_null(strstr(sent, "E613"));
}

static void test_console_gives_up_on_a_silent_manager(void **state)
{
	(void)state;
	type("list\r");
	assert_int_equal(next_request().kind, CONSOLE_REQUEST_LIST);
	now_ms += CONSOLE_ANSWER_TIMEOUT_MS;
	run();
	assert_null(strstr(sent, "E613"));
	send_text(CONSOLE_ANSWER_TEXT, 1, "part\n");
	run();
	now_ms += CONSOLE_ANSWER_TIMEOUT_MS;
	run();
	assert_null(strstr(sent, "E613"));
	now_ms += 1;
	run();
	assert_non_null(strstr(sent, "part\r\nE613"));
	assert_non_null(strstr(sent, "bulkhead> "));
}

/* More than the prompt's terminal holds, on a line that stands still meanwhile. */
static void test_console_shows_a_long_answer_whole(void **state)
{
	char line[1000];
	size_t free_bytes, taken = 0;

	(void)state;
	type("list\r");
	uint32_t request = next_request().request;

	line_is_busy = true;
	memset(line, 'x', sizeof(line));
	for (unsigned turns = 0; turns < 100; turns++, (void)console_turn(&console, now_ms)) {
		for (; channel_free_bytes(&manager_out, &free_bytes) == OK && free_bytes > 1100; taken += sizeof(line))
			send(CONSOLE_ANSWER_TEXT, request, line, sizeof(line));
	}
	line_is_busy = false;
	run();
	assert_in_range(taken, TERMINAL_OUTPUT_BYTES + 4096, TERMINAL_OUTPUT_BYTES + 16384);
	assert_true(sent_count > taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_console_asks_the_manager_to_start_and_stop, setup),
		cmocka_unit_test_setup(test_console_prints_a_vms_output, setup),
		cmocka_unit_test_setup(test_console_waits_as_long_as_the_manager_answers, setup),
		cmocka_unit_test_setup(test_console_gives_up_on_a_silent_manager, setup),
		cmocka_unit_test_setup(test_console_shows_a_long_answer_whole, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
