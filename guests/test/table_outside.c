/* Gives the CPU a table where there is no memory, or a stack in the local APIC's page, and makes it use it: the command line says
 * which. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define NOBODY     0xd0000000UL
#define LOCAL_APIC 0xfee00000UL

struct idt_register {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static void exception_through_table(void)
{
	const struct idt_register idtr = {.limit = 0xfff, .base = NOBODY};

	__asm__ volatile("lidt %0" : : "m"(idtr));
	__asm__ volatile("int3");
}

static void exception_onto_stack(void)
{
	exceptions_install();
	__asm__ volatile("movq %0, %%rsp; int3" : : "r"(LOCAL_APIC + 0x1000));
}

void guest_main(const struct guest_flat_info *info)
{
	if (*(const char *)info->command_line_address == 'i')
		exception_through_table();
	else
		exception_onto_stack();
	print("table_outside: still alive\n");
}
