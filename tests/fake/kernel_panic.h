/* Waiting for a panic: assert_panics(statement). */
#pragma once
#include <setjmp.h>
#include <stdbool.h>

extern jmp_buf fake_panic_expected;
extern bool fake_panic_is_expected;

#define assert_panics(statement)                              \
	do {                                                  \
		fake_panic_is_expected = true;                \
		if (setjmp(fake_panic_expected) == 0) {       \
			statement;                            \
			fake_panic_is_expected = false;       \
			fail_msg("no panic: %s", #statement); \
		}                                             \
	} while (0)
