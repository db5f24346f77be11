/* Lines in the kernel's log, which the screen and the serial port show until the console program has taken them over. */
#pragma once
#include <stddef.h>

#define LOG_LINE_BYTES 320U /* longer lines are cut */

/* Writes one line; the newline is added. Formats as lib/base/format.h. */
void log_print(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes bytes as they are, at most 4096. */
void log_write(const char *text, size_t len_bytes);
