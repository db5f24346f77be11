/* Asks for a reset: by port CF9h, or by the keyboard controller where the command line begins with "keyboard". */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define RESET_CONTROL    0xcf9U
#define HARD_RESET       0x06U
#define KEYBOARD_COMMAND 0x64U
#define PULSE_RESET_LINE 0xfeU

void guest_main(const struct guest_flat_info *info)
{
	print("ask_reset: now\n");
	if (*(const char *)info->command_line_address != 'k')
		out8(RESET_CONTROL, HARD_RESET);
	else
		out8(KEYBOARD_COMMAND, PULSE_RESET_LINE);
	print("ask_reset: still alive\n");
}
