/* The tables. Source: SDM Vol. 2D, "One, Two, and Three-Byte Opcode Maps", "Opcode Extensions for One-Byte and Two-byte
 * Opcodes". Register-only and accumulator-immediate forms are left out: they touch no memory. */
#include "vmm/decode/opcodes.h"

#define BYTES(op, encoded)   {.operation = op, .encoding = encoded, .memory_width = WIDTH_8, .register_width = WIDTH_8}
#define OPERAND(op, encoded) \
	{.operation = op, .encoding = encoded, .memory_width = WIDTH_OPERAND, .register_width = WIDTH_OPERAND}
#define EXTEND(op, from)     \
	{.operation = op, .encoding = ENCODING_REG_MEM, .memory_width = from, .register_width = WIDTH_OPERAND}
#define GROUP(number, encoded, width) \
	{.encoding = encoded, .memory_width = width, .register_width = width, .group = number}

/* The four ModRM forms of the arithmetic opcodes, and pairs of a byte form and an operand-size form. */
#define ARITHMETIC(first, op)                                \
	[(first) + 0] = BYTES(op, ENCODING_MEM_REG),         \
	[(first) + 1] = OPERAND(op, ENCODING_MEM_REG),       \
	[(first) + 2] = BYTES(op, ENCODING_REG_MEM),         \
	[(first) + 3] = OPERAND(op, ENCODING_REG_MEM)
#define PAIR(first, op, encoded)                             \
	[(first) + 0] = BYTES(op, encoded),                  \
	[(first) + 1] = OPERAND(op, encoded)
#define GROUP_PAIR(first, number, encoded)                   \
	[(first) + 0] = GROUP(number, encoded, WIDTH_8),     \
	[(first) + 1] = GROUP(number, encoded, WIDTH_OPERAND)

const struct opcode opcodes_one_byte[256] = {
	ARITHMETIC(0x00, OP_ADD),
	ARITHMETIC(0x08, OP_OR),
	ARITHMETIC(0x10, OP_ADC),
	ARITHMETIC(0x18, OP_SBB),
	ARITHMETIC(0x20, OP_AND),
	ARITHMETIC(0x28, OP_SUB),
	ARITHMETIC(0x30, OP_XOR),
	ARITHMETIC(0x38, OP_CMP),
	[0x63] = {OP_MOVSX, ENCODING_REG_MEM, WIDTH_32, WIDTH_OPERAND, GROUP_NONE, 1}, /* MOVSXD */
	GROUP_PAIR(0x80, GROUP_1, ENCODING_MEM_IMM),
	[0x83] = GROUP(GROUP_1, ENCODING_MEM_IMM8, WIDTH_OPERAND),
	PAIR(0x84, OP_TEST, ENCODING_MEM_REG),
	PAIR(0x86, OP_XCHG, ENCODING_MEM_REG),
	PAIR(0x88, OP_MOV, ENCODING_MEM_REG),
	PAIR(0x8a, OP_MOV, ENCODING_REG_MEM),
	PAIR(0xa0, OP_MOV, ENCODING_ACC_MOFFS),
	PAIR(0xa2, OP_MOV, ENCODING_MOFFS_ACC),
	PAIR(0xaa, OP_STOS, ENCODING_STRING_ACC),
	GROUP_PAIR(0xc6, GROUP_11, ENCODING_MEM_IMM),
	GROUP_PAIR(0xf6, GROUP_3, ENCODING_MEM),
	GROUP_PAIR(0xfe, GROUP_4_5, ENCODING_MEM),
};

const struct opcode opcodes_0f[256] = {
	[0xa3] = OPERAND(OP_BT, ENCODING_MEM_REG),
	[0xab] = OPERAND(OP_BTS, ENCODING_MEM_REG),
	PAIR(0xb0, OP_CMPXCHG, ENCODING_MEM_REG),
	[0xb3] = OPERAND(OP_BTR, ENCODING_MEM_REG),
	[0xb6] = EXTEND(OP_MOV, WIDTH_8),  /* MOVZX */
	[0xb7] = EXTEND(OP_MOV, WIDTH_16), /* MOVZX */
	[0xba] = GROUP(GROUP_8, ENCODING_MEM_IMM8, WIDTH_OPERAND),
	[0xbb] = OPERAND(OP_BTC, ENCODING_MEM_REG),
	[0xbe] = EXTEND(OP_MOVSX, WIDTH_8),
	[0xbf] = EXTEND(OP_MOVSX, WIDTH_16),
	PAIR(0xc0, OP_XADD, ENCODING_MEM_REG),
};

const struct opcode opcode_groups[GROUP_COUNT][8] = {
	[GROUP_1] = {{.operation = OP_ADD}, {.operation = OP_OR}, {.operation = OP_ADC}, {.operation = OP_SBB},
		     {.operation = OP_AND}, {.operation = OP_SUB}, {.operation = OP_XOR}, {.operation = OP_CMP}},
	[GROUP_3] = {[0] = {.operation = OP_TEST, .encoding = ENCODING_MEM_IMM},
		     [1] = {.operation = OP_TEST, .encoding = ENCODING_MEM_IMM},
		     [2] = {.operation = OP_NOT},
		     [3] = {.operation = OP_NEG}},
	[GROUP_4_5] = {[0] = {.operation = OP_INC}, [1] = {.operation = OP_DEC}},
	[GROUP_8] = {[4] = {.operation = OP_BT}, [5] = {.operation = OP_BTS}, [6] = {.operation = OP_BTR},
		     [7] = {.operation = OP_BTC}},
	[GROUP_11] = {[0] = {.operation = OP_MOV}},
};
