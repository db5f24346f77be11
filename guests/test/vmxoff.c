/* Tries to end the hypervisor under it: VMXOFF must be #UD. No IDT stands ready, so that it ends in a triple fault; where the
 * command line begins with "handled" there is one, and the guest says which exception came. */
#include "guests/flat/flat.h"

void guest_main(const struct guest_flat_info *info)
{
	if (*(const char *)info->command_line_address == 'h')
		exceptions_install();
	print("vmxoff: now\n");
	__asm__ volatile("vmxoff");
	print("vmxoff: still alive\n");
}
