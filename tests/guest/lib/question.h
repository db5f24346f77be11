/* What every image of tests/guest is made of: checks with names, and an exit code that says whether all were right. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define VECTOR_DB 1U
#define VECTOR_UD 6U
#define VECTOR_GP 13U
#define VECTOR_PF 14U

/* The program. Exceptions are caught by then; returning ends the VM with exit code 1 (all right) or 3 (debug-exit port). */
void question(const struct guest_flat_info *info);

/* Prints a line TEST-PASS or TEST-FAIL. Of many equal checks, expect_quietly prints only what is wrong. */
void expect(const char *name, uint64_t value, uint64_t wanted);
bool expect_quietly(const char *name, uint64_t detail, uint64_t value, uint64_t wanted);

/* Ends the VM with (value << 1) | 1. */
_Noreturn void debug_exit(uint32_t value);

/* Runs the code (which may leave values in named registers' memory); an exception ends it. Afterwards flat_catch says which, or
 * NO_EXCEPTION. All general registers but RSP and RBP are lost. */
#define TRY(code, ...)                                                                            \
	do {                                                                                      \
		flat_catch.vector = NO_EXCEPTION;                                                 \
		__asm__ volatile("leaq 1f(%%rip), %%rax\n\tmovq %%rax, flat_catch(%%rip)\n\t" code \
				 "\n1:\tmovq $0, flat_catch(%%rip)"                                \
				 : : __VA_ARGS__                                                   \
				 : "rax", "rcx", "rdx", "rsi", "rdi", "memory", "cc");             \
	} while (0)

/* One check of the vector that the code raises. */
#define EXPECT_VECTOR(name, wanted, code, ...)               \
	do {                                                 \
		TRY(code, __VA_ARGS__);                      \
		expect(name, flat_catch.vector, wanted);     \
	} while (0)
