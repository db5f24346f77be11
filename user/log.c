/* Lines in the kernel's log. */
#include "user/log.h"

#include <stdarg.h>

#include "lib/base/format.h"
#include "user/calls.h"

void log_write(const char *text, size_t len_bytes)
{
	sys_log_write(text, len_bytes);
}

void log_print(const char *format, ...)
{
	char line[LOG_LINE_BYTES];
	va_list args;
	size_t len;

	va_start(args, format);
	len = format_args(line, sizeof(line) - 1, format, args);
	va_end(args);
	line[len++] = '\n';
	log_write(line, len);
}
