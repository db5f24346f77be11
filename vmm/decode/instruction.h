/* A decoded instruction that accesses memory, and its decoder. Pure: bytes in, struct out; registers, translation and
 * effects are vmm/decode/emulate.h's.
 * Source: SDM Vol. 2A, "Instruction Format"; Vol. 2D, "Opcode Map". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define INSTRUCTION_BYTES_MAX 15U
#define REGISTER_NONE         0xffU

/* The value is the default address size in bytes. */
enum code_size { CODE_16 = 2, CODE_32 = 4, CODE_64 = 8 };

enum operation {
	OP_UNKNOWN, /* zero: what a table does not list */
	OP_MOV,     /* and MOVNTI */
	OP_MOVSX,   /* and MOVSXD; MOVZX is OP_MOV with a wider register */
	OP_STOS,
	OP_TEST,
	OP_CMP,
	OP_ADD,
	OP_ADC,
	OP_SUB,
	OP_SBB,
	OP_AND,
	OP_OR,
	OP_XOR,
	OP_NOT,
	OP_NEG,
	OP_INC,
	OP_DEC,
	OP_BT,
	OP_BTS,
	OP_BTR,
	OP_BTC,
	OP_XCHG,
	OP_XADD,
	OP_CMPXCHG,
	/* From here on: vmm/decode/integer.h. In the order of ModRM.reg: */
	OP_ROL,
	OP_ROR,
	OP_RCL,
	OP_RCR,
	OP_SHL,
	OP_SHR,
	OP_SAL,
	OP_SAR,
	OP_SHLD,
	OP_SHRD,
	OP_MUL,
	OP_IMUL,          /* rDX:rAX */
	OP_DIV,
	OP_IDIV,
	OP_IMUL_REGISTER, /* one register, from it or an immediate */
	OP_BSF,
	OP_BSR,
	OP_TZCNT,
	OP_LZCNT,
	OP_POPCNT,
	OP_SETCC,
	OP_CMOVCC,
	OP_MOVBE,
	OP_CRC32,
	OP_ADCX,
	OP_ADOX,
	OP_ANDN,
	OP_BLSR,
	OP_BLSMSK,
	OP_BLSI,
	OP_BZHI,
	OP_BEXTR,
	OP_SHLX,
	OP_SARX,
	OP_SHRX,
	OP_RORX,
	OP_MULX,
	OP_PDEP,
	OP_PEXT,
	/* From here on: vmm/decode/execute.h only; several operands, or more than 8 bytes, or a register that is no general one. */
	OP_MOVS,
	OP_CMPS,
	OP_LODS,
	OP_SCAS,
	OP_XLAT,
	OP_CMPXCHG8B, /* and CMPXCHG16B */
	OP_PUSH,
	OP_PUSHF,
	OP_POPF,
	OP_POP,
	OP_CALL,
	OP_JMP,
	OP_RET,
	OP_ENTER,
	OP_LEAVE,
	OP_MOV_FROM_SEGMENT, /* and PUSH of one */
	OP_MOV_TO_SEGMENT,
	OP_LOAD_FAR_POINTER, /* LES, LDS, LSS, LFS, LGS */
	OP_FAR_JMP,
	OP_SMSW,
	OP_LMSW,
	OP_SLDT,
	OP_STR,
	OP_LLDT,
	OP_LTR,
	OP_VECTOR,
	OPERATION_COUNT
};
#define OP_FIRST_INTEGER OP_ROL
#define OP_FIRST_GENERAL OP_MOVS

/* First the destination, then the source. */
enum operand_form {
	FORM_MEMORY_REGISTER,
	FORM_REGISTER_MEMORY,
	FORM_MEMORY_IMMEDIATE,
	FORM_MEMORY,
	FORM_REGISTER,  /* PUSH, POP: no operand but the stack */
	FORM_IMMEDIATE, /* PUSH, CALL, RET, ENTER: the same */
};

/* REP counts as REPE. */
enum repeat { REPEAT_NONE, REPEAT_EQUAL, REPEAT_NOT_EQUAL };

/* In the order of the sreg field. */
enum segment { SEGMENT_ES, SEGMENT_CS, SEGMENT_SS, SEGMENT_DS, SEGMENT_FS, SEGMENT_GS };

/* Effective address: base + (index << scale_shift) + displacement, cut to the instruction's address size. */
struct memory_operand {
	enum segment segment;
	uint8_t base;        /* enum gpr or REGISTER_NONE */
	uint8_t index;       /* enum gpr or REGISTER_NONE */
	uint8_t scale_shift; /* 0 .. 3 */
	bool is_rip_relative; /* to the next instruction; base and index are then REGISTER_NONE */
	uint64_t displacement; /* sign-extended */
};

/* OP_VECTOR: a move between memory and a vector register. */
struct vector_operand {
	bool is_store;
	bool is_mmx;          /* else XMM or, with more than 16 bytes, YMM */
	bool is_vex;          /* VEX encoded: loads clear what lies above the register */
	bool must_be_aligned;
	uint8_t first_byte;   /* in the register: 8 for the upper half */
	bool keeps_rest;      /* a load changes no byte but those of the operand; else the rest of 16 becomes 0 */
};

struct instruction {
	enum operation operation;
	enum operand_form form;
	enum code_size code_size;
	uint8_t length_bytes;   /* 1 .. 15 */
	uint8_t address_bytes;  /* 2, 4, 8 */
	uint8_t memory_bytes;   /* width of the memory operand: 1, 2, 4, 8; from OP_FIRST_GENERAL on up to 32; of stack
				 * operations a slot's */
	uint8_t register_bytes; /* width of the register operand */
	uint8_t register_number; /* enum gpr, enum segment or the number of a vector register; forms with a register */
	uint8_t other_register; /* enum gpr, or a vector register: VEX.vvvv */
	bool register_is_high;  /* bits 15:8 of that register: AH, CH, DH, BH */
	bool has_memory;        /* false: the operand named by memory is a register after all (ModRM.mod = 3) */
	uint8_t rm_register;    /* then: enum gpr */
	bool is_locked;
	bool is_repeated;       /* REP before a string instruction */
	enum repeat repeat;     /* the same, which */
	uint8_t condition;      /* SETcc, CMOVcc: the low 4 bits of the opcode */
	bool has_immediate;     /* IMUL, shifts: else the other source is a register */
	struct vector_operand vector;
	struct memory_operand memory; /* of MOVS, CMPS, LODS the source */
	uint64_t immediate;     /* sign-extended; ENTER: size, and the level from bit 16 on */
};

/* Decodes the instruction at bytes[0]; looks at no more than 15 bytes.
 * Errors: ERR_TRUNCATED (needs more than count bytes; count < 15), ERR_UNSUPPORTED (not in the tables),
 * ERR_INVALID (longer than 15 bytes, or LOCK where it is not allowed: a CPU raises #GP or #UD).
 * *out is written only on OK. Context: any; pure. */
MUST_CHECK enum status decode_instruction(const uint8_t *bytes, size_t count, enum code_size code_size,
					  struct instruction *out);

/* Does the operation read and does it write its memory operand? Source and destination as the form says. */
bool instruction_reads_memory(const struct instruction *instruction);
bool instruction_writes_memory(const struct instruction *instruction);
