/* The kernel log: a ring of text that programs read, echoed to the emergency console until `console` takes over. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Appends one line (no newline at its end) of at most 240 bytes. LOG_DEBUG goes to the ring only.
 * Context: any, interrupts off; bounded. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/* Appends raw text from a program. */
void log_text(const char *text, size_t len_bytes);

/* Copies log bytes from absolute position *position on (moved up when that text was overwritten); returns the count. */
size_t log_read(uint64_t *position, char *out, size_t size_bytes);

/* The last bytes, without the lock: for panic() only. */
size_t log_tail(char *out, size_t size_bytes);

/* After this only panic() writes to serial port and screen by itself, until the console program is gone. */
void log_echo_stop(void);
void log_echo_resume(void);
