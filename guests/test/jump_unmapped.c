/* Jumps to an address that the guest maps but that has no memory behind it. */
#include "guests/flat/flat.h"

#define NO_MEMORY 0xd0000000UL

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	print("jump_unmapped: now\n");
	((void (*)(void))NO_MEMORY)();
}
