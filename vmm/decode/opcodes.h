/* Opcode tables: what an opcode does and how its operands are encoded. To support another instruction, add its row here
 * and its operation to emulate.c. */
#pragma once
#include <stdint.h>

#include "vmm/decode/instruction.h"

/* How operands are encoded. "mem" is the r/m operand of a ModRM byte unless said otherwise. */
enum encoding {
	ENCODING_INHERITED,  /* in a group's row: the encoding of the opcode that names the group */
	ENCODING_MEM_REG,
	ENCODING_REG_MEM,
	ENCODING_MEM_IMM,    /* immediate of the operand's width, at most 4 bytes */
	ENCODING_MEM_IMM8,   /* one byte, sign-extended */
	ENCODING_MEM,
	ENCODING_ACC_MOFFS,  /* accumulator from an address in the instruction; no ModRM */
	ENCODING_MOFFS_ACC,
	ENCODING_STRING_ACC, /* ES:rDI from the accumulator; no ModRM */
};

enum opcode_width { WIDTH_8, WIDTH_16, WIDTH_32, WIDTH_OPERAND };

/* An opcode whose ModRM.reg selects the operation names one of these in its row. */
enum opcode_group { GROUP_NONE, GROUP_1, GROUP_3, GROUP_4_5, GROUP_8, GROUP_11, GROUP_COUNT };

struct opcode {
	uint8_t operation;      /* enum operation; OP_UNKNOWN also where group is set */
	uint8_t encoding;       /* enum encoding */
	uint8_t memory_width;   /* enum opcode_width */
	uint8_t register_width;
	uint8_t group;          /* enum opcode_group */
	uint8_t only_in_64_bit; /* 1: another instruction elsewhere */
};

extern const struct opcode opcodes_one_byte[256];
extern const struct opcode opcodes_0f[256];
extern const struct opcode opcode_groups[GROUP_COUNT][8]; /* operation and encoding only */
