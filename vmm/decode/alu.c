/* Integer arithmetic with x86's status flags. */
#include "vmm/decode/alu.h"

static uint64_t sign_bit(unsigned width_bytes)
{
	return 1ULL << (8 * width_bytes - 1);
}

uint64_t alu_sign_extend(uint64_t value, unsigned width_bytes)
{
	return (alu_truncate(value, width_bytes) ^ sign_bit(width_bytes)) - sign_bit(width_bytes);
}

/* Parity of the low byte: set if the number of ones is even. */
static uint64_t parity_flag(uint64_t value)
{
	value ^= value >> 4;
	value ^= value >> 2;
	value ^= value >> 1;
	return (value & 1) == 0 ? RFLAGS_PF : 0;
}

uint64_t alu_sign_zero_parity(uint64_t value, unsigned width_bytes)
{
	return (value == 0 ? RFLAGS_ZF : 0) | ((value & sign_bit(width_bytes)) != 0 ? RFLAGS_SF : 0) | parity_flag(value);
}

/* carries: bit n is the carry or borrow out of bit n. overflow: its sign bit counts. */
static struct alu_result with_flags(uint64_t value, uint64_t carries, uint64_t overflow, unsigned width_bytes,
				    uint64_t flags)
{
	uint64_t sign = sign_bit(width_bytes);

	flags &= ~RFLAGS_STATUS;
	flags |= alu_sign_zero_parity(value, width_bytes) | ((carries & sign) != 0 ? RFLAGS_CF : 0) |
		 ((carries & 0x8) != 0 ? RFLAGS_AF : 0) | ((overflow & sign) != 0 ? RFLAGS_OF : 0);
	return (struct alu_result){.value = value, .flags = flags};
}

static struct alu_result add(uint64_t a, uint64_t b, uint64_t carry, unsigned width_bytes, uint64_t flags)
{
	uint64_t sum = alu_truncate(a + b + carry, width_bytes);

	return with_flags(sum, (a & b) | ((a | b) & ~sum), (a ^ sum) & (b ^ sum), width_bytes, flags);
}

static struct alu_result subtract(uint64_t a, uint64_t b, uint64_t borrow, unsigned width_bytes, uint64_t flags)
{
	uint64_t difference = alu_truncate(a - b - borrow, width_bytes);

	return with_flags(difference, (~a & b) | ((~a | b) & difference), (a ^ b) & (a ^ difference), width_bytes, flags);
}

static struct alu_result logic(uint64_t value, unsigned width_bytes, uint64_t flags)
{
	return with_flags(value, 0, 0, width_bytes, flags);
}

static struct alu_result keep_carry(struct alu_result result, uint64_t flags)
{
	result.flags = (result.flags & ~RFLAGS_CF) | (flags & RFLAGS_CF);
	return result;
}

static struct alu_result bit_operation(enum operation operation, uint64_t value, uint64_t bit_number, unsigned width_bytes,
				       uint64_t flags)
{
	uint64_t bit = 1ULL << (bit_number & (8 * width_bytes - 1));

	flags = (flags & ~RFLAGS_CF) | ((value & bit) != 0 ? RFLAGS_CF : 0);
	if (operation == OP_BTS)
		value |= bit;
	else if (operation == OP_BTR)
		value &= ~bit;
	else if (operation == OP_BTC)
		value ^= bit;
	return (struct alu_result){.value = value, .flags = flags};
}

struct alu_result alu_compute(enum operation operation, uint64_t destination, uint64_t source, unsigned width_bytes,
			      uint64_t flags)
{
	uint64_t a = alu_truncate(destination, width_bytes);
	uint64_t b = alu_truncate(source, width_bytes);
	uint64_t carry = flags & RFLAGS_CF;

	switch ((unsigned)operation) {
	case OP_ADD:
	case OP_XADD:
		return add(a, b, 0, width_bytes, flags);
	case OP_ADC:
		return add(a, b, carry, width_bytes, flags);
	case OP_SUB:
	case OP_CMP:
	case OP_CMPXCHG:
		return subtract(a, b, 0, width_bytes, flags);
	case OP_SBB:
		return subtract(a, b, carry, width_bytes, flags);
	case OP_INC:
		return keep_carry(add(a, 1, 0, width_bytes, flags), flags);
	case OP_DEC:
		return keep_carry(subtract(a, 1, 0, width_bytes, flags), flags);
	case OP_NEG:
		return subtract(0, a, 0, width_bytes, flags);
	case OP_NOT:
		return (struct alu_result){.value = alu_truncate(~a, width_bytes), .flags = flags};
	case OP_AND:
	case OP_TEST:
		return logic(a & b, width_bytes, flags);
	case OP_OR:
		return logic(a | b, width_bytes, flags);
	case OP_XOR:
		return logic(a ^ b, width_bytes, flags);
	case OP_BT:
	case OP_BTS:
	case OP_BTR:
	case OP_BTC:
		return bit_operation(operation, a, b, width_bytes, flags);
	case OP_UNKNOWN:
	case OP_MOV:
	case OP_MOVSX:
	case OP_STOS:
	case OP_XCHG:
	default: /* those that are not arithmetic, and integer.h's */
		break;
	}
	return (struct alu_result){.value = b, .flags = flags};
}
