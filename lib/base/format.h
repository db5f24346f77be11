/* Text formatting into a caller's buffer: a subset of snprintf, with its meanings, and nothing that allocates. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

/* Formats into out (size_bytes > 0), always ends it with a NUL and cuts what does not fit.
 * Conversions: %s %.*s %.Ns %c %d %i %u %x %X %p %% with flags '-' and '0', a width (also '*'), lengths l, ll, z.
 * Returns the bytes written without the NUL (never more than size_bytes - 1, unlike snprintf).
 * Context: any; pure. */
size_t format_text(char *out, size_t size_bytes, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t format_args(char *out, size_t size_bytes, const char *format, va_list args) __attribute__((format(printf, 3, 0)));
