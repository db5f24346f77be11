/* The command line: the loader's own (UEFI load options or GRUB's), a blank, the first line of the file cmdline.txt.
 * Words are separated by blanks. Everything after the first word "--" is not ours but belongs to what is booted by bare=. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "abi/status.h"

#define COMMAND_LINE_BYTES 4096U

/* Appends text[0 .. len_bytes) up to its first NUL or line end to line (COMMAND_LINE_BYTES, NUL-terminated), after a blank
 * where both parts have something to say; tabs become blanks. Errors: ERR_OVERFLOW (line then holds what fits). Context: any. */
MUST_CHECK enum status command_line_append(char line[COMMAND_LINE_BYTES], const char *text, size_t len_bytes);

/* Finds the word NAME=VALUE before "--" and writes its VALUE; the last one wins. name is without '='.
 * Returns whether there is one whose value fits value_bytes. Context: any; pure. */
bool command_line_value(const char *line, const char *name, char *value, size_t value_bytes);

/* Whether this word stands before "--". Context: any; pure. */
bool command_line_has(const char *line, const char *word);

/* What follows the word "--" (without leading blanks), or an empty string. Context: any; pure. */
const char *command_line_rest(const char *line);
