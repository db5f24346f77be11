/* What the interrupt and exception stubs leave on the stack. Layout is shared with kernel/entry.asm. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct trap_frame {
	uint64_t rax, rcx, rdx, rbx, rbp, rsi, rdi;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t vector;
	uint64_t error_code;
	/* pushed by the CPU: SDM Vol. 3A, "64-Bit Mode Stack Frame" */
	uint64_t rip, cs, rflags, rsp, ss;
};

enum exception_vector {
	EXCEPTION_DB = 1,
	EXCEPTION_NMI = 2,
	EXCEPTION_DF = 8,
	EXCEPTION_GP = 13,
	EXCEPTION_PF = 14,
	EXCEPTION_MC = 18,
};

static inline bool trap_from_user(const struct trap_frame *frame)
{
	return (frame->cs & 3) == 3;
}
