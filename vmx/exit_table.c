/* The table of exit reasons: const, total, default deny. */
#include "vmx/exit.h"

const struct exit_row exit_row_unexpected = {exit_unexpected, 0, "unexpected"};

const struct exit_row exit_rows[EXIT_REASON_ROWS] = {
#define EXIT_REASON_ROW(number, name, handler, needs) [number] = {handler, needs, #name},
	EXIT_REASONS(EXIT_REASON_ROW)
#undef EXIT_REASON_ROW
};
