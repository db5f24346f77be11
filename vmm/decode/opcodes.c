/* The tables. Source: SDM Vol. 2D, "One, Two, and Three-Byte Opcode Maps", "Opcode Extensions for One-Byte and Two-byte
 * Opcodes". Register-only and accumulator-immediate forms are left out: they touch no memory.
 * Opcodes with a mandatory prefix: opcodes_prefixed.c. */
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

#define STACK(op, encoded)                                   \
	{.operation = op, .encoding = encoded, .memory_width = WIDTH_STACK, .register_width = WIDTH_STACK}
#define BRANCH(op, encoded)                                  \
	{.operation = op, .encoding = encoded, .memory_width = WIDTH_BRANCH, .register_width = WIDTH_BRANCH}
#define FAR(op, modes_wanted)                                \
	{.operation = op, .encoding = ENCODING_REG_MEM, .memory_width = WIDTH_FAR, .register_width = WIDTH_OPERAND, \
	 .modes = modes_wanted}
#define EIGHT(first, op)                                     \
	[(first) + 0] = op, [(first) + 1] = op, [(first) + 2] = op, [(first) + 3] = op, \
	[(first) + 4] = op, [(first) + 5] = op, [(first) + 6] = op, [(first) + 7] = op
#define CONDITION                                            \
	{.operation = OP_SETCC, .encoding = ENCODING_MEM, .memory_width = WIDTH_8, .register_width = WIDTH_8}

const struct opcode opcodes_one_byte[256] = {
	ARITHMETIC(0x00, OP_ADD),
	ARITHMETIC(0x08, OP_OR),
	ARITHMETIC(0x10, OP_ADC),
	ARITHMETIC(0x18, OP_SBB),
	ARITHMETIC(0x20, OP_AND),
	ARITHMETIC(0x28, OP_SUB),
	ARITHMETIC(0x30, OP_XOR),
	ARITHMETIC(0x38, OP_CMP),
	EIGHT(0x50, STACK(OP_PUSH, ENCODING_OPCODE_REG)),
	EIGHT(0x58, STACK(OP_POP, ENCODING_OPCODE_REG)),
	[0x63] = {OP_MOVSX, ENCODING_REG_MEM, WIDTH_32, WIDTH_OPERAND, GROUP_NONE, MODES_ONLY_64}, /* MOVSXD */
	[0x68] = STACK(OP_PUSH, ENCODING_IMM),
	[0x69] = OPERAND(OP_IMUL_REGISTER, ENCODING_REG_MEM_IMM),
	[0x6a] = STACK(OP_PUSH, ENCODING_IMM8),
	[0x6b] = OPERAND(OP_IMUL_REGISTER, ENCODING_REG_MEM_IMM8),
	GROUP_PAIR(0x80, GROUP_1, ENCODING_MEM_IMM),
	[0x83] = GROUP(GROUP_1, ENCODING_MEM_IMM8, WIDTH_OPERAND),
	PAIR(0x84, OP_TEST, ENCODING_MEM_REG),
	PAIR(0x86, OP_XCHG, ENCODING_MEM_REG),
	PAIR(0x88, OP_MOV, ENCODING_MEM_REG),
	PAIR(0x8a, OP_MOV, ENCODING_REG_MEM),
	[0x8c] = {OP_MOV_FROM_SEGMENT, ENCODING_MEM_SEG, WIDTH_16, WIDTH_16, GROUP_NONE, MODES_ALL},
	[0x8e] = {OP_MOV_TO_SEGMENT, ENCODING_SEG_MEM, WIDTH_16, WIDTH_16, GROUP_NONE, MODES_ALL},
	[0x8f] = GROUP(GROUP_1A, ENCODING_MEM, WIDTH_STACK),
	[0x9c] = STACK(OP_PUSHF, ENCODING_NONE),
	[0x9d] = STACK(OP_POPF, ENCODING_NONE),
	PAIR(0xa0, OP_MOV, ENCODING_ACC_MOFFS),
	PAIR(0xa2, OP_MOV, ENCODING_MOFFS_ACC),
	PAIR(0xa4, OP_MOVS, ENCODING_STRING),
	PAIR(0xa6, OP_CMPS, ENCODING_STRING),
	PAIR(0xaa, OP_STOS, ENCODING_STRING_ACC),
	PAIR(0xac, OP_LODS, ENCODING_STRING),
	PAIR(0xae, OP_SCAS, ENCODING_STRING_ACC),
	GROUP_PAIR(0xc0, GROUP_2, ENCODING_MEM_IMM8),
	[0xc2] = BRANCH(OP_RET, ENCODING_IMM16),
	[0xc3] = BRANCH(OP_RET, ENCODING_NONE),
	[0xc4] = FAR(OP_LOAD_FAR_POINTER, MODES_NOT_64), /* LES */
	[0xc5] = FAR(OP_LOAD_FAR_POINTER, MODES_NOT_64), /* LDS */
	GROUP_PAIR(0xc6, GROUP_11, ENCODING_MEM_IMM),
	[0xc8] = STACK(OP_ENTER, ENCODING_ENTER),
	[0xc9] = STACK(OP_LEAVE, ENCODING_NONE),
	GROUP_PAIR(0xd0, GROUP_2, ENCODING_MEM_ONE),
	GROUP_PAIR(0xd2, GROUP_2, ENCODING_MEM),
	[0xd7] = BYTES(OP_XLAT, ENCODING_TABLE),
	[0xe8] = BRANCH(OP_CALL, ENCODING_IMM),
	GROUP_PAIR(0xf6, GROUP_3, ENCODING_MEM),
	[0xfe] = GROUP(GROUP_4, ENCODING_MEM, WIDTH_8),
	[0xff] = GROUP(GROUP_5, ENCODING_MEM, WIDTH_OPERAND),
};

const struct opcode opcodes_0f[256] = {
	[0x00] = GROUP(GROUP_6, ENCODING_MEM, WIDTH_16),
	[0x01] = GROUP(GROUP_7, ENCODING_MEM, WIDTH_16),
	EIGHT(0x40, OPERAND(OP_CMOVCC, ENCODING_REG_MEM)),
	EIGHT(0x48, OPERAND(OP_CMOVCC, ENCODING_REG_MEM)),
	EIGHT(0x90, CONDITION),
	EIGHT(0x98, CONDITION),
	[0xa3] = OPERAND(OP_BT, ENCODING_MEM_REG),
	[0xa4] = OPERAND(OP_SHLD, ENCODING_MEM_REG_IMM8),
	[0xa5] = OPERAND(OP_SHLD, ENCODING_MEM_REG),
	[0xab] = OPERAND(OP_BTS, ENCODING_MEM_REG),
	[0xac] = OPERAND(OP_SHRD, ENCODING_MEM_REG_IMM8),
	[0xad] = OPERAND(OP_SHRD, ENCODING_MEM_REG),
	[0xaf] = OPERAND(OP_IMUL_REGISTER, ENCODING_REG_MEM),
	PAIR(0xb0, OP_CMPXCHG, ENCODING_MEM_REG),
	[0xb2] = FAR(OP_LOAD_FAR_POINTER, MODES_ALL), /* LSS */
	[0xb3] = OPERAND(OP_BTR, ENCODING_MEM_REG),
	[0xb4] = FAR(OP_LOAD_FAR_POINTER, MODES_ALL), /* LFS */
	[0xb5] = FAR(OP_LOAD_FAR_POINTER, MODES_ALL), /* LGS */
	[0xb6] = EXTEND(OP_MOV, WIDTH_8),  /* MOVZX */
	[0xb7] = EXTEND(OP_MOV, WIDTH_16), /* MOVZX */
	[0xba] = GROUP(GROUP_8, ENCODING_MEM_IMM8, WIDTH_OPERAND),
	[0xbb] = OPERAND(OP_BTC, ENCODING_MEM_REG),
	[0xbc] = OPERAND(OP_BSF, ENCODING_REG_MEM),
	[0xbd] = OPERAND(OP_BSR, ENCODING_REG_MEM),
	[0xbe] = EXTEND(OP_MOVSX, WIDTH_8),
	[0xbf] = EXTEND(OP_MOVSX, WIDTH_16),
	PAIR(0xc0, OP_XADD, ENCODING_MEM_REG),
	[0xc7] = GROUP(GROUP_9, ENCODING_MEM, WIDTH_PAIR),
};

const struct opcode opcode_groups[GROUP_COUNT][8] = {
	[GROUP_1] = {{.operation = OP_ADD}, {.operation = OP_OR}, {.operation = OP_ADC}, {.operation = OP_SBB},
		     {.operation = OP_AND}, {.operation = OP_SUB}, {.operation = OP_XOR}, {.operation = OP_CMP}},
	[GROUP_1A] = {[0] = {.operation = OP_POP}},
	[GROUP_2] = {{.operation = OP_ROL}, {.operation = OP_ROR}, {.operation = OP_RCL}, {.operation = OP_RCR},
		     {.operation = OP_SHL}, {.operation = OP_SHR}, {.operation = OP_SAL}, {.operation = OP_SAR}},
	[GROUP_3] = {[0] = {.operation = OP_TEST, .encoding = ENCODING_MEM_IMM},
		     [1] = {.operation = OP_TEST, .encoding = ENCODING_MEM_IMM},
		     [2] = {.operation = OP_NOT},
		     [3] = {.operation = OP_NEG},
		     [4] = {.operation = OP_MUL, .encoding = ENCODING_ACC_MEM},
		     [5] = {.operation = OP_IMUL, .encoding = ENCODING_ACC_MEM},
		     [6] = {.operation = OP_DIV, .encoding = ENCODING_ACC_MEM},
		     [7] = {.operation = OP_IDIV, .encoding = ENCODING_ACC_MEM}},
	[GROUP_4] = {[0] = {.operation = OP_INC}, [1] = {.operation = OP_DEC}},
	[GROUP_5] = {[0] = {.operation = OP_INC},
		     [1] = {.operation = OP_DEC},
		     [2] = {.operation = OP_CALL, .memory_width = WIDTH_BRANCH},
		     [4] = {.operation = OP_JMP, .memory_width = WIDTH_BRANCH},
		     [5] = {.operation = OP_FAR_JMP, .memory_width = WIDTH_FAR},
		     [6] = {.operation = OP_PUSH, .memory_width = WIDTH_STACK}},
	[GROUP_6] = {[0] = {.operation = OP_SLDT},
		     [1] = {.operation = OP_STR},
		     [2] = {.operation = OP_LLDT},
		     [3] = {.operation = OP_LTR}},
	[GROUP_7] = {[4] = {.operation = OP_SMSW}, [6] = {.operation = OP_LMSW}},
	[GROUP_8] = {[4] = {.operation = OP_BT}, [5] = {.operation = OP_BTS}, [6] = {.operation = OP_BTR},
		     [7] = {.operation = OP_BTC}},
	[GROUP_9] = {[1] = {.operation = OP_CMPXCHG8B}},
	[GROUP_11] = {[0] = {.operation = OP_MOV}},
};
