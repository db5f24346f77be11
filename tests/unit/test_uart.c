/* The serial driver against a small model of a 16550 (data sheet PC16550D), and against ports that are not one. */
#include "drivers/host/uart.h"

#include "tests/unit/unit.h"

#define BASE 0x3f8

struct port {
	bool absent;
	bool memory_only;    /* eight bytes of plain memory: no UART */
	bool dead_transmitter;
	bool endless_input;
	bool no_fifo;
	uint8_t ier, fcr, lcr, mcr, divisor_low;
	uint8_t received[64];
	unsigned received_count;
	bool overrun;
	uint8_t sent[9000];
	unsigned sent_count;
	unsigned fifo_used; /* written since the transmitter was last empty */
	unsigned access_count;
	uint8_t plain[8];
};

static uint8_t line_status(struct port *port)
{
	uint8_t value = 0;

	if (port->received_count > 0 || port->endless_input)
		value |= 0x01;
	if (port->overrun)
		value |= 0x02;
	if (!port->dead_transmitter)
		value |= 0x60;
	port->overrun = false;
	port->fifo_used = 0; /* whoever polls waits long enough here */
	return value;
}

static uint8_t take_received(struct port *port)
{
	uint8_t byte = port->received[0];

	if (port->endless_input)
		return 'x';
	if (port->received_count == 0)
		return 0;
	memmove(port->received, port->received + 1, --port->received_count);
	return byte;
}

static uint8_t interrupt_identification(const struct port *port)
{
	uint8_t fifo = port->fcr & 1 && !port->no_fifo ? 0xc0 : 0;

	if (port->ier & 1 && (port->received_count > 0 || port->endless_input))
		return fifo | 4;
	if (port->ier & 2 && port->fifo_used == 0 && !port->dead_transmitter)
		return fifo | 2;
	return fifo | 1;
}

static uint8_t port_in(void *context, uint16_t number)
{
	struct port *port = context;

	assert_in_range(number, BASE, BASE + 7);
	port->access_count++;
	if (port->absent)
		return 0xff;
	if (port->memory_only)
		return port->plain[number - BASE];
	switch (number - BASE) {
	case 0:
		return take_received(port);
	case 1:
		return port->ier;
	case 2:
		return interrupt_identification(port);
	case 3:
		return port->lcr;
	case 4:
		return port->mcr;
	case 5:
		return line_status(port);
	case 6:
		return port->mcr & 0x10 ? (uint8_t)((port->mcr & 8 ? 0x80 : 0) | (port->mcr & 2 ? 0x10 : 0)) : 0;
	default:
		return 0;
	}
}

static void send(struct port *port, uint8_t value)
{
	if (port->mcr & 0x10) {
		port->received[port->received_count++] = value;
		return;
	}
	assert_true(port->fifo_used < (port->no_fifo ? 1U : 16U));
	assert_true(port->sent_count < sizeof(port->sent));
	port->fifo_used++;
	port->sent[port->sent_count++] = value;
}

static void port_out(void *context, uint16_t number, uint8_t value)
{
	struct port *port = context;

	assert_in_range(number, BASE, BASE + 7);
	port->access_count++;
	port->plain[number - BASE] = value;
	switch (number - BASE) {
	case 0:
		if (port->lcr & 0x80)
			port->divisor_low = value;
		else
			send(port, value);
		return;
	case 1:
		if (!(port->lcr & 0x80))
			port->ier = value;
		return;
	case 2:
		port->fcr = value;
		return;
	case 3:
		port->lcr = value;
		return;
	case 4:
		port->mcr = value;
		return;
	default:
		return;
	}
}

static struct port port;
static struct uart uart;

static enum status start(void)
{
	const struct port_io io = {.in = port_in, .out = port_out, .context = &port};

	return uart_init(&uart, &io, BASE);
}

static int setup(void **state)
{
	(void)state;
	port = (struct port){0};
	return 0;
}

static void test_uart_init_sets_115200_8n1(void **state)
{
	(void)state;
	assert_int_equal(start(), OK);
	assert_int_equal(port.divisor_low, 1);
	assert_int_equal(port.lcr, 3);
	assert_int_equal(port.mcr, 0x0b);
	assert_int_equal(port.fcr, 0x47); /* FIFOs on and emptied, an interrupt at four bytes: 12 may still come */
	assert_int_equal(port.ier, 1);
	assert_int_equal(uart.fifo_bytes, 16);
	assert_int_equal(port.received_count, 0);
}

static void test_uart_init_refuses_absent_port(void **state)
{
	(void)state;
	port.absent = true;
	assert_int_equal(start(), ERR_NOT_FOUND);
	assert_int_equal(port.access_count, 3);
}

static void test_uart_init_refuses_what_is_no_uart(void **state)
{
	(void)state;
	port.memory_only = true;
	assert_int_equal(start(), ERR_NOT_FOUND);
	assert_true(port.access_count < 250000);
	port = (struct port){.dead_transmitter = true};
	assert_int_equal(start(), ERR_NOT_FOUND);
}

static void test_uart_sends_more_than_a_fifo(void **state)
{
	static uint8_t bytes[5000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7);
	assert_int_equal(start(), OK);
	assert_int_equal(uart_free_bytes(&uart), UART_QUEUE_BYTES);
	size_t taken = uart_write(&uart, bytes, sizeof(bytes));

	assert_int_equal(taken, UART_QUEUE_BYTES);
	assert_int_equal(port.ier, 3);
	for (unsigned i = 0; i < 1000 && port.ier & 2; i++) {
		(void)uart_service(&uart);
		port.fifo_used = 0;
	}
	taken += uart_write(&uart, bytes + taken, sizeof(bytes) - taken);
	for (unsigned i = 0; i < 1000 && port.ier & 2; i++)
		(void)uart_service(&uart);
	assert_int_equal(taken, sizeof(bytes));
	assert_int_equal(port.sent_count, sizeof(bytes));
	assert_memory_equal(port.sent, bytes, sizeof(bytes));
	assert_int_equal(port.ier, 1);
}

static void test_uart_without_fifo_sends_single_bytes(void **state)
{
	(void)state;
	port.no_fifo = true;
	assert_int_equal(start(), OK);
	assert_int_equal(uart.fifo_bytes, 1);
	assert_int_equal(uart_write(&uart, "abc", 3), 3);
	for (unsigned i = 0; i < 10; i++)
		(void)uart_service(&uart);
	assert_int_equal(port.sent_count, 3);
	assert_memory_equal(port.sent, "abc", 3);
}

static void test_uart_receives(void **state)
{
	uint8_t out[16];

	(void)state;
	assert_int_equal(start(), OK);
	memcpy(port.received, "hello", 5);
	port.received_count = 5;
	assert_false(uart_service(&uart));
	assert_int_equal(uart_read(&uart, out, 2), 2);
	assert_int_equal(uart_read(&uart, out + 2, sizeof(out) - 2), 3);
	assert_memory_equal(out, "hello", 5);
	assert_int_equal(uart_read(&uart, out, sizeof(out)), 0);
}

static void test_uart_survives_a_flood(void **state)
{
	(void)state;
	assert_int_equal(start(), OK);
	port.endless_input = true;
	unsigned before = port.access_count;

	assert_true(uart_service(&uart));
	assert_true(port.access_count - before <= 2 * 256);
	for (unsigned i = 0; i < 20; i++)
		(void)uart_service(&uart);
	assert_true(uart.lost_count > 0);
	port.endless_input = false;
	port.overrun = true;
	uint64_t lost = uart.lost_count;

	assert_false(uart_service(&uart));
	assert_int_equal(uart.lost_count, lost + 1);
	static uint8_t out[2 * UART_QUEUE_BYTES];

	assert_int_equal(uart_read(&uart, out, sizeof(out)), UART_QUEUE_BYTES);
}

static void test_uart_polled_write_is_bounded(void **state)
{
	(void)state;
	assert_int_equal(start(), OK);
	port.fifo_used = 16;
	assert_int_equal(uart_write_polled(&uart, "bye", 3), OK);
	assert_memory_equal(port.sent, "bye", 3);
	port.dead_transmitter = true;
	unsigned before = port.access_count;

	assert_int_equal(uart_write_polled(&uart, "bye", 3), ERR_TIMED_OUT);
	assert_true(port.access_count - before <= 100000);
}

static void test_uart_that_vanishes_ends_service(void **state)
{
	(void)state;
	assert_int_equal(start(), OK);
	port.absent = true;
	assert_false(uart_service(&uart));
	assert_int_equal(uart.receive.put_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_uart_init_sets_115200_8n1, setup),
		cmocka_unit_test_setup(test_uart_init_refuses_absent_port, setup),
		cmocka_unit_test_setup(test_uart_init_refuses_what_is_no_uart, setup),
		cmocka_unit_test_setup(test_uart_sends_more_than_a_fifo, setup),
		cmocka_unit_test_setup(test_uart_without_fifo_sends_single_bytes, setup),
		cmocka_unit_test_setup(test_uart_receives, setup),
		cmocka_unit_test_setup(test_uart_survives_a_flood, setup),
		cmocka_unit_test_setup(test_uart_polled_write_is_bounded, setup),
		cmocka_unit_test_setup(test_uart_that_vanishes_ends_service, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
