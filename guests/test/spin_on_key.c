/* Halts, but for a look at its keyboard ten times a second; the first key makes it compute for ever. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define COM1_LINE_STATUS 0x3fdU
#define DATA_READY       0x1U

void guest_main(const struct guest_flat_info *info)
{
	uint64_t tenth = flat_tsc_hz() / 10;

	(void)info;
	exceptions_install();
	timer_init(false);
	print("spin_on_key: waits\n");
	while ((in8(COM1_LINE_STATUS) & DATA_READY) == 0)
		timer_sleep_until(read_tsc() + tenth);
	print("spin_on_key: spins\n");
	interrupts_on();
	for (;;)
		__asm__ volatile("");
}
