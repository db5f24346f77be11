/* Panic in host tests: the test that ran into it fails, unless it waits for just that. */
#include "tests/fake/kernel_panic.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernel/panic.h"

jmp_buf fake_panic_expected;
bool fake_panic_is_expected;

void panic(const char *format, ...)
{
	va_list args;

	if (fake_panic_is_expected) {
		fake_panic_is_expected = false;
		longjmp(fake_panic_expected, 1);
	}
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	fail();
	abort();
}
