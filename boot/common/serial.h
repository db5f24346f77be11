/* COM1, polled: 115200 baud, 8 data bits, no parity, 1 stop bit. Every function does nothing where no UART answers, or where
 * one did not take a byte within a bounded time (about a second). */
#pragma once

/* Sets the UART up. Context: loader. Source: National Semiconductor PC16550D data sheet, "Registers". */
void serial_init(void);

/* Writes text, "\n" as CR LF. Context: loader, after serial_init(). */
void serial_write(const char *text);
