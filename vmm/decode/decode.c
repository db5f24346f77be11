/* Decodes one instruction, by the tables of opcodes.c: prefixes, opcode, ModRM and SIB, displacement, immediate.
 * Bytes that are not there read as zero and are noticed at the end, so no step needs an error path for them. */
#include "abi/vcpu.h"
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
	uint8_t rex; /* 0: none */
	bool has_operand_prefix, has_address_prefix, has_lock, has_rep;
	bool has_segment;
	enum segment segment;
	unsigned operand_bytes;
	uint8_t modrm;
	struct opcode opcode;
	struct instruction out;
};

static uint8_t next_byte(struct decoding *d)
{
	if (d->at >= d->count) {
		d->has_ended = true;
		return 0;
	}
	return d->bytes[d->at++];
}

/* width_bytes: 1, 2, 4 or 8. */
static uint64_t next_signed(struct decoding *d, unsigned width_bytes)
{
	uint64_t value = 0;
	uint64_t sign = 1ULL << (8 * width_bytes - 1);

	for (unsigned i = 0; i < width_bytes; i++)
		value |= (uint64_t)next_byte(d) << (8 * i);
	return (value ^ sign) - sign;
}

static void set_segment(struct decoding *d, enum segment segment)
{
	/* 64-bit mode ignores the other four (SDM Vol. 2A, "Segment Override Prefixes" in 64-bit mode). */
	if (d->code_size == CODE_64 && segment != SEGMENT_FS && segment != SEGMENT_GS)
		return;
	d->has_segment = true;
	d->segment = segment;
}

/* Takes byte as a legacy prefix. False: it is none. */
static bool take_prefix(struct decoding *d, uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		set_segment(d, (enum segment)(byte >> 3 & 3));
		return true;
	case 0x64:
	case 0x65:
		set_segment(d, byte == 0x64 ? SEGMENT_FS : SEGMENT_GS);
		return true;
	case 0x66:
		d->has_operand_prefix = true;
		return true;
	case 0x67:
		d->has_address_prefix = true;
		return true;
	case 0xf0:
		d->has_lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		d->has_rep = true;
		return true;
	default:
		return false;
	}
}

/* Reads prefixes and returns the first opcode byte. A REX that does not stand right before the opcode counts for nothing. */
static uint8_t read_prefixes(struct decoding *d)
{
	for (;;) {
		uint8_t byte = next_byte(d);

		if (d->code_size == CODE_64 && (byte & 0xf0) == 0x40)
			d->rex = byte;
		else if (take_prefix(d, byte))
			d->rex = 0;
		else
			return byte; /* also where the bytes end */
	}
}

static void set_sizes(struct decoding *d)
{
	bool is_16_bit = d->code_size == CODE_16;

	d->operand_bytes = is_16_bit != d->has_operand_prefix ? 2 : 4;
	if ((d->rex & REX_W) != 0)
		d->operand_bytes = 8;
	d->out.address_bytes = (uint8_t)d->code_size;
	if (d->has_address_prefix)
		d->out.address_bytes = d->code_size == CODE_32 ? 2 : 4;
}

static uint8_t width_bytes(const struct decoding *d, uint8_t width)
{
	switch ((enum opcode_width)width) {
	case WIDTH_8:
		return 1;
	case WIDTH_16:
		return 2;
	case WIDTH_32: /* MOVSXD with an operand-size prefix reads 16 bits */
		return d->operand_bytes == 2 ? 2 : 4;
	case WIDTH_OPERAND:
		return (uint8_t)d->operand_bytes;
	}
	return 0;
}

static bool has_modrm(const struct opcode *opcode)
{
	return opcode->encoding != ENCODING_ACC_MOFFS && opcode->encoding != ENCODING_MOFFS_ACC &&
	       opcode->encoding != ENCODING_STRING_ACC;
}

/* Finds the row of the opcode that starts with byte, through its group, and reads ModRM where it has one. */
static bool find_opcode(struct decoding *d, uint8_t byte)
{
	d->opcode = byte == 0x0f ? opcodes_0f[next_byte(d)] : opcodes_one_byte[byte];
	if (d->opcode.encoding == ENCODING_INHERITED || (d->opcode.only_in_64_bit != 0 && d->code_size != CODE_64))
		return false;
	if (has_modrm(&d->opcode))
		d->modrm = next_byte(d);
	if (d->opcode.group != GROUP_NONE) {
		const struct opcode *row = &opcode_groups[d->opcode.group][d->modrm >> 3 & 7];

		d->opcode.operation = row->operation;
		if (row->encoding != ENCODING_INHERITED)
			d->opcode.encoding = row->encoding;
	}
	return d->opcode.operation != OP_UNKNOWN;
}

/* SDM Vol. 2A, "16-Bit Addressing Forms with the ModR/M Byte". */
static void read_memory_16(struct decoding *d, struct memory_operand *memory)
{
	static const uint8_t bases[8] = {GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP, GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX};
	static const uint8_t indexes[8] = {GPR_RSI, GPR_RDI, GPR_RSI, GPR_RDI, REGISTER_NONE, REGISTER_NONE,
					   REGISTER_NONE, REGISTER_NONE};
	unsigned mod = d->modrm >> 6;
	unsigned rm = d->modrm & 7;

	memory->base = bases[rm];
	memory->index = indexes[rm];
	if (mod == 0 && rm == 6) {
		memory->base = REGISTER_NONE;
		memory->displacement = next_signed(d, 2);
	} else if (mod != 0) {
		memory->displacement = next_signed(d, mod == 1 ? 1 : 2);
	}
	memory->segment = memory->base == GPR_RBP ? SEGMENT_SS : SEGMENT_DS;
}

/* SDM Vol. 2A, "32-Bit Addressing Forms with the ModR/M Byte", "... with the SIB Byte"; "RIP-Relative Addressing". */
static void read_memory_32(struct decoding *d, struct memory_operand *memory)
{
	unsigned mod = d->modrm >> 6;
	unsigned rm = d->modrm & 7;
	unsigned rex_b = (d->rex & REX_B) != 0 ? 8 : 0;

	if (rm == 4) {
		uint8_t sib = next_byte(d);
		unsigned index = (sib >> 3 & 7U) | ((d->rex & REX_X) != 0 ? 8U : 0U);

		rm = sib & 7;
		memory->scale_shift = sib >> 6;
		if (index != GPR_RSP)
			memory->index = (uint8_t)index;
	} else if (mod == 0 && rm == 5) {
		memory->is_rip_relative = d->code_size == CODE_64;
	}
	if (mod == 0 && rm == 5) {
		memory->displacement = next_signed(d, 4);
		return;
	}
	memory->base = (uint8_t)(rm | rex_b);
	if (mod != 0)
		memory->displacement = next_signed(d, mod == 1 ? 1 : 4);
	if (memory->base == GPR_RSP || memory->base == GPR_RBP)
		memory->segment = SEGMENT_SS;
}

static void read_memory(struct decoding *d)
{
	struct memory_operand *memory = &d->out.memory;

	*memory = (struct memory_operand){.segment = SEGMENT_DS, .base = REGISTER_NONE, .index = REGISTER_NONE};
	if (d->opcode.encoding == ENCODING_STRING_ACC) {
		memory->base = GPR_RDI;
		memory->segment = SEGMENT_ES; /* no prefix changes it */
		return;
	}
	d->out.has_memory = !has_modrm(&d->opcode) || d->modrm >> 6 != 3;
	if (!d->out.has_memory)
		return;
	if (!has_modrm(&d->opcode))
		memory->displacement = next_signed(d, d->out.address_bytes);
	else if (d->out.address_bytes == 2)
		read_memory_16(d, memory);
	else
		read_memory_32(d, memory);
	if (d->has_segment)
		memory->segment = d->segment;
}

static void read_register(struct decoding *d)
{
	struct instruction *out = &d->out;

	if (!has_modrm(&d->opcode)) {
		out->register_number = GPR_RAX;
		return;
	}
	out->register_number = (uint8_t)((d->modrm >> 3 & 7U) | ((d->rex & REX_R) != 0 ? 8U : 0U));
	if (out->register_bytes == 1 && d->rex == 0 && out->register_number >= 4) {
		out->register_number = (uint8_t)(out->register_number - 4);
		out->register_is_high = true;
	}
}

static void read_operands(struct decoding *d)
{
	struct instruction *out = &d->out;

	read_memory(d);
	switch ((enum encoding)d->opcode.encoding) {
	case ENCODING_MEM_REG:
	case ENCODING_MOFFS_ACC:
	case ENCODING_STRING_ACC:
		out->form = FORM_MEMORY_REGISTER;
		read_register(d);
		break;
	case ENCODING_REG_MEM:
	case ENCODING_ACC_MOFFS:
		out->form = FORM_REGISTER_MEMORY;
		read_register(d);
		break;
	case ENCODING_MEM_IMM:
		out->form = FORM_MEMORY_IMMEDIATE;
		out->immediate = next_signed(d, out->memory_bytes == 8 ? 4 : out->memory_bytes);
		break;
	case ENCODING_MEM_IMM8:
		out->form = FORM_MEMORY_IMMEDIATE;
		out->immediate = next_signed(d, 1);
		break;
	case ENCODING_MEM:
	case ENCODING_INHERITED:
		out->form = FORM_MEMORY;
		break;
	}
}

enum status decode_instruction(const uint8_t *bytes, size_t count, enum code_size code_size, struct instruction *out)
{
	struct decoding d = {
		.bytes = bytes,
		.count = count < INSTRUCTION_BYTES_MAX ? count : INSTRUCTION_BYTES_MAX,
		.code_size = code_size,
		.out = {.code_size = code_size, .has_memory = true},
	};
	enum status when_ended = count < INSTRUCTION_BYTES_MAX ? ERR_TRUNCATED : ERR_INVALID;
	bool is_known = find_opcode(&d, read_prefixes(&d));

	if (d.has_ended)
		return when_ended;
	if (!is_known)
		return ERR_UNSUPPORTED;
	set_sizes(&d);
	d.out.operation = (enum operation)d.opcode.operation;
	d.out.memory_bytes = width_bytes(&d, d.opcode.memory_width);
	d.out.register_bytes = width_bytes(&d, d.opcode.register_width);
	read_operands(&d);
	if (d.has_ended)
		return when_ended;
	d.out.length_bytes = (uint8_t)d.at;
	d.out.is_locked = d.has_lock;
	d.out.is_repeated = d.has_rep && d.out.operation == OP_STOS;
	if (d.has_lock && !(d.out.has_memory && instruction_reads_memory(&d.out) && instruction_writes_memory(&d.out)))
		return ERR_INVALID;
	*out = d.out;
	return OK;
}

bool instruction_reads_memory(const struct instruction *instruction)
{
	return instruction->form == FORM_REGISTER_MEMORY ||
	       (instruction->operation != OP_MOV && instruction->operation != OP_STOS);
}

bool instruction_writes_memory(const struct instruction *instruction)
{
	return instruction->form != FORM_REGISTER_MEMORY && instruction->operation != OP_TEST &&
	       instruction->operation != OP_CMP && instruction->operation != OP_BT;
}
