/* The loaders' COM1 against UARTs that work, are not there, or do not take anything. */
#include "boot/common/serial.h"

#include "boot/common/ports.h"
#include "tests/unit/unit.h"

#define COM1_DATA     0x3f8
#define COM1_LCR      0x3fb
#define COM1_LSR      0x3fd
#define LCR_DIVISOR   0x80
#define TIME_OUT_POLLS 1000001U

static uint8_t line_status, line_control;
static char sent[64];
static size_t sent_count;
static unsigned polls, writes;

uint8_t port_in8(uint16_t port)
{
	polls += port == COM1_LSR;
	return port == COM1_LSR ? line_status : 0;
}

void port_out8(uint16_t port, uint8_t value)
{
	writes++;
	if (port == COM1_LCR)
		line_control = value;
	if (port == COM1_DATA && !(line_control & LCR_DIVISOR) && sent_count < sizeof(sent) - 1)
		sent[sent_count++] = (char)value;
}

static void plug_in(uint8_t status)
{
	memset(sent, 0, sizeof(sent));
	sent_count = 0;
	polls = writes = 0;
	line_status = status;
	serial_init();
}

static void test_boot_serial_sends_lines(void **state)
{
	(void)state;
	plug_in(0x60);
	serial_write("one\ntwo");
	assert_string_equal(sent, "one\r\ntwo");
}

static void test_boot_serial_leaves_a_port_without_uart_alone(void **state)
{
	(void)state;
	plug_in(0xff);
	serial_write("text");
	assert_int_equal(writes, 0);
}

/* A port that is switched off may read 0: a second for each byte would make minutes of black screen. */
static void test_boot_serial_waits_once_for_a_dead_uart(void **state)
{
	(void)state;
	plug_in(0);
	for (unsigned i = 0; i < 3; i++)
		serial_write("a line of text\n");
	assert_int_equal(sent_count, 0);
	assert_in_range(polls, 1, TIME_OUT_POLLS + 10);
	plug_in(0x60);
	serial_write("again");
	assert_string_equal(sent, "again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_serial_sends_lines),
		cmocka_unit_test(test_boot_serial_leaves_a_port_without_uart_alone),
		cmocka_unit_test(test_boot_serial_waits_once_for_a_dead_uart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
