/* kernel/log.c: lines, the ring's end, reading by position, the echo. */
#include "tests/unit/unit.h"

#include "kernel/config.h"
#include "kernel/emergency_console.h"
#include "kernel/log.h"

static char echoed[4096];
static size_t echoed_bytes;

void emergency_write(const char *text, size_t len_bytes)
{
	assert_true(echoed_bytes + len_bytes <= sizeof(echoed));
	memcpy(echoed + echoed_bytes, text, len_bytes);
	echoed_bytes += len_bytes;
}

static size_t port_takes;

size_t emergency_write_some(const char *text, size_t len_bytes)
{
	size_t count = len_bytes < port_takes ? len_bytes : port_takes;

	emergency_write(text, count);
	return count;
}

static uint64_t newest(void)
{
	char text[256];
	uint64_t position = 0;

	while (log_read(&position, text, sizeof(text)) > 0)
		continue;
	return position;
}

static void test_log_line_is_echoed_and_read(void **state)
{
	uint64_t position = newest();
	char text[64];
	size_t count;

	(void)state;
	echoed_bytes = 0;
	log_warn("%u of %s", 7U, "nine");
	log_debug("ring only");
	assert_int_equal(echoed_bytes, 19);
	assert_memory_equal(echoed, "warning: 7 of nine\n", 19);
	count = log_read(&position, text, 10);
	assert_int_equal(count, 10);
	assert_memory_equal(text, "warning: 7", 10);
	count = log_read(&position, text, sizeof(text));
	assert_int_equal(count, 19);
	assert_memory_equal(text, " of nine\nring only\n", 19);
	assert_int_equal(log_read(&position, text, sizeof(text)), 0);
	assert_int_equal(log_read(&position, text, 0), 0);
}

static void test_log_line_is_cut(void **state)
{
	uint64_t position = newest();
	char text[512];
	size_t count;

	(void)state;
	echoed_bytes = 0;
	log_error("%0300d", 5);
	count = log_read(&position, text, sizeof(text));
	assert_in_range(count, 240, 256);
	assert_int_equal(text[count - 1], '\n');
}

/* Text as long as the ring, and longer: the oldest goes, positions are moved up, bytes keep their order. */
static void test_log_ring_wraps(void **state)
{
	uint64_t position = newest(), start, old = position;
	char text[500];

	(void)state;
	log_echo(false);
	start = position;
	for (uint64_t at = 0; at < 3 * LOG_BYTES + 123; at++) {
		char c = (char)(at % 251);

		log_text(&c, 1);
	}
	assert_true(log_read(&old, text, sizeof(text)) > 0);
	position = start;
	for (uint64_t expected = 2 * LOG_BYTES + 123; expected < 3 * LOG_BYTES + 123;) {
		size_t count = log_read(&position, text, sizeof(text));

		assert_true(count > 0);
		for (size_t i = 0; i < count; i++)
			assert_int_equal((unsigned char)text[i], expected++ % 251);
	}
	assert_int_equal(position, start + 3 * LOG_BYTES + 123);
	assert_int_equal(log_read(&position, text, sizeof(text)), 0);
	assert_int_equal(log_tail(text, 3), 3);
	assert_int_equal((unsigned char)text[2], (3 * LOG_BYTES + 122) % 251);
}

static void test_log_read_of_the_future(void **state)
{
	char text[8];
	uint64_t position = UINT64_MAX;

	(void)state;
	assert_int_equal(log_read(&position, text, sizeof(text)), 0);
	assert_int_equal(position, UINT64_MAX);
	position = UINT64_MAX - 3;
	assert_int_equal(log_read(&position, text, sizeof(text)), 0);
}

static void test_log_echo_stops(void **state)
{
	(void)state;
	log_echo(false);
	echoed_bytes = 0;
	log_error("silence");
	log_text("x", 1);
	assert_int_equal(echoed_bytes, 0);
}

/* Once threads run, nobody waits for the serial port with the log in hand: text is shown in order, as the port takes it. */
static void test_log_echo_in_portions(void **state)
{
	static char long_text[LOG_BYTES + 10];
	unsigned steps = 0;

	(void)state;
	log_echo(true);
	log_echo_may_wait();
	echoed_bytes = 0;
	log_debug("not shown");
	log_text("first\n", 6);
	log_info("second");
	assert_int_equal(echoed_bytes, 0);
	port_takes = 0;
	assert_int_equal(log_echo_step(), log_end() - 13);
	assert_int_equal(echoed_bytes, 0);
	port_takes = 4;
	while (log_echo_step() != LOG_ALL_SHOWN)
		steps++;
	assert_int_equal(steps, 4);
	assert_int_equal(echoed_bytes, 13);
	assert_memory_equal(echoed, "first\nsecond\n", 13);
	/* What the ring has lost meanwhile is not shown. */
	memset(long_text, 'x', sizeof(long_text));
	log_text(long_text, sizeof(long_text));
	echoed_bytes = 0;
	port_takes = 1000;
	steps = 0;
	while (log_echo_step() != LOG_ALL_SHOWN) {
		steps += (unsigned)echoed_bytes;
		echoed_bytes = 0;
	}
	assert_int_equal(steps, LOG_BYTES);
	log_text("y", 1);
	log_echo(false);
	assert_true(log_echo_step() == LOG_ALL_SHOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_line_is_echoed_and_read), cmocka_unit_test(test_log_line_is_cut),
		cmocka_unit_test(test_log_ring_wraps),		    cmocka_unit_test(test_log_read_of_the_future),
		cmocka_unit_test(test_log_echo_stops),		    cmocka_unit_test(test_log_echo_in_portions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
