/* Driver of a real 16550-compatible serial port.
 * Data sheet PC16550D, "Registers" and "FIFO Interrupt Mode Operation". */
#include "drivers/host/uart.h"

enum uart_register {
	UART_DATA = 0,        /* DLAB = 0: RBR, THR */
	UART_IER = 1,
	UART_DIVISOR_LOW = 0, /* DLAB = 1 */
	UART_DIVISOR_HIGH = 1,
	UART_IIR = 2,         /* read */
	UART_FCR = 2,         /* write */
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_MSR = 6,
};

#define UART_IER_RECEIVED        0x01
#define UART_IER_TRANSMIT_EMPTY  0x02
#define UART_IIR_NONE_PENDING    0x01
#define UART_IIR_FIFO_ENABLED    0xc0
#define UART_FCR_ENABLE          0x01
#define UART_FCR_CLEAR_RX        0x02
#define UART_FCR_CLEAR_TX        0x04
#define UART_FCR_TRIGGER_4       0x40
#define UART_LCR_8N1             0x03
#define UART_LCR_DLAB            0x80
#define UART_MCR_DTR             0x01
#define UART_MCR_RTS             0x02
#define UART_MCR_OUT2            0x08 /* on a PC: gates the interrupt line */
#define UART_MCR_LOOPBACK        0x10
#define UART_LSR_DATA_READY      0x01
#define UART_LSR_OVERRUN         0x02
#define UART_LSR_THR_EMPTY       0x20
#define UART_LSR_IDLE            0x40 /* nothing left in the shift register either */
#define UART_MSR_CTS             0x10
#define UART_MSR_DCD             0x80
#define UART_MSR_LINES           0xf0

#define ABSENT_PORT              0xff
#define DIVISOR_115200           1
#define POLL_LIMIT               100000U
#define SERVICE_STEPS            256U
#define LOOPBACK_BYTE            0xa5

static uint8_t read_register(const struct uart *uart, enum uart_register reg)
{
	return uart->io.in(uart->io.context, (uint16_t)(uart->base_port + reg));
}

static void write_register(const struct uart *uart, enum uart_register reg, uint8_t value)
{
	uart->io.out(uart->io.context, (uint16_t)(uart->base_port + reg), value);
}

static uint32_t queue_used(const struct uart_queue *queue)
{
	return queue->put_count - queue->taken_count;
}

static bool queue_put(struct uart_queue *queue, uint8_t byte)
{
	if (queue_used(queue) == UART_QUEUE_BYTES)
		return false;
	queue->bytes[queue->put_count++ % UART_QUEUE_BYTES] = byte;
	return true;
}

/* The queue is not empty. */
static uint8_t queue_take(struct uart_queue *queue)
{
	return queue->bytes[queue->taken_count++ % UART_QUEUE_BYTES];
}

static enum status wait_for(const struct uart *uart, uint8_t line_status)
{
	for (uint32_t i = 0; i < POLL_LIMIT; i++)
		if (read_register(uart, UART_LSR) & line_status)
			return OK;
	return ERR_TIMED_OUT;
}

/* With MCR's loopback bit, OUT2 comes back as DCD and RTS as CTS, and what is sent is received. */
static bool loopback_works(const struct uart *uart)
{
	write_register(uart, UART_MCR, UART_MCR_LOOPBACK | UART_MCR_OUT2 | UART_MCR_RTS);
	if ((read_register(uart, UART_MSR) & UART_MSR_LINES) != (UART_MSR_DCD | UART_MSR_CTS))
		return false;
	write_register(uart, UART_DATA, LOOPBACK_BYTE);
	return wait_for(uart, UART_LSR_DATA_READY) == OK && read_register(uart, UART_DATA) == LOOPBACK_BYTE;
}

/* The receiver interrupts at four bytes: a flood costs an interrupt for each four, and 1 ms is left until the 16th overflows (at
 * eight: 0.7 ms). Fewer are told of by its time-out, after the time of four. */
static void set_line(const struct uart *uart)
{
	write_register(uart, UART_LCR, UART_LCR_DLAB);
	write_register(uart, UART_DIVISOR_LOW, DIVISOR_115200);
	write_register(uart, UART_DIVISOR_HIGH, 0);
	write_register(uart, UART_LCR, UART_LCR_8N1);
	write_register(uart, UART_FCR, UART_FCR_ENABLE | UART_FCR_CLEAR_RX | UART_FCR_CLEAR_TX | UART_FCR_TRIGGER_4);
}

enum status uart_init(struct uart *uart, const struct port_io *io, uint16_t base_port)
{
	uart->io = *io;
	uart->base_port = base_port;
	uart->interrupt_enable = UART_IER_RECEIVED;
	uart->lost_count = 0;
	uart->transmit.put_count = uart->transmit.taken_count = 0;
	uart->receive.put_count = uart->receive.taken_count = 0;
	if (read_register(uart, UART_LSR) == ABSENT_PORT && read_register(uart, UART_IIR) == ABSENT_PORT &&
	    read_register(uart, UART_MCR) == ABSENT_PORT)
		return ERR_NOT_FOUND;
	/* What the kernel or the firmware still sends is to arrive before the settings change. */
	if (wait_for(uart, UART_LSR_IDLE) != OK)
		return ERR_NOT_FOUND;
	write_register(uart, UART_IER, 0);
	set_line(uart);
	if (!loopback_works(uart)) {
		write_register(uart, UART_MCR, 0);
		return ERR_NOT_FOUND;
	}
	uart->fifo_bytes = (read_register(uart, UART_IIR) & UART_IIR_FIFO_ENABLED) == UART_IIR_FIFO_ENABLED ? 16 : 1;
	write_register(uart, UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
	write_register(uart, UART_IER, uart->interrupt_enable);
	return OK;
}

/* The transmitter is empty: it takes a FIFO's worth. */
static void fill_transmitter(struct uart *uart)
{
	for (uint32_t i = 0; i < uart->fifo_bytes && queue_used(&uart->transmit) > 0; i++)
		write_register(uart, UART_DATA, queue_take(&uart->transmit));
}

/* The transmitter's interrupt is on while there is something to send, else it would never be quiet. */
static void set_interrupts(struct uart *uart)
{
	uint8_t wanted = UART_IER_RECEIVED | (queue_used(&uart->transmit) > 0 ? UART_IER_TRANSMIT_EMPTY : 0);

	if (wanted != uart->interrupt_enable)
		write_register(uart, UART_IER, wanted);
	uart->interrupt_enable = wanted;
}

/* The interrupt line is edge-triggered on a PC: it must be seen low, so the loop ends when no cause is left. */
bool uart_service(struct uart *uart)
{
	for (uint32_t step = 0; step < SERVICE_STEPS; step++) {
		uint8_t line_status = read_register(uart, UART_LSR);

		if (line_status == ABSENT_PORT)
			return false;
		if (line_status & UART_LSR_OVERRUN)
			uart->lost_count++;
		if (line_status & UART_LSR_DATA_READY) {
			if (!queue_put(&uart->receive, read_register(uart, UART_DATA)))
				uart->lost_count++;
			continue;
		}
		if ((line_status & UART_LSR_THR_EMPTY) && queue_used(&uart->transmit) > 0)
			fill_transmitter(uart);
		set_interrupts(uart);
		if (read_register(uart, UART_IIR) & UART_IIR_NONE_PENDING)
			return false;
	}
	return true;
}

size_t uart_write(struct uart *uart, const void *bytes, size_t len_bytes)
{
	const uint8_t *next = bytes;
	size_t taken = 0;

	while (taken < len_bytes && queue_put(&uart->transmit, next[taken]))
		taken++;
	if (read_register(uart, UART_LSR) & UART_LSR_THR_EMPTY)
		fill_transmitter(uart);
	set_interrupts(uart);
	return taken;
}

size_t uart_read(struct uart *uart, void *out, size_t size_bytes)
{
	uint8_t *next = out;
	size_t count = 0;

	while (count < size_bytes && queue_used(&uart->receive) > 0)
		next[count++] = queue_take(&uart->receive);
	return count;
}

size_t uart_free_bytes(const struct uart *uart)
{
	return UART_QUEUE_BYTES - queue_used(&uart->transmit);
}

enum status uart_write_polled(struct uart *uart, const void *bytes, size_t len_bytes)
{
	const uint8_t *next = bytes;

	for (size_t i = 0; queue_used(&uart->transmit) > 0 || i < len_bytes;) {
		enum status status = wait_for(uart, UART_LSR_THR_EMPTY);

		if (status != OK)
			return status;
		if (queue_used(&uart->transmit) > 0)
			fill_transmitter(uart);
		else
			write_register(uart, UART_DATA, next[i++]);
	}
	set_interrupts(uart);
	return OK;
}
