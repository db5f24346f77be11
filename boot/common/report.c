/* What the loaders tell the user. Owns the form of their messages. */
#include "boot/common/report.h"

#include <stdarg.h>

#include "boot/common/serial.h"
#include "lib/base/format.h"

#define LINE_BYTES 512U

/* Text, not pointers: the table then needs no relocation. */
static const char code_names[ERROR_CODE_COUNT][5] = {
#define ERROR_CODE_NAME(code, meaning) [code] = #code,
	ERROR_CODES(ERROR_CODE_NAME)
#undef ERROR_CODE_NAME
};

static void write_everywhere(const char *text)
{
	if (!screen_write(text))
		serial_write(text);
}

void report(const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;

	va_start(args, format);
	(void)format_args(line, sizeof(line), format, args);
	va_end(args);
	write_everywhere("Bulkhead: ");
	write_everywhere(line);
	write_everywhere(".\n");
}

static void write_problem(const char *kind, enum error_code code, const char *remedy, const char *what)
{
	char line[LINE_BYTES];

	(void)format_text(line, sizeof(line), "Bulkhead: %s%s: %s.\n  What to do: %s.\n", kind, code_names[code], what, remedy);
	write_everywhere(line);
}

void report_error(enum error_code code, const char *remedy, const char *format, ...)
{
	char what[LINE_BYTES];
	va_list args;

	va_start(args, format);
	(void)format_args(what, sizeof(what), format, args);
	va_end(args);
	write_problem("", code, remedy, what);
}

void report_warning(enum error_code code, const char *remedy, const char *format, ...)
{
	char what[LINE_BYTES];
	va_list args;

	va_start(args, format);
	(void)format_args(what, sizeof(what), format, args);
	va_end(args);
	write_problem("warning ", code, remedy, what);
}
