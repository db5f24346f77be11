/* COM1 for the loaders' messages. Owns the UART until the jump; the kernel sets it up anew. */
#include "boot/common/serial.h"

#include <stdbool.h>
#include <stdint.h>

#include "boot/common/cpu.h"

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

static bool answers(void)
{
	return in8(UART_LSR) != NOBODY;
}

void serial_init(void)
{
	if (!answers())
		return;
	out8(UART_IER, 0);
	out8(UART_LCR, LCR_DIVISOR_LATCH | LCR_8_BITS);
	out8(UART_DATA, DIVISOR_115200);
	out8(UART_IER, 0);
	out8(UART_LCR, LCR_8_BITS);
	out8(UART_FCR, FCR_ENABLE_AND_CLEAR);
	out8(UART_MCR, MCR_DTR_RTS);
}

static void write_byte(uint8_t byte)
{
	unsigned polls = 0;

	while (!(in8(UART_LSR) & LSR_TRANSMIT_EMPTY)) {
		if (++polls > WAIT_POLLS)
			return;
	}
	out8(UART_DATA, byte);
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
