/* Driver of a real 16550-compatible serial port: found by test, 115200 8N1, software queues behind the FIFOs.
 * It knows ports and bytes only; who calls uart_service (interrupt or clock) is the program's business.
 * Source: data sheet PC16550D, "Registers". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "drivers/host/port_io.h"

#define UART_QUEUE_BYTES 4096U /* a power of two */

struct uart_queue {
	uint32_t put_count; /* both count for ever */
	uint32_t taken_count;
	uint8_t bytes[UART_QUEUE_BYTES];
};

struct uart {
	struct port_io io;
	uint16_t base_port;
	uint8_t interrupt_enable; /* what the IER holds */
	uint32_t fifo_bytes;      /* of the transmitter: 16, or 1 where there is none */
	uint64_t lost_count;      /* received bytes that were dropped, in the port or because the queue was full */
	struct uart_queue transmit;
	struct uart_queue receive;
};

/* Looks for a port at base_port, sets it to 115200 8N1 with FIFOs, interrupts on receive.
 * Errors: ERR_NOT_FOUND: no UART answers there (absent ports read FFh), its transmitter never ends, or its loopback
 * test fails.
 * Takes at most about 100,000 port accesses; an absent port costs three. */
MUST_CHECK enum status uart_init(struct uart *uart, const struct port_io *io, uint16_t base_port);

/* Moves bytes between port and queues, until neither side can go on; at most 256 steps.
 * Returns true if it stopped because of that bound: then call it again soon, no interrupt will tell.
 * Call it on each interrupt; calling it at any other time is harmless. */
bool uart_service(struct uart *uart);

/* Queues as many bytes as there is room for, starts the transmitter, and returns how many it took. */
size_t uart_write(struct uart *uart, const void *bytes, size_t len_bytes);

/* Takes at most size_bytes received bytes and returns how many. */
size_t uart_read(struct uart *uart, void *out, size_t size_bytes);

/* How many bytes uart_write would take now. */
size_t uart_free_bytes(const struct uart *uart);

/* Sends the queue and then these bytes by polling: for last words before power-off.
 * Errors: ERR_TIMED_OUT: the transmitter was not ready within 100,000 reads for one byte; the rest is not sent. */
MUST_CHECK enum status uart_write_polled(struct uart *uart, const void *bytes, size_t len_bytes);
