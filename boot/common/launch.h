/* What both loaders do once they know everything: join the command line, name what was skipped, and start the kernel or,
 * with bare=, a Linux kernel in its place. */
#pragma once
#include "boot/common/command_line.h"
#include "boot/common/start.h"

/* Appends text as command_line_append() does, and warns (E516) where it does not fit. Context: loader. */
void launch_add_options(char line[COMMAND_LINE_BYTES], const char *text, size_t len_bytes);

/* found->command_line must be line, which holds the loader's own part. Returns only if the start failed; it was
 * reported then. Context: loader, long mode, identity-mapped, firmware's services still there. */
void launch(struct handover *found, char line[COMMAND_LINE_BYTES], struct start_memory *memory);
