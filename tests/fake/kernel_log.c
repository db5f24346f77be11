/* The kernel log in host tests: counted, not kept. */
#include "tests/fake/kernel_log.h"

#include <stddef.h>

#include "kernel/log.h"

unsigned fake_log_lines;

void log_line(enum log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
	fake_log_lines++;
}
