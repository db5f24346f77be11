/* ModRM, SIB and displacement, and operands that an opcode implies. */
#include "abi/vcpu.h"
#include "vmm/decode/decoding.h"

uint64_t decoding_signed(struct decoding *d, unsigned width_bytes)
{
	uint64_t value = 0;
	uint64_t sign = 1ULL << (8 * width_bytes - 1);

	for (unsigned i = 0; i < width_bytes; i++)
		value |= (uint64_t)decoding_byte(d) << (8 * i);
	return (value ^ sign) - sign;
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
		memory->displacement = decoding_signed(d, 2);
	} else if (mod != 0) {
		memory->displacement = decoding_signed(d, mod == 1 ? 1 : 2);
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
		uint8_t sib = decoding_byte(d);
		unsigned index = (sib >> 3 & 7U) | ((d->rex & REX_X) != 0 ? 8U : 0U);

		rm = sib & 7;
		memory->scale_shift = sib >> 6;
		if (index != GPR_RSP)
			memory->index = (uint8_t)index;
	} else if (mod == 0 && rm == 5) {
		memory->is_rip_relative = d->code_size == CODE_64;
	}
	if (mod == 0 && rm == 5) {
		memory->displacement = decoding_signed(d, 4);
		return;
	}
	memory->base = (uint8_t)(rm | rex_b);
	if (mod != 0)
		memory->displacement = decoding_signed(d, mod == 1 ? 1 : 4);
	if (memory->base == GPR_RSP || memory->base == GPR_RBP)
		memory->segment = SEGMENT_SS;
}

/* Of strings and XLAT. */
static void read_implied_memory(struct decoding *d, struct memory_operand *memory)
{
	switch (d->opcode.encoding) {
	case ENCODING_STRING_ACC:
		memory->base = GPR_RDI;
		memory->segment = SEGMENT_ES; /* no prefix changes it */
		d->has_segment = false;
		break;
	case ENCODING_STRING:
		memory->base = GPR_RSI;
		break;
	case ENCODING_TABLE:
		memory->base = GPR_RBX;
		break;
	default:
		memory->displacement = decoding_signed(d, d->out.address_bytes);
		break;
	}
}

void decoding_read_memory(struct decoding *d)
{
	struct memory_operand *memory = &d->out.memory;

	*memory = (struct memory_operand){.segment = SEGMENT_DS, .base = REGISTER_NONE, .index = REGISTER_NONE};
	d->out.has_memory = decoding_has_modrm(d) ? d->modrm >> 6 != 3 : d->opcode.encoding < ENCODING_FIRST_WITHOUT_MEMORY;
	d->out.rm_register = (uint8_t)((d->modrm & 7U) | ((d->rex & REX_B) != 0 ? 8U : 0U));
	if (!d->out.has_memory)
		return;
	if (!decoding_has_modrm(d))
		read_implied_memory(d, memory);
	else if (d->out.address_bytes == 2)
		read_memory_16(d, memory);
	else
		read_memory_32(d, memory);
	if (d->has_segment)
		memory->segment = d->segment;
}
