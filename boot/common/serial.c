/* COM1 for the loaders' messages. Owns the UART until the jump; the kernel sets it up anew. */
#include "boot/common/serial.h"

#include <stdbool.h>
#include <stdint.h>

#include "boot/common/ports.h"

#define COM1_BASE          0x3f8U
#define UART_DATA          (COM1_BASE + 0) /* divisor low while LCR_DIVISOR_LATCH is set */
#define UART_IER           (COM1_BASE + 1) /* divisor high, likewise */
#define UART_FCR           (COM1_BASE + 2)
#define UART_LCR           (COM1_BASE + 3)
#define UART_MCR           (COM1_BASE + 4)
#define UART_LSR           (COM1_BASE + 5)
#define UART_SCRATCH       (COM1_BASE + 7)

#define FCR_ENABLE_AND_CLEAR 0x07U
#define LCR_8_BITS           0x03U
#define LCR_DIVISOR_LATCH    0x80U
#define MCR_DTR_RTS          0x03U
#define LSR_TRANSMIT_EMPTY   0x20U
#define DIVISOR_115200       1U
#define NOBODY               0xffU /* what a port reads that no device answers */
#define WAIT_POLLS           1000000U

/* Set by the first byte that was not taken in time: a port that is switched off, or held by flow control for good. Each more
 * would cost that time again. */
static bool has_stopped;

static bool answers(void)
{
	return !has_stopped && port_in8(UART_LSR) != NOBODY;
}

void serial_init(void)
{
	has_stopped = false;
	if (!answers())
		return;
	port_out8(UART_IER, 0);
	port_out8(UART_LCR, LCR_DIVISOR_LATCH | LCR_8_BITS);
	port_out8(UART_DATA, DIVISOR_115200);
	port_out8(UART_IER, 0);
	port_out8(UART_LCR, LCR_8_BITS);
	port_out8(UART_FCR, FCR_ENABLE_AND_CLEAR);
	port_out8(UART_MCR, MCR_DTR_RTS);
}

static void write_byte(uint8_t byte)
{
	unsigned polls = 0;

	if (has_stopped)
		return;
	while (!(port_in8(UART_LSR) & LSR_TRANSMIT_EMPTY)) {
		if (++polls > WAIT_POLLS) {
			has_stopped = true;
			return;
		}
	}
	port_out8(UART_DATA, byte);
}

void serial_write(const char *text)
{
	if (!answers())
		return;
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			write_byte('\r');
		write_byte((uint8_t)*text);
	}
}
