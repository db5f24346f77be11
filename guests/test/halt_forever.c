/* Halts with interrupts off; with the word "listens" on its command line with interrupts on, though none comes. */
#include <stddef.h>

#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

void guest_main(const struct guest_flat_info *info)
{
	print("halt_forever: now\n");
	if (flat_find((const char *)info->command_line_address, "listens") != NULL)
		interrupts_on();
	else
		interrupts_off();
	for (;;)
		halt();
}
