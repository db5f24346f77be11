/* A guest whose two processors take time from others together, without end. Words of the command line: storm, each wakes the other
 * and halts; restart, one starts the other over and over. */
#include <stddef.h>

#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/smp.h"

static void wake_each_other(unsigned number)
{
	for (;;) {
		apic_send(1 - number, ICR_ASSERT | FLAT_TIMER_VECTOR);
		interrupts_on_and_halt();
		interrupts_off();
	}
}

static void spin(unsigned number)
{
	(void)number;
	interrupts_on();
	for (;;)
		__asm__ volatile("");
}

void guest_main(const struct guest_flat_info *info)
{
	bool storms = flat_find((const char *)info->command_line_address, "storm") != NULL;

	exceptions_install();
	apic_enable(false);
	if (smp_start(storms ? wake_each_other : spin) != 1) {
		print("hostile_pair: needs two processors\n");
		return;
	}
	print("hostile_pair: runs\n");
	if (storms)
		wake_each_other(0);
	interrupts_on();
	for (;;)
		smp_restart(1);
}
