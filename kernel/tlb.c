/* The instructions that make this CPU forget translations. CR4.PCIDE is 0, so that a MOV to CR3 always does. */
#include "kernel/tlb.h"

#include "kernel/cpu_insn.h"

#define CR4_PGE (1ULL << 7)

void tlb_load(uint64_t cr3)
{
	write_cr3(cr3);
}

void tlb_flush_user(void)
{
	write_cr3(read_cr3());
}

void tlb_flush_all(void)
{
	uint64_t cr4 = read_cr4();

	write_cr4(cr4 ^ CR4_PGE);
	write_cr4(cr4);
}
