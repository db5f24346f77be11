/* Inside the decoder: where it stands in the bytes, and what it has found. */
#pragma once
#include "vmm/decode/instruction.h"
#include "vmm/decode/opcodes.h"

#define REX_W 0x8U
#define REX_R 0x4U
#define REX_X 0x2U
#define REX_B 0x1U

struct decoding {
	const uint8_t *bytes;
	size_t count;
	size_t at;
	bool has_ended; /* something beyond count was wanted */
	enum code_size code_size;
	uint8_t rex; /* 0: none; of VEX the same bits */
	bool has_operand_prefix, has_address_prefix, has_lock;
	uint8_t rep_prefix; /* the last one, or 0 */
	bool has_segment;
	enum segment segment;
	unsigned operand_bytes;
	bool is_vex, is_vex_256;
	uint8_t vex_register; /* vvvv */
	enum opcode_map map;  /* 0: one byte */
	enum mandatory_prefix prefix;
	uint8_t code;         /* the last byte of the opcode */
	uint8_t modrm;
	struct opcode opcode;
	const struct vector_opcode *vector; /* or NULL */
	struct instruction out;
};

/* The next byte; 0 where there is none. */
static inline uint8_t decoding_byte(struct decoding *d)
{
	if (d->at >= d->count) {
		d->has_ended = true;
		return 0;
	}
	return d->bytes[d->at++];
}

/* The one after, without taking it. */
static inline uint8_t decoding_peek(const struct decoding *d)
{
	return d->at < d->count ? d->bytes[d->at] : 0;
}

/* Finds the row of the opcode that starts with byte, through VEX, maps, prefixes and groups, and reads ModRM where it has one.
 * False: there is none. */
bool decoding_find_opcode(struct decoding *d, uint8_t byte);
static inline bool decoding_has_modrm(const struct decoding *d)
{
	return d->vector != NULL || d->opcode.encoding < ENCODING_FIRST_WITHOUT_MODRM;
}

/* A number of 1, 2, 4 or 8 bytes, sign-extended. */
uint64_t decoding_signed(struct decoding *d, unsigned width_bytes);

/* The place of the memory operand, where there is one. out's widths are set. */
void decoding_read_memory(struct decoding *d);
