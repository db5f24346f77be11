/* Expected values: PC16550D data sheet, section "Registers"; the order of accesses of the probe test is what Linux's
 * 8250 driver does. */
#include "drivers/virt/uart16550.h"
#include "tests/unit/unit.h"

enum { RBR = 0, THR = 0, DLL = 0, IER = 1, DLM = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };

static struct host {
	struct uart16550 uart;
	bool line;
	unsigned rises;
	char sent[64];
	unsigned sent_count;
	bool blocked;
	unsigned ready_calls;
} host;

static void set_line(void *ctx, bool level)
{
	struct host *h = ctx;

	h->rises += level && !h->line;
	h->line = level;
}

static bool transmit(void *ctx, uint8_t byte)
{
	struct host *h = ctx;

	if (h->blocked)
		return false;
	h->sent[h->sent_count++ % sizeof(h->sent)] = (char)byte;
	return true;
}

static void receive_ready(void *ctx)
{
	struct host *h = ctx;

	h->ready_calls++;
}

static int setup(void **state)
{
	(void)state;
	memset(&host, 0, sizeof(host));
	uart16550_init(&host.uart, &(struct uart16550_wires){
		.irq = {set_line, &host}, .transmit = transmit, .receive_ready = receive_ready, .ctx = &host}, UART_MSR_CONNECTED);
	return 0;
}

static uint8_t in(uint64_t reg)
{
	return (uint8_t)uart16550_ops.read(&host.uart, reg, 1, 0);
}

static void out(uint64_t reg, uint8_t value)
{
	uart16550_ops.write(&host.uart, reg, 1, value, 0);
}

static void test_uart_is_detected_as_16550a(void **state)
{
	(void)state;
	out(IER, 0);
	assert_int_equal(in(IER) & 0x0f, 0);
	out(IER, 0x0f);
	assert_int_equal(in(IER), 0x0f);
	out(IER, 0xff);
	assert_int_equal(in(IER), 0x0f); /* no sleep mode, no UUE */
	out(IER, 0);
	out(MCR, 0x1a); /* loop, OUT2, RTS */
	assert_int_equal(in(MSR) & 0xf0, 0x90);
	out(MCR, 0);
	out(LCR, 0xbf);
	out(FCR, 0);
	out(LCR, 0);
	out(FCR, 0x01);
	assert_int_equal(in(IIR) >> 6, 3);
	out(LCR, 0x80);
	assert_int_not_equal(in(IIR), 0); /* no enhanced feature register */
	out(FCR, 0x21);
	assert_int_equal(in(IIR) >> 5, 6); /* no 64 byte FIFO */
	out(LCR, 0);
	out(FCR, 0);
	assert_int_equal(in(IIR), 0x01);
	out(SCR, 0x5a);
	assert_int_equal(in(SCR), 0x5a);
	out(MCR, 0xff);
	assert_int_equal(in(MCR), 0x1f);
}

static void test_uart_divisor_latch_hides_data(void **state)
{
	(void)state;
	out(LCR, 0x83);
	out(DLL, 0x01);
	out(DLM, 0x02);
	assert_int_equal(in(DLL), 0x01);
	assert_int_equal(in(DLM), 0x02);
	out(LCR, 0x03);
	assert_int_equal(in(IER), 0);
	assert_int_equal(host.sent_count, 0);
}

static void test_uart_thre_interrupt_rises_on_enable_and_after_each_byte(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(IER, 0x02);
	assert_true(host.line);
	assert_int_equal(in(IIR), 0x02);
	assert_false(host.line); /* reading it as the source clears it */
	assert_int_equal(in(IIR), 0x01);
	out(THR, 'x');
	assert_true(host.line);
	assert_int_equal(host.sent[0], 'x');
	assert_int_equal(in(LSR), 0x60);
	out(IER, 0);
	assert_false(host.line);
	out(IER, 0x02);
	assert_int_equal(in(IIR), 0x02);
	assert_int_equal(host.rises, 3);
}

static void test_uart_line_needs_out2(void **state)
{
	(void)state;
	out(IER, 0x02);
	assert_false(host.line);
	out(MCR, 0x08);
	assert_true(host.line);
	out(MCR, 0x00);
	assert_false(host.line);
}

static void test_uart_receive_fifo_triggers_and_times_out(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(IER, 0x01);
	out(FCR, 0x81); /* trigger 8 */
	for (uint8_t i = 0; i < 7; i++)
		assert_true(uart16550_receive(&host.uart, i));
	assert_int_equal(in(IIR), 0xcc);
	assert_true(uart16550_receive(&host.uart, 7));
	assert_int_equal(in(IIR), 0xc4);
	for (uint8_t i = 8; i < 16; i++)
		assert_true(uart16550_receive(&host.uart, i));
	assert_false(uart16550_receive(&host.uart, 16));
	assert_int_equal(host.ready_calls, 0);
	for (uint8_t i = 0; i < 16; i++) {
		assert_int_equal(in(LSR) & 1, 1);
		assert_int_equal(in(RBR), i);
	}
	assert_int_equal(host.ready_calls, 1);
	assert_int_equal(in(LSR) & 1, 0);
	assert_int_equal(in(IIR), 0xc1);
	assert_false(host.line);
}

static void test_uart_without_fifo_holds_one_byte(void **state)
{
	(void)state;
	assert_true(uart16550_receive(&host.uart, 1));
	assert_false(uart16550_receive(&host.uart, 2));
	out(FCR, 1); /* switching clears */
	assert_int_equal(in(LSR) & 1, 0);
	assert_int_equal(host.ready_calls, 1);
}

static void test_uart_priorities(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(FCR, 0x01);
	out(IER, 0x0f);
	uart16550_set_modem(&host.uart, 0);
	uart16550_receive_break(&host.uart);
	assert_int_equal(in(IIR), 0xc6);
	assert_int_equal(in(LSR), 0xf1);
	assert_int_equal(in(IIR), 0xc4);
	assert_int_equal(in(RBR), 0);
	assert_int_equal(in(IIR), 0xc2);
	assert_int_equal(in(IIR), 0xc0);
	assert_int_equal(in(MSR), 0x0b); /* CTS, DSR, DCD changed, all off */
	assert_int_equal(in(IIR), 0xc1);
	assert_false(host.line);
}

static void test_uart_ring_counts_at_its_end(void **state)
{
	(void)state;
	uart16550_set_modem(&host.uart, UART_MSR_RI);
	assert_int_equal(in(MSR), 0x4b);
	uart16550_set_modem(&host.uart, 0);
	assert_int_equal(in(MSR), 0x04);
}

static void test_uart_loopback_returns_bytes_and_overruns(void **state)
{
	(void)state;
	out(MCR, 0x10);
	out(THR, 0xa5);
	assert_int_equal(host.sent_count, 0);
	assert_int_equal(in(LSR), 0x61);
	out(THR, 0x5a);
	assert_int_equal(in(LSR), 0x63);
	assert_int_equal(in(LSR), 0x61);
	assert_int_equal(in(RBR), 0x5a); /* "destroying the previous character" */
	assert_int_equal(in(LSR), 0x60);
	out(FCR, 1);
	for (uint8_t i = 0; i < 17; i++)
		out(THR, i);
	assert_int_equal(in(LSR), 0x63);
	for (uint8_t i = 0; i < 16; i++)
		assert_int_equal(in(RBR), i); /* with FIFOs the last one is lost */
	assert_int_equal(in(LSR), 0x60);
	assert_false(uart16550_receive(&host.uart, 1));
	out(MCR, 0);
	assert_int_equal(host.ready_calls, 1);
}

static void test_uart_holds_bytes_while_the_host_is_blocked(void **state)
{
	(void)state;
	out(FCR, 1);
	out(MCR, 0x08);
	host.blocked = true;
	for (uint8_t i = 0; i < 20; i++)
		out(THR, 'a' + i);
	assert_int_equal(in(LSR), 0);
	out(IER, 2);
	assert_false(host.line);
	host.blocked = false;
	uart16550_drain(&host.uart);
	assert_int_equal(host.sent_count, 16);
	assert_memory_equal(host.sent, "abcdefghijklmnop", 16);
	assert_true(host.line);
	assert_int_equal(in(LSR), 0x60);
	host.blocked = true;
	out(THR, 'x');
	out(FCR, 0x05); /* clear the transmitter */
	assert_int_equal(in(LSR), 0x60);
}

/* COM2 to COM4. */
static void test_uart_with_nothing_connected_loses_what_is_sent(void **state)
{
	(void)state;
	uart16550_init(&host.uart, &(struct uart16550_wires){.irq = {NULL, NULL}}, 0);
	assert_int_equal(in(MSR), 0);
	for (unsigned i = 0; i < 100; i++)
		out(THR, 'x');
	assert_int_equal(in(LSR), 0x60);
	out(MCR, 0x1a); /* looped back it works all the same */
	assert_int_equal(in(MSR), 0x99);
}

static void test_uart_reset_drops_line(void **state)
{
	(void)state;
	out(MCR, 0x08);
	out(IER, 0x02);
	assert_true(host.line);
	uart16550_ops.reset(&host.uart);
	assert_false(host.line);
	assert_int_equal(in(IER), 0);
	assert_int_equal(in(MSR), 0xb0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_uart_is_detected_as_16550a, setup),
		cmocka_unit_test_setup(test_uart_divisor_latch_hides_data, setup),
		cmocka_unit_test_setup(test_uart_thre_interrupt_rises_on_enable_and_after_each_byte, setup),
		cmocka_unit_test_setup(test_uart_line_needs_out2, setup),
		cmocka_unit_test_setup(test_uart_receive_fifo_triggers_and_times_out, setup),
		cmocka_unit_test_setup(test_uart_without_fifo_holds_one_byte, setup),
		cmocka_unit_test_setup(test_uart_priorities, setup),
		cmocka_unit_test_setup(test_uart_ring_counts_at_its_end, setup),
		cmocka_unit_test_setup(test_uart_loopback_returns_bytes_and_overruns, setup),
		cmocka_unit_test_setup(test_uart_holds_bytes_while_the_host_is_blocked, setup),
		cmocka_unit_test_setup(test_uart_with_nothing_connected_loses_what_is_sent, setup),
		cmocka_unit_test_setup(test_uart_reset_drops_line, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
