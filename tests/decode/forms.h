/* Encodings of instructions that access memory, for comparisons with the host's CPU: a table. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define ANY_GPR   0xffU
#define ANY_DIGIT 8U

/* What a form's bytes are: prefixes are added, then opcode, ModRM (with digit as reg, or any register), immediate. */
#define FORM_WIDE   0x01U /* 66h and REX.W */
#define FORM_W      0x02U /* REX.W only */
#define FORM_STRING 0x04U /* no ModRM; rSI and rDI */
#define FORM_REP    0x08U
#define FORM_BARE   0x10U /* no ModRM; a stack */
#define FORM_VECTOR 0x20U
#define FORM_REX_REG 0x40U /* REX.R at random */
#define FORM_JUMP   0x80U  /* the operand holds where to go */
#define FORM_VEX    0x100U /* bytes begin with C4h; W and R at random */
#define FORM_VVVV   0x200U /* and VEX.vvvv */

struct form {
	const char *name;
	uint8_t prefix; /* mandatory, or 0 */
	uint8_t count;
	uint8_t bytes[4];
	uint8_t digit;  /* or ANY_GPR, or ANY_DIGIT: 0 to 7 */
	uint8_t immediate_bytes;
	uint32_t kind;
	uint64_t undefined; /* flags */
};

extern const struct form forms[];
extern const size_t form_count;
