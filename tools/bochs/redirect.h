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

/* Overwrites code. False: it cannot be written to. */
static inline bool overwrite(void *at, const uint8_t *code, size_t bytes)
{
	uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t first = (uintptr_t)at & ~(page_size - 1);
	uintptr_t end = ((uintptr_t)at + bytes + page_size - 1) & ~(page_size - 1);

	if (mprotect((void *)first, end - first, PROT_READ | PROT_WRITE) != 0)
		return false;
	memcpy(at, code, bytes);
	return mprotect((void *)first, end - first, PROT_READ | PROT_EXEC) == 0;
}

/* Overwrites the start of a function with a jump. False: it cannot be written to. */
static inline bool redirect(void *from, const void *to)
{
	uint8_t jump[JUMP_BYTES];

	jump_encode(jump, to);
	return overwrite(from, jump, sizeof(jump));
}
