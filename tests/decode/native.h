/* Runs one instruction on the host's own CPU, with all registers and memory as wanted: what vmm/decode is compared with. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NATIVE_CODE_BYTES 4096U

struct native_context {
	uint64_t gpr[16]; /* in the SDM's order */
	uint64_t rflags;  /* status flags and DF */
	uint8_t xmm[16][16], upper[16][16]; /* upper halves where has_avx */
	uint8_t mm[8][8];
	int fault;        /* -1, or the vector */
};

/* Where the instruction is put, and where one that jumps may go: it ends there too. */
extern uint8_t *native_code;
uint64_t native_end(void);

/* Prepares handlers and pages. */
void native_start(void);
bool native_has_avx(void);
bool native_has_bmi(void);

/* Executes the instruction of count bytes, which may jump to native_end(). */
void native_run(struct native_context *context, const uint8_t *bytes, size_t count);
