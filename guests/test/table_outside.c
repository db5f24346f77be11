/* Gives the CPU a table or stack where there is no memory, and makes it use it: the command line says which. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define NOBODY      0xd0000000UL
#define ENTRY_FLAGS 0x3UL /* present, writable */
/* docs/guest-flat.md: tables at 1000h to 6FFFh; the first is the PML4, the second the page-directory-pointer table. */
#define POINTER_TABLE ((volatile uint64_t *)0x2000UL)

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
	__asm__ volatile("movq %0, %%rsp; int3" : : "r"(NOBODY + 0x1000));
}

static void access_through_page_table(void)
{
	POINTER_TABLE[8] = NOBODY | ENTRY_FLAGS;
	*(volatile uint32_t *)0x200000000UL = 1;
}

void guest_main(const struct guest_flat_info *info)
{
	switch (*(const char *)info->command_line_address) {
	case 'i': exception_through_table(); break;
	case 's': exception_onto_stack(); break;
	default: access_through_page_table(); break;
	}
	print("table_outside: still alive\n");
}
