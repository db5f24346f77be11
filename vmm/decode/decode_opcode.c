/* From the bytes after the legacy prefixes to a row of a table. */
#include "vmm/decode/decoding.h"

#define VEX_2_BYTES 0xc5U
#define VEX_3_BYTES 0xc4U

/* C4h and C5h are LES and LDS outside 64-bit code, unless what follows would be a register operand. SDM Vol. 2A, "The VEX Prefix".
 * */
static bool is_vex(const struct decoding *d, uint8_t byte)
{
	if (byte != VEX_2_BYTES && byte != VEX_3_BYTES)
		return false;
	return d->code_size == CODE_64 || decoding_peek(d) >> 6 == 3;
}

/* False: a prefix that VEX cannot have, or a map that no row is in. */
static bool read_vex(struct decoding *d, uint8_t first)
{
	static const enum mandatory_prefix prefixes[4] = {PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2};
	bool is_allowed = d->rex == 0 && !d->has_operand_prefix && !d->has_lock && d->rep_prefix == 0;
	uint8_t byte = decoding_byte(d);

	d->is_vex = true;
	d->rex = (byte & 0x80) == 0 ? REX_R : 0;
	d->map = MAP_0F;
	if (first == VEX_3_BYTES) {
		d->rex |= ((byte & 0x40) == 0 ? REX_X : 0) | ((byte & 0x20) == 0 ? REX_B : 0);
		d->map = (enum opcode_map)(byte & 0x1f);
		byte = decoding_byte(d);
		d->rex |= (byte & 0x80) != 0 ? REX_W : 0;
	}
	d->vex_register = (byte >> 3 & 0xf) ^ 0xf;
	d->is_vex_256 = (byte & 4) != 0;
	d->prefix = prefixes[byte & 3];
	d->code = decoding_byte(d);
	if (d->code_size != CODE_64) {
		d->rex = 0; /* eight registers only; W does not count for general ones */
		d->vex_register &= 7;
	}
	return is_allowed && d->map >= MAP_0F && d->map <= MAP_0F3A;
}

static void read_maps(struct decoding *d, uint8_t byte)
{
	d->prefix = d->has_operand_prefix ? PREFIX_66 : PREFIX_NONE;
	if (d->rep_prefix != 0)
		d->prefix = d->rep_prefix == 0xf3 ? PREFIX_F3 : PREFIX_F2;
	d->code = byte;
	if (byte != 0x0f)
		return;
	d->map = MAP_0F;
	d->code = decoding_byte(d);
	if (d->code != 0x38 && d->code != 0x3a)
		return;
	d->map = d->code == 0x38 ? MAP_0F38 : MAP_0F3A;
	d->code = decoding_byte(d);
}

/* A row that its prefix makes another. ADCX's 66h is no operand-size prefix. */
static bool find_prefixed(struct decoding *d)
{
	unsigned modrm_reg = decoding_peek(d) >> 3 & 7;
	const struct prefixed_opcode *row = opcodes_find_prefixed(d->map, d->prefix, d->code, d->is_vex, modrm_reg);

	if (row == NULL)
		return false;
	d->opcode = row->opcode;
	if (d->opcode.operation == OP_ADCX)
		d->has_operand_prefix = false;
	return true;
}

static bool find_vector(struct decoding *d)
{
	d->vector = opcodes_find_vector(d->map, d->prefix, d->code);
	if (d->vector == NULL)
		return false;
	if (d->is_vex && ((d->vector->kind & VECTOR_MMX) != 0 || (d->is_vex_256 && (d->vector->kind & VECTOR_PACKED) == 0)))
		return false;
	d->opcode = (struct opcode){.operation = OP_VECTOR, .encoding = ENCODING_REG_MEM};
	return true;
}

static bool find_row(struct decoding *d)
{
	if (d->map != 0 && (find_prefixed(d) || find_vector(d)))
		return !d->is_vex || d->vector != NULL || !d->is_vex_256;
	if (d->is_vex || d->map > MAP_0F)
		return false;
	d->opcode = d->map == MAP_0F ? opcodes_0f[d->code] : opcodes_one_byte[d->code];
	return d->opcode.encoding != ENCODING_INHERITED;
}

static bool is_in_mode(const struct decoding *d)
{
	return d->opcode.modes == MODES_ALL || (d->opcode.modes == MODES_ONLY_64) == (d->code_size == CODE_64);
}

bool decoding_find_opcode(struct decoding *d, uint8_t byte)
{
	if (is_vex(d, byte)) {
		if (!read_vex(d, byte))
			return false;
	} else {
		read_maps(d, byte);
	}
	if (!find_row(d) || !is_in_mode(d))
		return false;
	if (decoding_has_modrm(d))
		d->modrm = decoding_byte(d);
	if (d->opcode.group != GROUP_NONE) {
		const struct opcode *row = &opcode_groups[d->opcode.group][d->modrm >> 3 & 7];

		d->opcode.operation = row->operation;
		if (row->encoding != ENCODING_INHERITED)
			d->opcode.encoding = row->encoding;
		if (row->memory_width != 0)
			d->opcode.memory_width = row->memory_width;
	}
	return d->opcode.operation != OP_UNKNOWN;
}
