/* What the loaders tell the user: on the screen and on COM1. */
#pragma once
#include <stdbool.h>

#include "lib/base/error_codes.h"

/* Writes text to the screen. Each loader has its own (boot/efi/screen.c, boot/multiboot2/screen.c).
 * Returns whether COM1 is part of that screen (UEFI consoles often are on both): then it needs no second copy. */
bool screen_write(const char *text);

/* One line of progress; the loader's good boot has at most three. Context: loader. */
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* "E503: text" plus what to do about it, each on lines of its own. what and remedy end without a line end.
 * Context: loader. */
void report_error(enum error_code code, const char *remedy, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for something that does not stop the boot: "warning E508: ...". */
void report_warning(enum error_code code, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
