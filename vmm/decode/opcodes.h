/* Opcode tables: what an opcode does and how its operands are encoded. To support another instruction, add its row here
 * and its operation to integer.c, or a handler to execute.c. */
#pragma once
#include <stdint.h>

#include "vmm/decode/instruction.h"

/* How operands are encoded. "mem" is the r/m operand of a ModRM byte unless said otherwise. */
enum encoding {
	ENCODING_INHERITED,   /* in a group's row: the encoding of the opcode that names the group */
	ENCODING_MEM_REG,
	ENCODING_MEM_REG_IMM8,
	ENCODING_REG_MEM,
	ENCODING_REG_MEM_IMM, /* immediate of the operand's width, at most 4 bytes */
	ENCODING_REG_MEM_IMM8, /* one byte, sign-extended */
	ENCODING_ACC_MEM,
	ENCODING_MEM_IMM,
	ENCODING_MEM_IMM8,
	ENCODING_MEM_ONE,     /* the immediate is 1 */
	ENCODING_MEM,
	ENCODING_SEG_MEM,     /* ModRM.reg is a segment register */
	ENCODING_MEM_SEG,
	/* Without ModRM: */
	ENCODING_ACC_MOFFS,   /* accumulator from an address in the instruction */
	ENCODING_MOFFS_ACC,
	ENCODING_STRING_ACC,  /* ES:rDI and the accumulator */
	ENCODING_STRING,      /* DS:rSI, and ES:rDI or the accumulator */
	ENCODING_TABLE,       /* XLAT: DS:rBX */
	ENCODING_OPCODE_REG,  /* no operand in memory from here on, but the stack */
	ENCODING_IMM,
	ENCODING_IMM8,
	ENCODING_IMM16,
	ENCODING_ENTER,
	ENCODING_NONE,
};
#define ENCODING_FIRST_WITHOUT_MODRM  ENCODING_ACC_MOFFS
#define ENCODING_FIRST_WITHOUT_MEMORY ENCODING_OPCODE_REG

enum opcode_width {
	WIDTH_8,
	WIDTH_16,
	WIDTH_32,
	WIDTH_OPERAND,
	WIDTH_STACK,  /* 8 or 2 bytes in 64-bit code, else the operand's */
	WIDTH_BRANCH, /* 8 bytes in 64-bit code, else the operand's */
	WIDTH_FAR,    /* the operand's and a selector */
	WIDTH_PAIR,   /* two operands */
};

/* An opcode whose ModRM.reg selects the operation names one of these in its row. */
enum opcode_group { GROUP_NONE, GROUP_1, GROUP_1A, GROUP_2, GROUP_3, GROUP_4, GROUP_5, GROUP_6, GROUP_7, GROUP_8, GROUP_9, GROUP_11,
		    GROUP_COUNT };

/* Where an opcode means this; elsewhere another instruction or none. */
enum opcode_modes { MODES_ALL, MODES_ONLY_64, MODES_NOT_64 };

/* A prefix that is part of the opcode. */
enum mandatory_prefix { PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2, PREFIX_ANY };

struct opcode {
	uint8_t operation;      /* enum operation; OP_UNKNOWN also where group is set */
	uint8_t encoding;       /* enum encoding */
	uint8_t memory_width;   /* enum opcode_width */
	uint8_t register_width;
	uint8_t group;          /* enum opcode_group */
	uint8_t modes;          /* enum opcode_modes */
};

extern const struct opcode opcodes_one_byte[256];
extern const struct opcode opcodes_0f[256];
/* Operation, encoding and, where not 0, memory width. */
extern const struct opcode opcode_groups[GROUP_COUNT][8];

/* Opcodes that a mandatory prefix makes another instruction; looked at first. */
enum opcode_map { MAP_0F = 1, MAP_0F38, MAP_0F3A };

struct prefixed_opcode {
	uint8_t map;         /* enum opcode_map */
	uint8_t prefix;      /* enum mandatory_prefix */
	uint8_t code;
	bool is_vex;
	struct opcode opcode;
	uint8_t modrm_reg;   /* REG_ANY, or the ModRM.reg that it must have */
};
#define REG_ANY 8U

/* Moves between memory and vector registers. */
#define VECTOR_STORE   0x01U
#define VECTOR_ALIGNED 0x02U
#define VECTOR_MMX     0x04U
#define VECTOR_UPPER   0x08U /* the upper half of 16 bytes */
#define VECTOR_KEEPS   0x10U /* a load keeps the rest of the register */
#define VECTOR_WIDE    0x20U /* 8 bytes with REX.W or VEX.W */
#define VECTOR_PACKED  0x40U /* all of the register: 32 bytes with VEX.L */

struct vector_opcode {
	uint8_t map;
	uint8_t prefix;
	uint8_t code;
	uint8_t bytes;
	uint8_t kind;        /* VECTOR_ bits */
};

/* The row of such an opcode, or NULL. */
const struct prefixed_opcode *opcodes_find_prefixed(enum opcode_map map, enum mandatory_prefix prefix, uint8_t code, bool is_vex,
						    unsigned modrm_reg);
const struct vector_opcode *opcodes_find_vector(enum opcode_map map, enum mandatory_prefix prefix, uint8_t code);
