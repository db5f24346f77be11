/* Halts with interrupts off. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	print("halt_forever: now\n");
	interrupts_off();
	for (;;)
		halt();
}
