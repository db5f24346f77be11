/* A decoded instruction with a memory operand, and its decoder. Pure: bytes in, struct out; registers, translation and
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
	OP_MOV,
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
	OPERATION_COUNT
};

/* First the destination, then the source. */
enum operand_form { FORM_MEMORY_REGISTER, FORM_REGISTER_MEMORY, FORM_MEMORY_IMMEDIATE, FORM_MEMORY };

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

struct instruction {
	enum operation operation;
	enum operand_form form;
	enum code_size code_size;
	uint8_t length_bytes;   /* 1 .. 15 */
	uint8_t address_bytes;  /* 2, 4, 8 */
	uint8_t memory_bytes;   /* width of the memory operand: 1, 2, 4, 8 */
	uint8_t register_bytes; /* width of the register operand */
	uint8_t register_number; /* enum gpr; forms with a register */
	bool register_is_high;  /* bits 15:8 of that register: AH, CH, DH, BH */
	bool has_memory;        /* false: the operand named by memory is a register after all (ModRM.mod = 3) */
	bool is_locked;
	bool is_repeated;       /* REP before a string instruction */
	struct memory_operand memory;
	uint64_t immediate;     /* sign-extended */
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
