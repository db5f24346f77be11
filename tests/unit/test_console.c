/* The console program: terminals, the log, a manager and VMMs that break the rules. */
#include "tests/unit/console_pc.h"

static void test_console_asks_the_manager(void **state)
{
	(void)state;
	run();
	assert_string_equal(sent, "bulkhead> ");
	type("list\r");
	struct console_message message = next_request();

	assert_int_equal(message.kind, CONSOLE_REQUEST_LIST);
	assert_int_equal(signals[1], 1);
	send_text(CONSOLE_ANSWER_TEXT, message.request, "web running\n");
	send_text(CONSOLE_ANSWER_TEXT, message.request + 1, "somebody else's\n");
	send(CONSOLE_ANSWER_END, message.request, NULL, 0);
	run();
	assert_string_equal(sent, "list\r\nweb running\r\nbulkhead> ");
	assert_int_equal(message.argument, 0);
	type("poweroff\r");
	assert_int_equal(next_request().kind, CONSOLE_REQUEST_POWER_OFF);
}

static void test_console_attaches_to_a_vm(void **state)
{
	char input[16] = {0};
	size_t count;

	(void)state;
	add_vm(0, "web");
	vm_prints(0, "booting\r\nlogin: ");
	run();
	assert_int_equal(signals[2], 1);
	type("console web\r");
	assert_non_null(strstr(sent, "[web: Ctrl-] returns"));
	/* The echo is whole before the VM's terminal comes. */
	assert_true(strstr(sent, "console web\r\n") < strstr(sent, "[web: "));
	assert_non_null(strstr(sent, "console web\r\n"));
	assert_non_null(strstr(sent, "booting\r\nlogin: "));
	type("root\r");
	assert_int_equal(channel_read(&vm_in[0], input, sizeof(input), &count), OK);
	assert_memory_equal(input, "root\r", 5);
	assert_int_equal(count, 5);
	type("\x1d");
	assert_non_null(strstr(sent, "bulkhead> "));
	vm_prints(0, "unseen");
	run();
	assert_null(strstr(sent, "unseen"));
}

static void test_console_shows_a_vm_on_the_managers_word(void **state)
{
	(void)state;
	add_vm(0, "linux");
	send_text(CONSOLE_SHOW, 0, "linux");
	vm_prints(0, "hello");
	run();
	assert_non_null(strstr(sent, "hello"));
	send_text(CONSOLE_SHOW, 0, "nobody");
	send_text(CONSOLE_NOTICE, 0, "E301 linux: stopped\n");
	run();
	assert_null(strstr(sent, "E301"));
	type("\x1d");
	assert_non_null(strstr(sent, "E301 linux: stopped\r\n"));
}

/* The manager hears late of the first VM that runs. */
static void test_console_stays_where_the_user_went(void **state)
{
	(void)state;
	add_vm(0, "linux");
	add_vm(1, "other");
	type("console other\r");
	send_text(CONSOLE_SHOW, 0, "linux");
	vm_prints(0, "not wanted");
	vm_prints(1, "wanted");
	run();
	assert_null(strstr(sent, "not wanted"));
	assert_non_null(strstr(sent, "wanted"));
}

static void test_console_leads_from_a_vm_that_ended_to_the_prompt(void **state)
{
	char *words, *reason;

	(void)state;
	add_vm(0, "linux");
	send_text(CONSOLE_SHOW, 0, "linux");
	run();
	vm_prints(0, "last words\r\n");
	log_text("linux: stopped: the guest powered off\n");
	send_text(CONSOLE_TERMINAL_CLOSE, 0, "linux");
	run();
	words = strstr(sent, "last words");
	assert_non_null(words);
	reason = strstr(words, "linux: stopped: the guest powered off");
	assert_non_null(reason);
	assert_non_null(strstr(reason, "bulkhead> "));
	type("lis");
	assert_non_null(strstr(sent, "lis"));
}

/* A slow serial line: the ring is full when the VM ends, and its last words are still in the channel. */
static void test_console_shows_last_words_that_had_no_room(void **state)
{
	char *words;

	(void)state;
	add_vm(0, "linux");
	send_text(CONSOLE_SHOW, 0, "linux");
	run();
	line_is_busy = true;
	/* As much as the terminal and the line's queue hold, and some more. */
	for (size_t printed = 0; printed < TERMINAL_OUTPUT_BYTES + UART_QUEUE_BYTES + 2000;) {
		printed += vm_prints(0, "a line of a long report of a kernel that dies\r\n");
		console_turn(&console, now_ms);
	}
	assert_int_equal(vm_prints(0, "last words\r\n"), 12);
	log_text("linux: stopped: triple fault\n");
	send_text(CONSOLE_TERMINAL_CLOSE, 0, "linux");
	for (unsigned i = 0; i < 10; i++)
		console_turn(&console, now_ms);
	line_is_busy = false;
	run();
	words = strstr(sent, "last words");
	assert_non_null(words);
	assert_non_null(strstr(words, "linux: stopped: triple fault"));
}

static void test_console_stays_with_a_vm_that_runs_when_another_ends(void **state)
{
	(void)state;
	add_vm(0, "linux");
	add_vm(1, "other");
	send_text(CONSOLE_SHOW, 0, "linux");
	run();
	send_text(CONSOLE_TERMINAL_CLOSE, 0, "other");
	run();
	vm_prints(0, "still here");
	run();
	assert_non_null(strstr(sent, "still here"));
}

static void test_console_vm_comes_back_after_restart(void **state)
{
	(void)state;
	add_vm(0, "web");
	vm_prints(0, "first life\r\n");
	run();
	send_text(CONSOLE_TERMINAL_CLOSE, 0, "web");
	run();
	add_vm(0, "web");
	assert_int_equal(console.vm_count, 1);
	vm_prints(0, "second life\r\n");
	type("console web\r");
	run();
	assert_non_null(strstr(sent, "first life\r\nsecond life"));
}

static void test_console_drops_a_vm_that_breaks_the_rules(void **state)
{
	(void)state;
	add_vm(0, "evil");
	add_vm(1, "good");
	((struct channel_header *)memory[2])->produced_count = 100000;
	run();
	assert_non_null(strstr(sent, "E616 evil: its VMM damaged the terminal's channel: it has no terminal any more"));
	assert_false(console.vms[0].connected);
	vm_prints(1, "still here");
	type("console good\r");
	assert_non_null(strstr(sent, "still here"));
}

static void test_console_flood_of_one_vm_leaves_room_for_others(void **state)
{
	static char flood[4000];

	(void)state;
	memset(flood, 'f', sizeof(flood) - 1);
	add_vm(0, "flood");
	add_vm(1, "quiet");
	type("console quiet\r");
	for (unsigned i = 0; i < 200; i++) {
		while (vm_prints(0, flood) > 0)
			;
		if (i == 100)
			vm_prints(1, "I am here");
		(void)console_turn(&console, now_ms);
	}
	assert_non_null(strstr(sent, "I am here"));
	assert_null(strstr(sent, "fff"));
	assert_int_equal(console.vms[0].terminal.written_bytes, 200 * MULTIPLEXER_QUANTUM_BYTES);
}

static void test_console_shown_flood_loses_nothing(void **state)
{
	static char piece[1000];
	size_t written = 0;

	(void)state;
	memset(piece, 'f', sizeof(piece) - 1);
	add_vm(0, "flood");
	type("console flood\r");
	sent_count = 0;
	while (written < 300000) {
		written += vm_prints(0, piece);
		(void)console_turn(&console, now_ms);
	}
	run();
	assert_int_equal(sent_count, written);
	type("\x1d");
	assert_non_null(strstr(sent, "bulkhead> "));
}

static void test_console_survives_a_mad_manager(void **state)
{
	const struct console_message huge = {.kind = CONSOLE_NOTICE, .len_bytes = CONSOLE_MAX_PAYLOAD_BYTES + 1};

	(void)state;
	send(CONSOLE_TERMINAL_OPEN, 0, "short", 5);
	send(9999, 7, "later version", 13);
	send(CONSOLE_SHOW, 0, "", 0);
	run();
	assert_int_equal(console.vm_count, 0);
	assert_int_equal(channel_write_all(&manager_out, &huge, sizeof(huge)), OK);
	run();
	assert_non_null(strstr(sent, "E614 console: the manager's channel is damaged; "));
	type("list\r");
	assert_non_null(strstr(sent, "E613"));
}

static void test_console_limits_the_number_of_vms(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= CONSOLE_MAX_VMS; i++) {
		const char name[] = {'v', (char)('a' + i / 26), (char)('a' + i % 26), '\0'};

		add_vm(0, name);
	}
	assert_int_equal(console.vm_count, CONSOLE_MAX_VMS);
	assert_non_null(strstr(sent, "E615 vey: has no terminal: 128 others are there; leave out VMs or ports"));
}

static void test_console_shows_new_log_lines(void **state)
{
	(void)state;
	run();
	sent_count = 0;
	log_text("a whole line\nand a part");
	run();
	assert_string_equal(sent, "\r\x1b[Ka whole line\r\nbulkhead> ");
	sent_count = 0;
	log_text(" of one\n");
	run();
	assert_string_equal(sent, "\r\x1b[Kand a part of one\r\nbulkhead> ");
	kernel_log_oldest = kernel_log_bytes + 100; /* much was overwritten meanwhile */
	kernel_log_bytes += 100;
	log_text("late\n");
	sent_count = 0;
	run();
	assert_string_equal(sent, "\r\x1b[Klate\r\nbulkhead> ");
}

static void test_console_lists_a_long_log(void **state)
{
	char line[32];

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(line, sizeof(line), "line %u\n", i);
		log_text(line);
	}
	run();
	type("log\r");
	assert_non_null(strstr(sent, "log\r\nline 0\r\nline 1\r\n"));
	assert_non_null(strstr(sent, "line 999\r\nline 1000\r\n"));
	assert_non_null(strstr(sent, "line 1999\r\nbulkhead> "));
	assert_int_equal(console.multiplexer.sinks[MULTIPLEXER_SERIAL].reader.lost_bytes, 0);
	type("list\r");
	uint32_t given_up = next_request().request;

	send(CONSOLE_ANSWER_END, given_up, NULL, 0);
	type("\x03log\r");
	assert_non_null(strstr(sent, "line 1999\r\nbulkhead> "));
	type("log\r\x03list\r");
	assert_int_equal(next_request().kind, CONSOLE_REQUEST_LIST);
	assert_null(strstr(sent, "line 999\r\n"));
}

static void test_console_says_how_long_to_wait(void **state)
{
	(void)state;
	run();
	assert_int_equal(console_wait_ms(&console, true), 250);
	assert_int_equal(console_wait_ms(&console, false), 10);
	assert_int_equal(uart_write(&uart, "0123456789abcdefg", 17), 17);
	assert_int_equal(console_wait_ms(&console, false), 1);
	run();
	type("list\r");
	now_ms += CONSOLE_ANSWER_TIMEOUT_MS - 5;
	run();
	assert_int_equal(console_wait_ms(&console, true), 6);
	now_ms += 6;
	run();
	assert_non_null(strstr(sent, "E613"));
}

/* The VM's channel and its terminal are full. */
static void test_console_tells_of_typed_bytes_that_were_lost(void **state)
{
	(void)state;
	add_vm(0, "deaf");
	type("console deaf\r");
	for (unsigned i = 0; i < 8192 + TERMINAL_INPUT_BYTES + 32; i += 32)
		type("0123456789abcdef0123456789abcdef");
	uart.lost_count = 3;
	run();
	now_ms += LOST_INPUT_QUIET_MS;
	run();
	type("\x1d");
	assert_non_null(strstr(sent, "E619 deaf: 32 typed bytes were lost"));
	assert_non_null(strstr(sent, "E619 console: 3 typed bytes or more were lost"));
}

static void test_console_without_serial_port_says_so_on_screen(void **state)
{
	static uint32_t pixels[320 * 1024];
	static struct screen screen;
	const struct boot_framebuffer mode = {
		.width_pixels = 1024, .height_pixels = 320, .pitch_bytes = 4096, .bits_per_pixel = 32,
		.red_shift = 16, .red_bits = 8, .green_shift = 8, .green_bits = 8, .blue_bits = 8,
	};
	const struct console_setup setup_block = {.manager = channels_at(0, 1), .log_shown_position = 10};
	char row[129] = {0};

	(void)state;
	assert_int_equal(screen_init(&screen, pixels, &mode, &console_font), OK);
	log_text("old line\n\nnew line\n");
	assert_int_equal(console_init(&console, &setup_block, NULL, &screen, &effects), OK);
	/* Who cannot press Ctrl-] is not led away from Bulkhead's own lines. */
	add_vm(0, "linux");
	send_text(CONSOLE_SHOW, 0, "linux");
	while (console_turn(&console, now_ms))
		;
	assert_int_equal(console_wait_ms(&console, false), 250);
	for (uint32_t i = 0; i < 128; i++)
		row[i] = (char)text_grid_row(&screen.text.grid, 2)[i].code_point;
	assert_non_null(strstr(row, "No serial port was found"));
	assert_int_equal(text_grid_row(&screen.text.grid, 0)[0].code_point, 'o');
	assert_int_equal(text_grid_row(&screen.text.grid, 4)[0].code_point, 'n');
	assert_int_equal(text_grid_row(&screen.text.grid, 5)[0].code_point, 'b');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_console_asks_the_manager, setup),
		cmocka_unit_test_setup(test_console_attaches_to_a_vm, setup),
		cmocka_unit_test_setup(test_console_shows_a_vm_on_the_managers_word, setup),
		cmocka_unit_test_setup(test_console_stays_where_the_user_went, setup),
		cmocka_unit_test_setup(test_console_leads_from_a_vm_that_ended_to_the_prompt, setup),
		cmocka_unit_test_setup(test_console_shows_last_words_that_had_no_room, setup),
		cmocka_unit_test_setup(test_console_stays_with_a_vm_that_runs_when_another_ends, setup),
		cmocka_unit_test_setup(test_console_vm_comes_back_after_restart, setup),
		cmocka_unit_test_setup(test_console_drops_a_vm_that_breaks_the_rules, setup),
		cmocka_unit_test_setup(test_console_flood_of_one_vm_leaves_room_for_others, setup),
		cmocka_unit_test_setup(test_console_shown_flood_loses_nothing, setup),
		cmocka_unit_test_setup(test_console_survives_a_mad_manager, setup),
		cmocka_unit_test_setup(test_console_limits_the_number_of_vms, setup),
		cmocka_unit_test_setup(test_console_shows_new_log_lines, setup),
		cmocka_unit_test_setup(test_console_lists_a_long_log, setup),
		cmocka_unit_test_setup(test_console_tells_of_typed_bytes_that_were_lost, setup),
		cmocka_unit_test_setup(test_console_says_how_long_to_wait, setup),
		cmocka_unit_test_setup(test_console_without_serial_port_says_so_on_screen, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
