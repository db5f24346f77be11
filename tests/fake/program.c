/* What a program of the host finds around it, for tests that link programs' own files. */
#include "tests/fake/program.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/base/format.h"
#include "user/clock.h"
#include "user/log.h"

char fake_program_log[4096];

void fake_program_start(void)
{
	static struct program_info *info;

	fake_program_log[0] = '\0';
	if (info != NULL)
		return;
	info = mmap((void *)PROGRAM_INFO, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (info == MAP_FAILED)
		abort();
	info->tsc_hz = 1000;
}

void log_print(const char *format, ...)
{
	size_t used = strlen(fake_program_log);
	va_list args;

	va_start(args, format);
	format_args(fake_program_log + used, sizeof(fake_program_log) - used - 1, format, args);
	va_end(args);
	strcat(fake_program_log, "\n");
}
