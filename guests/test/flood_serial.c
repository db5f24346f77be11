/* Writes to its serial port for ever, without asking whether it is ready. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define COM1 0x3f8U

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	print("flood_serial: now\n");
	for (unsigned i = 0;; i++)
		out8(COM1, (uint8_t)(i % 64 == 63 ? '\n' : 'a' + i % 26));
}
