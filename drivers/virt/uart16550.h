/* National PC16550D universal asynchronous receiver/transmitter with FIFOs, as the PC wires it: eight byte registers,
 * the interrupt line gated by OUT2.
 *
 * The wire is infinitely fast: a byte that the guest writes leaves at once, or waits in the transmitter FIFO while the
 * host does not take it. So the character timeout of the receiver FIFO passes at once too.
 *
 * Source: National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs", section
 * "Registers". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"

#define UART16550_REGION_SIZE 8
#define UART_FIFO_BYTES       16

/* Modem inputs, as bits of the modem status register. */
#define UART_MSR_CTS 0x10
#define UART_MSR_DSR 0x20
#define UART_MSR_RI  0x40
#define UART_MSR_DCD 0x80
#define UART_MSR_CONNECTED (UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD) /* a terminal */

struct uart_fifo {
	uint8_t bytes[UART_FIFO_BYTES];
	uint8_t errors[UART_FIFO_BYTES]; /* UART_LSR_ bits that came with the byte */
	uint8_t first;
	uint8_t count;
};

struct uart16550_state {
	uint8_t ier, fcr, lcr, mcr, scr;
	uint8_t dll, dlm;
	uint8_t line_errors;  /* UART_LSR_ bits that the next read of the line status clears */
	uint8_t modem_inputs; /* UART_MSR_ upper half: the pins */
	uint8_t modem_deltas; /* UART_MSR_ lower half */
	bool thre_pending;    /* "transmitter holding register empty" was not yet reported */
	bool receive_refused; /* uart_receive() found no room since receive_ready() was last called */
	bool line_level;
	struct uart_fifo rx;
	struct uart_fifo tx;
};

struct uart16550_wires {
	struct irq_line irq;
	/* A byte leaves; false: the host cannot take it now and calls uart16550_drain() when it can.
	 * NULL: all is lost. */
	bool (*transmit)(void *ctx, uint8_t byte);
	/* There is room again after uart16550_receive() refused a byte. Under the device's lock: note it, receive
	 * later. NULL: nobody asks. */
	void (*receive_ready)(void *ctx);
	void *ctx;
};

struct uart16550 {
	struct uart16550_state state;
	struct uart16550_wires wires;
};

extern const struct device_ops uart16550_ops;

/* Power-on state. modem_inputs: UART_MSR_CONNECTED; 0: nothing is connected. */
void uart16550_init(struct uart16550 *uart, const struct uart16550_wires *wires, uint8_t modem_inputs);

/* A byte arrives. Returns whether it was taken: not while the receiver is full or looped back. */
bool uart16550_receive(struct uart16550 *uart, uint8_t byte);

/* A break arrives: a zero byte marked as such. Lost where there is no room. */
void uart16550_receive_break(struct uart16550 *uart);

/* The modem's lines are now inputs (UART_MSR_CTS, _DSR, _RI, _DCD). */
void uart16550_set_modem(struct uart16550 *uart, uint8_t inputs);

/* The host can take bytes again: passes on what waits in the transmitter, as far as it is taken. */
void uart16550_drain(struct uart16550 *uart);
