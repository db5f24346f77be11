/* Constants of kernel/smp_trampoline.asm. */
#include "kernel/offsets.h"
#include "kernel/smp_trampoline.h"

void kernel_offsets(void);

#define PARAMETER(name, member) CONSTANT(name, TRAMPOLINE_PARAMETERS + offsetof(struct trampoline_parameters, member))

void kernel_offsets(void)
{
	PARAMETER(P_TICKET, ticket);
	PARAMETER(P_CR3, cr3);
	PARAMETER(P_GDTR, gdt_limit);
	PARAMETER(P_JUMP, jump_offset);
	PARAMETER(P_STACK, stack);
	PARAMETER(P_ENTRY, entry);
}
