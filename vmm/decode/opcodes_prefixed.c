/* Opcodes of which 66h, F2h, F3h or VEX is a part. Source: SDM Vol. 2D, "One, Two, and Three-Byte Opcode Maps"; Vol. 2A, "The VEX
 * Prefix". Moves of vector registers are all that is here of SSE and AVX: others with an operand in device memory do not occur. */
#include <stddef.h>

#include "vmm/decode/opcodes.h"

#define REG_MEM(op)                                                                                                     \
	{.operation = op, .encoding = ENCODING_REG_MEM, .memory_width = WIDTH_OPERAND, .register_width = WIDTH_OPERAND}
#define MEM_REG(op)                                                                                                     \
	{.operation = op, .encoding = ENCODING_MEM_REG, .memory_width = WIDTH_OPERAND, .register_width = WIDTH_OPERAND}

static const struct prefixed_opcode prefixed[] = {
	{MAP_0F, PREFIX_F3, 0xb8, false, REG_MEM(OP_POPCNT), REG_ANY},
	{MAP_0F, PREFIX_F3, 0xbc, false, REG_MEM(OP_TZCNT), REG_ANY},
	{MAP_0F, PREFIX_F3, 0xbd, false, REG_MEM(OP_LZCNT), REG_ANY},
	{MAP_0F, PREFIX_NONE, 0xc3, false, MEM_REG(OP_MOV), REG_ANY}, /* MOVNTI */
	{MAP_0F38, PREFIX_F2, 0xf0, false, {OP_CRC32, ENCODING_REG_MEM, WIDTH_8, WIDTH_32, GROUP_NONE, MODES_ALL}, REG_ANY},
	{MAP_0F38, PREFIX_F2, 0xf1, false, {OP_CRC32, ENCODING_REG_MEM, WIDTH_OPERAND, WIDTH_32, GROUP_NONE, MODES_ALL}, REG_ANY},
	{MAP_0F38, PREFIX_NONE, 0xf0, false, REG_MEM(OP_MOVBE), REG_ANY},
	{MAP_0F38, PREFIX_NONE, 0xf1, false, MEM_REG(OP_MOVBE), REG_ANY},
	{MAP_0F38, PREFIX_66, 0xf0, false, REG_MEM(OP_MOVBE), REG_ANY},
	{MAP_0F38, PREFIX_66, 0xf1, false, MEM_REG(OP_MOVBE), REG_ANY},
	{MAP_0F38, PREFIX_66, 0xf6, false, REG_MEM(OP_ADCX), REG_ANY},
	{MAP_0F38, PREFIX_F3, 0xf6, false, REG_MEM(OP_ADOX), REG_ANY},
	{MAP_0F38, PREFIX_NONE, 0xf2, true, REG_MEM(OP_ANDN), REG_ANY},
	{MAP_0F38, PREFIX_NONE, 0xf3, true, REG_MEM(OP_BLSR), 1},
	{MAP_0F38, PREFIX_NONE, 0xf3, true, REG_MEM(OP_BLSMSK), 2},
	{MAP_0F38, PREFIX_NONE, 0xf3, true, REG_MEM(OP_BLSI), 3},
	{MAP_0F38, PREFIX_NONE, 0xf5, true, REG_MEM(OP_BZHI), REG_ANY},
	{MAP_0F38, PREFIX_F3, 0xf5, true, REG_MEM(OP_PEXT), REG_ANY},
	{MAP_0F38, PREFIX_F2, 0xf5, true, REG_MEM(OP_PDEP), REG_ANY},
	{MAP_0F38, PREFIX_F2, 0xf6, true, REG_MEM(OP_MULX), REG_ANY},
	{MAP_0F38, PREFIX_NONE, 0xf7, true, REG_MEM(OP_BEXTR), REG_ANY},
	{MAP_0F38, PREFIX_66, 0xf7, true, REG_MEM(OP_SHLX), REG_ANY},
	{MAP_0F38, PREFIX_F3, 0xf7, true, REG_MEM(OP_SARX), REG_ANY},
	{MAP_0F38, PREFIX_F2, 0xf7, true, REG_MEM(OP_SHRX), REG_ANY},
	{MAP_0F3A, PREFIX_F2, 0xf0, true,
	 {OP_RORX, ENCODING_REG_MEM_IMM8, WIDTH_OPERAND, WIDTH_OPERAND, GROUP_NONE, MODES_ALL}, REG_ANY},
};

static const struct vector_opcode vectors[] = {
	{MAP_0F, PREFIX_NONE, 0x10, 16, VECTOR_PACKED},                               /* MOVUPS */
	{MAP_0F, PREFIX_NONE, 0x11, 16, VECTOR_PACKED | VECTOR_STORE},
	{MAP_0F, PREFIX_66, 0x10, 16, VECTOR_PACKED},                                 /* MOVUPD */
	{MAP_0F, PREFIX_66, 0x11, 16, VECTOR_PACKED | VECTOR_STORE},
	{MAP_0F, PREFIX_F3, 0x10, 4, 0},                                              /* MOVSS */
	{MAP_0F, PREFIX_F3, 0x11, 4, VECTOR_STORE},
	{MAP_0F, PREFIX_F2, 0x10, 8, 0},                                              /* MOVSD */
	{MAP_0F, PREFIX_F2, 0x11, 8, VECTOR_STORE},
	{MAP_0F, PREFIX_NONE, 0x12, 8, VECTOR_KEEPS},                                 /* MOVLPS */
	{MAP_0F, PREFIX_NONE, 0x13, 8, VECTOR_STORE},
	{MAP_0F, PREFIX_66, 0x12, 8, VECTOR_KEEPS},                                   /* MOVLPD */
	{MAP_0F, PREFIX_66, 0x13, 8, VECTOR_STORE},
	{MAP_0F, PREFIX_NONE, 0x16, 8, VECTOR_KEEPS | VECTOR_UPPER},                  /* MOVHPS */
	{MAP_0F, PREFIX_NONE, 0x17, 8, VECTOR_STORE | VECTOR_UPPER},
	{MAP_0F, PREFIX_66, 0x16, 8, VECTOR_KEEPS | VECTOR_UPPER},                    /* MOVHPD */
	{MAP_0F, PREFIX_66, 0x17, 8, VECTOR_STORE | VECTOR_UPPER},
	{MAP_0F, PREFIX_NONE, 0x28, 16, VECTOR_PACKED | VECTOR_ALIGNED},              /* MOVAPS */
	{MAP_0F, PREFIX_NONE, 0x29, 16, VECTOR_PACKED | VECTOR_ALIGNED | VECTOR_STORE},
	{MAP_0F, PREFIX_66, 0x28, 16, VECTOR_PACKED | VECTOR_ALIGNED},                /* MOVAPD */
	{MAP_0F, PREFIX_66, 0x29, 16, VECTOR_PACKED | VECTOR_ALIGNED | VECTOR_STORE},
	{MAP_0F, PREFIX_NONE, 0x2b, 16, VECTOR_PACKED | VECTOR_ALIGNED | VECTOR_STORE}, /* MOVNTPS */
	{MAP_0F, PREFIX_66, 0x2b, 16, VECTOR_PACKED | VECTOR_ALIGNED | VECTOR_STORE},   /* MOVNTPD */
	{MAP_0F, PREFIX_NONE, 0x6e, 4, VECTOR_MMX | VECTOR_WIDE},                     /* MOVD, MOVQ */
	{MAP_0F, PREFIX_NONE, 0x7e, 4, VECTOR_MMX | VECTOR_WIDE | VECTOR_STORE},
	{MAP_0F, PREFIX_66, 0x6e, 4, VECTOR_WIDE},
	{MAP_0F, PREFIX_66, 0x7e, 4, VECTOR_WIDE | VECTOR_STORE},
	{MAP_0F, PREFIX_F3, 0x7e, 8, 0},                                              /* MOVQ */
	{MAP_0F, PREFIX_66, 0xd6, 8, VECTOR_STORE},
	{MAP_0F, PREFIX_NONE, 0x6f, 8, VECTOR_MMX},                                   /* MOVQ */
	{MAP_0F, PREFIX_NONE, 0x7f, 8, VECTOR_MMX | VECTOR_STORE},
	{MAP_0F, PREFIX_66, 0x6f, 16, VECTOR_PACKED | VECTOR_ALIGNED},                /* MOVDQA */
	{MAP_0F, PREFIX_66, 0x7f, 16, VECTOR_PACKED | VECTOR_ALIGNED | VECTOR_STORE},
	{MAP_0F, PREFIX_F3, 0x6f, 16, VECTOR_PACKED},                                 /* MOVDQU */
	{MAP_0F, PREFIX_F3, 0x7f, 16, VECTOR_PACKED | VECTOR_STORE},
	{MAP_0F, PREFIX_NONE, 0xe7, 8, VECTOR_MMX | VECTOR_STORE},                    /* MOVNTQ */
	{MAP_0F, PREFIX_66, 0xe7, 16, VECTOR_PACKED | VECTOR_ALIGNED | VECTOR_STORE}, /* MOVNTDQ */
	{MAP_0F, PREFIX_F2, 0xf0, 16, VECTOR_PACKED},                                 /* LDDQU */
	{MAP_0F38, PREFIX_66, 0x2a, 16, VECTOR_PACKED | VECTOR_ALIGNED},              /* MOVNTDQA */
};

const struct prefixed_opcode *opcodes_find_prefixed(enum opcode_map map, enum mandatory_prefix prefix, uint8_t code, bool is_vex,
						    unsigned modrm_reg)
{
	for (size_t i = 0; i < sizeof(prefixed) / sizeof(prefixed[0]); i++) {
		const struct prefixed_opcode *row = &prefixed[i];

		if (row->map == map && row->prefix == prefix && row->code == code && row->is_vex == is_vex &&
		    (row->modrm_reg == REG_ANY || row->modrm_reg == modrm_reg))
			return row;
	}
	return NULL;
}

const struct vector_opcode *opcodes_find_vector(enum opcode_map map, enum mandatory_prefix prefix, uint8_t code)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		if (vectors[i].map == map && vectors[i].prefix == prefix && vectors[i].code == code)
			return &vectors[i];
	}
	return NULL;
}
