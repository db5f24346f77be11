/* Overwriting functions of the running emulator. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define JUMP_BYTES 12U

/* mov rax, imm64; jmp rax */
static inline void jump_encode(uint8_t jump[JUMP_BYTES], const void *to)
{
	static const uint8_t code[JUMP_BYTES] = { 0x48, 0xb8, [10] = 0xff, [11] = 0xe0 };

	memcpy(jump, code, JUMP_BYTES);
	memcpy(jump + 2, &to, sizeof(to));
}

/* Overwrites the start of a function with a jump. False: it cannot be written to. */
static inline bool redirect(void *from, const void *to)
{
	uint8_t jump[JUMP_BYTES];
	uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = (uintptr_t)from & ~(page_size - 1);
	uintptr_t end = ((uintptr_t)from + sizeof(jump) + page_size - 1) & ~(page_size - 1);

	jump_encode(jump, to);
	if (mprotect((void *)first, end - first, PROT_READ | PROT_WRITE) != 0)
		return false;
	memcpy(from, jump, sizeof(jump));
	return mprotect((void *)first, end - first, PROT_READ | PROT_EXEC) == 0;
}
