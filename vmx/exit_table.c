/* The table of exit reasons: const, total, default deny. */
#include "vmx/exit.h"

static const struct exit_row unexpected = {exit_unexpected, 0, "unexpected"};

static const struct exit_row table[EXIT_REASON_ROWS] = {
#define EXIT_REASON_ROW(number, name, handler, needs) [number] = {handler, needs, #name},
	EXIT_REASONS(EXIT_REASON_ROW)
#undef EXIT_REASON_ROW
};

const struct exit_row *exit_row(uint32_t reason)
{
	return reason < EXIT_REASON_ROWS && table[reason].handle != 0 ? &table[reason] : &unexpected;
}
