/* Shifts and rotations with x86's flags. */
#include "vmm/decode/shift.h"

static uint64_t bit(uint64_t value, unsigned number)
{
	return value >> number & 1;
}

static uint64_t carry_overflow(uint64_t flags, uint64_t carry, uint64_t overflow)
{
	return (flags & ~(RFLAGS_CF | RFLAGS_OF)) | (carry != 0 ? RFLAGS_CF : 0) | (overflow != 0 ? RFLAGS_OF : 0);
}

static struct alu_result with_result(uint64_t value, uint64_t carry, uint64_t overflow, unsigned width_bytes, uint64_t flags)
{
	flags &= ~(RFLAGS_SF | RFLAGS_ZF | RFLAGS_PF);
	flags |= alu_sign_zero_parity(value, width_bytes);
	return (struct alu_result){.value = value, .flags = carry_overflow(flags, carry, overflow)};
}

static struct alu_result rotate(enum operation operation, uint64_t value, unsigned count, unsigned width_bytes, uint64_t flags)
{
	unsigned bits = 8 * width_bytes;
	unsigned left = (operation == OP_ROL ? count : bits - count % bits) % bits;
	uint64_t result = left == 0 ? value : alu_truncate(value << left | value >> (bits - left), width_bytes);

	if (operation == OP_ROL)
		flags = carry_overflow(flags, result & 1, bit(result, bits - 1) ^ (result & 1));
	else
		flags = carry_overflow(flags, bit(result, bits - 1), bit(result, bits - 1) ^ bit(result, bits - 2));
	return (struct alu_result){.value = result, .flags = flags};
}

/* Through the carry flag, bit by bit: the count is at most 63. */
static struct alu_result rotate_carry(enum operation operation, uint64_t value, unsigned count, unsigned width_bytes,
				      uint64_t flags)
{
	unsigned bits = 8 * width_bytes;
	uint64_t carry = flags & RFLAGS_CF;
	uint64_t overflow;

	for (count %= bits + 1; count > 0; count--) {
		uint64_t out = operation == OP_RCL ? bit(value, bits - 1) : value & 1;

		value = operation == OP_RCL ? alu_truncate(value << 1 | carry, width_bytes) : value >> 1 | carry << (bits - 1);
		carry = out;
	}
	overflow = bit(value, bits - 1) ^ (operation == OP_RCL ? carry : bit(value, bits - 2));
	return (struct alu_result){.value = value, .flags = carry_overflow(flags, carry, overflow)};
}

/* count: 1 to 63, perhaps beyond the width. */
static struct alu_result shift_left(uint64_t value, unsigned count, unsigned width_bytes, uint64_t flags)
{
	unsigned bits = 8 * width_bytes;
	uint64_t result = alu_truncate(value << count, width_bytes);
	uint64_t carry = count <= bits ? bit(value, bits - count) : 0;

	return with_result(result, carry, carry ^ bit(result, bits - 1), width_bytes, flags);
}

static struct alu_result shift_right(uint64_t value, unsigned count, unsigned width_bytes, uint64_t flags)
{
	return with_result(value >> count, bit(value, count - 1), bit(value, 8 * width_bytes - 1), width_bytes, flags);
}

static struct alu_result shift_arithmetic(uint64_t value, unsigned count, unsigned width_bytes, uint64_t flags)
{
	uint64_t wide = alu_sign_extend(value, width_bytes);
	uint64_t sign = wide >> 63 != 0 ? UINT64_MAX : 0;
	uint64_t result = wide >> count | (sign << (63 - count) << 1);

	return with_result(alu_truncate(result, width_bytes), bit(wide, count - 1), 0, width_bytes, flags);
}

static unsigned masked(uint64_t count, unsigned width_bytes)
{
	return (unsigned)count & (width_bytes == 8 ? 63 : 31);
}

struct alu_result shift_compute(enum operation operation, uint64_t value, uint64_t count, unsigned width_bytes, uint64_t flags)
{
	unsigned by = masked(count, width_bytes);

	if (by == 0)
		return (struct alu_result){.value = value, .flags = flags};
	if (operation == OP_ROL || operation == OP_ROR)
		return rotate(operation, value, by, width_bytes, flags);
	if (operation == OP_RCL || operation == OP_RCR)
		return rotate_carry(operation, value, by, width_bytes, flags);
	if (operation == OP_SHR)
		return shift_right(value, by, width_bytes, flags);
	if (operation == OP_SAR)
		return shift_arithmetic(value, by, width_bytes, flags);
	return shift_left(value, by, width_bytes, flags);
}

/* A count beyond 16 bits goes on with the first operand again, as Intel's processors do. */
struct alu_result shift_double(enum operation operation, uint64_t value, uint64_t fill, uint64_t count, unsigned width_bytes,
			       uint64_t flags)
{
	unsigned bits = 8 * width_bytes;
	unsigned by = masked(count, width_bytes);
	uint64_t result = value, carry = 0, overflow;

	if (by == 0)
		return (struct alu_result){.value = value, .flags = flags};
	if (by > bits) {
		uint64_t swapped = result;

		by -= bits;
		result = fill;
		fill = swapped;
	}
	if (operation == OP_SHLD) {
		carry = bit(result, bits - by);
		result = by == bits ? fill : alu_truncate(result << by, width_bytes) | fill >> (bits - by);
	} else {
		carry = bit(result, by - 1);
		result = by == bits ? fill : result >> by | alu_truncate(fill << (bits - by), width_bytes);
	}
	overflow = bit(result, bits - 1) ^ bit(value, bits - 1);
	return with_result(result, carry, overflow, width_bytes, flags);
}
