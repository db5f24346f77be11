/* The kernel log: a ring of text that programs read, echoed to the emergency console until `console` takes over. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Appends one line (no newline at its end) of at most 240 bytes. LOG_DEBUG goes to the ring only
 * (and is shown only where other text still waits).
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

/* Off: only panic() writes to serial port and screen by itself. What has not been shown by then is not shown any more. */
void log_echo(bool on);
/* From here on, who writes to the log does not wait for the serial port: log_echo_step() shows what waits. */
void log_echo_may_wait(void);
/* Shows a few bytes of what waits, if the serial port takes them; returns the position up to which all is shown, LOG_ALL_SHOWN:
 * nothing waits. About 20 us, and on a screen one row of glyphs more where a line ends. Context: any, no lock held. */
uint64_t log_echo_step(void);
#define LOG_ALL_SHOWN UINT64_MAX
/* The position at which the next text will be. */
uint64_t log_end(void);
