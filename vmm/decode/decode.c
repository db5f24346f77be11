/* Decodes one instruction, by the tables of opcodes.h: prefixes, opcode, ModRM and SIB, displacement, immediate.
 * Bytes that are not there read as zero and are noticed at the end, so no step needs an error path for them. */
#include "abi/vcpu.h"
#include "vmm/decode/decoding.h"

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
		d->rep_prefix = byte;
		return true;
	default:
		return false;
	}
}

/* Reads prefixes and returns the first opcode byte. A REX that does not stand right before the opcode counts for nothing. */
static uint8_t read_prefixes(struct decoding *d)
{
	for (;;) {
		uint8_t byte = decoding_byte(d);

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
		return d->operand_bytes == 2 && d->opcode.operation == OP_MOVSX ? 2 : 4;
	case WIDTH_OPERAND:
		return (uint8_t)d->operand_bytes;
	case WIDTH_STACK:
		if (d->code_size != CODE_64)
			return (uint8_t)d->operand_bytes;
		return d->has_operand_prefix && (d->rex & REX_W) == 0 ? 2 : 8;
	case WIDTH_BRANCH:
		return (uint8_t)(d->code_size != CODE_64 ? d->operand_bytes : 8);
	case WIDTH_FAR:
		return (uint8_t)(d->operand_bytes + 2);
	case WIDTH_PAIR:
		return d->operand_bytes == 8 ? 16 : 8;
	}
	return 0;
}

static void read_register(struct decoding *d)
{
	struct instruction *out = &d->out;

	if (out->form == FORM_MEMORY || out->form == FORM_MEMORY_IMMEDIATE || out->form == FORM_IMMEDIATE)
		return;
	if (d->opcode.encoding == ENCODING_OPCODE_REG) {
		out->register_number = (uint8_t)((d->code & 7U) | ((d->rex & REX_B) != 0 ? 8U : 0U));
		return;
	}
	if (!decoding_has_modrm(d) || d->opcode.encoding == ENCODING_ACC_MEM) {
		out->register_number = GPR_RAX;
		return;
	}
	out->register_number = (uint8_t)(d->modrm >> 3 & 7U);
	if (d->opcode.encoding == ENCODING_SEG_MEM || d->opcode.encoding == ENCODING_MEM_SEG)
		return;
	out->register_number |= (d->rex & REX_R) != 0 ? 8U : 0U;
	if (out->register_bytes == 1 && d->rex == 0 && out->register_number >= 4) {
		out->register_number = (uint8_t)(out->register_number - 4);
		out->register_is_high = true;
	}
}

static void read_immediate(struct decoding *d, unsigned bytes)
{
	d->out.has_immediate = true;
	d->out.immediate = decoding_signed(d, bytes);
}

static enum operand_form form_of(enum encoding encoding)
{
	switch (encoding) {
	case ENCODING_MEM_REG:
	case ENCODING_MEM_REG_IMM8:
	case ENCODING_MOFFS_ACC:
	case ENCODING_STRING_ACC:
	case ENCODING_MEM_SEG:
		return FORM_MEMORY_REGISTER;
	case ENCODING_REG_MEM:
	case ENCODING_REG_MEM_IMM:
	case ENCODING_REG_MEM_IMM8:
	case ENCODING_ACC_MEM:
	case ENCODING_SEG_MEM:
	case ENCODING_ACC_MOFFS:
	case ENCODING_STRING:
	case ENCODING_TABLE:
		return FORM_REGISTER_MEMORY;
	case ENCODING_MEM_IMM:
	case ENCODING_MEM_IMM8:
	case ENCODING_MEM_ONE:
		return FORM_MEMORY_IMMEDIATE;
	case ENCODING_MEM:
	case ENCODING_INHERITED:
		return FORM_MEMORY;
	case ENCODING_OPCODE_REG:
	case ENCODING_NONE:
		return FORM_REGISTER;
	case ENCODING_IMM:
	case ENCODING_IMM8:
	case ENCODING_IMM16:
	case ENCODING_ENTER:
		return FORM_IMMEDIATE;
	}
	return FORM_MEMORY;
}

/* After the memory operand's bytes. */
static void read_immediates(struct decoding *d)
{
	unsigned operand = d->out.memory_bytes;

	switch (d->opcode.encoding) {
	case ENCODING_MEM_IMM:
	case ENCODING_REG_MEM_IMM:
	case ENCODING_IMM:
		read_immediate(d, operand == 8 ? 4 : operand);
		break;
	case ENCODING_MEM_IMM8:
	case ENCODING_MEM_REG_IMM8:
	case ENCODING_REG_MEM_IMM8:
	case ENCODING_IMM8:
		read_immediate(d, 1);
		break;
	case ENCODING_IMM16:
		read_immediate(d, 2);
		d->out.immediate &= 0xffff;
		break;
	case ENCODING_ENTER:
		read_immediate(d, 2);
		d->out.immediate &= 0xffff;
		d->out.immediate |= (uint64_t)decoding_byte(d) << 16;
		break;
	case ENCODING_MEM_ONE:
		d->out.has_immediate = true;
		d->out.immediate = 1;
		break;
	default:
		break;
	}
}

/* The row of vectors[] as widths and a struct vector_operand. */
static void set_vector(struct decoding *d)
{
	unsigned kind = d->vector->kind;
	struct instruction *out = &d->out;

	out->memory_bytes = d->vector->bytes;
	if ((kind & VECTOR_WIDE) != 0 && (d->rex & REX_W) != 0)
		out->memory_bytes = 8;
	if (d->is_vex_256)
		out->memory_bytes = 32;
	out->register_bytes = out->memory_bytes;
	out->vector = (struct vector_operand){
		.is_store = (kind & VECTOR_STORE) != 0,
		.is_mmx = (kind & VECTOR_MMX) != 0,
		.is_vex = d->is_vex,
		.must_be_aligned = (kind & VECTOR_ALIGNED) != 0,
		.first_byte = (kind & VECTOR_UPPER) != 0 ? 8 : 0,
		.keeps_rest = (kind & VECTOR_KEEPS) != 0,
	};
}

static void read_operands(struct decoding *d)
{
	struct instruction *out = &d->out;

	out->memory_bytes = width_bytes(d, d->opcode.memory_width);
	out->register_bytes = width_bytes(d, d->opcode.register_width);
	if (d->vector != NULL)
		set_vector(d);
	out->form = form_of((enum encoding)d->opcode.encoding);
	decoding_read_memory(d);
	read_register(d);
	read_immediates(d);
	out->condition = d->code & 0xf;
	out->other_register = d->vex_register;
	if (out->operation == OP_VECTOR && out->vector.is_mmx)
		out->register_number &= 7;
	if (out->operation == OP_BLSR || out->operation == OP_BLSMSK || out->operation == OP_BLSI)
		out->register_number = d->vex_register;
	if (out->operation == OP_LOAD_FAR_POINTER) /* B2h, B4h, B5h; C4h, C5h */
		out->other_register = d->map == 0 ? (d->code == 0xc4 ? SEGMENT_ES : SEGMENT_DS) : d->code & 7;
}

/* SDM Vol. 2A, "LOCK-Assert LOCK# Signal Prefix". */
static bool is_lockable(const struct instruction *instruction)
{
	enum operation operation = instruction->operation;

	if (!instruction->has_memory || instruction->form == FORM_REGISTER_MEMORY)
		return false;
	return (operation >= OP_ADD && operation <= OP_CMPXCHG && operation != OP_BT) || operation == OP_CMPXCHG8B;
}

static void set_repeat(struct decoding *d)
{
	enum operation operation = d->out.operation;
	bool is_string = operation == OP_STOS || operation == OP_MOVS || operation == OP_CMPS || operation == OP_LODS ||
			 operation == OP_SCAS;

	if (!is_string || d->rep_prefix == 0)
		return;
	d->out.is_repeated = true;
	d->out.repeat = d->rep_prefix == 0xf2 ? REPEAT_NOT_EQUAL : REPEAT_EQUAL;
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
	bool is_known = decoding_find_opcode(&d, read_prefixes(&d));

	if (d.has_ended)
		return when_ended;
	if (!is_known)
		return ERR_UNSUPPORTED;
	set_sizes(&d);
	d.out.operation = (enum operation)d.opcode.operation;
	read_operands(&d);
	if (d.has_ended)
		return when_ended;
	d.out.length_bytes = (uint8_t)d.at;
	d.out.is_locked = d.has_lock;
	set_repeat(&d);
	if (d.has_lock && !is_lockable(&d.out))
		return ERR_INVALID;
	*out = d.out;
	return OK;
}

/* A store of what is in registers. */
static bool is_store(const struct instruction *instruction)
{
	enum operation operation = instruction->operation;

	return operation == OP_MOV || operation == OP_STOS || operation == OP_SETCC || operation == OP_MOVBE;
}

bool instruction_reads_memory(const struct instruction *instruction)
{
	return instruction->form == FORM_REGISTER_MEMORY || !is_store(instruction);
}

/* Of those from OP_FIRST_GENERAL on; MOVS writes another one than its own. */
static bool general_writes_memory(const struct instruction *instruction)
{
	switch ((unsigned)instruction->operation) {
	case OP_CMPXCHG8B:
	case OP_POP:
	case OP_MOV_FROM_SEGMENT:
	case OP_SMSW:
	case OP_SLDT:
	case OP_STR:
		return true;
	case OP_VECTOR:
		return instruction->vector.is_store;
	default:
		return false;
	}
}

bool instruction_writes_memory(const struct instruction *instruction)
{
	if (instruction->operation >= OP_FIRST_GENERAL)
		return general_writes_memory(instruction);
	return instruction->form != FORM_REGISTER_MEMORY && instruction->operation != OP_TEST &&
	       instruction->operation != OP_CMP && instruction->operation != OP_BT;
}
