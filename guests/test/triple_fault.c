/* Raises #UD without an IDT: #UD, then #DF, then a triple fault. */
#include "guests/flat/flat.h"

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	print("triple_fault: now\n");
	__asm__ volatile("ud2");
}
