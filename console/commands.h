/* The commands of the prompt as the shell (console/shell.h) calls them; the context is a struct console. */
#pragma once
#include "console/console.h"
#include "console/shell.h"

extern const struct shell_ops console_commands;

/* Shows the terminal of that VM. SHELL_ATTACHED, or SHELL_NO_SUCH_VM. */
enum shell_outcome console_show(struct console *console, const char *name);

/* Wakes the manager, where there is one. */
void console_signal_manager(const struct console *console);

/* Moves what a VM prints and what was typed to it, as far as there is room. Returns whether anything moved. */
bool console_serve_vm(struct console *console, struct console_vm *vm);
