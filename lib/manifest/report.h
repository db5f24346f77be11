/* Internal to lib/manifest: writing messages. */
#pragma once
#include <stdarg.h>

#include "lib/manifest/manifest.h"

/* Adds a message, made printable. vm_index >= 0: also refuses that VM, unless the code is a note. line 0: no line. */
void manifest_report(struct manifest *manifest, int32_t vm_index, uint32_t line, enum error_code code,
		     const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same with the arguments as a list. */
void manifest_report_args(struct manifest *manifest, int32_t vm_index, uint32_t line, enum error_code code,
			  const char *format, va_list args) __attribute__((format(printf, 5, 0)));

/* What to append to "... is not known": "; did you mean "memory"?" if one of names[0 .. count) is that near, else "; "
 * and the remedy. */
void manifest_suggest(const char *wrong, const char *const *names, size_t count, const char *remedy, char *out,
		      size_t size_bytes);
