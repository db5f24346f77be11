/* Products, quotients, scans, conditions and the bit-manipulation extensions. Shifts: shift.c. */
#include "vmm/decode/integer.h"

#include "abi/vcpu.h"
#include "vmm/decode/shift.h"
#include "vmm/decode/wide.h"

struct operands {
	const struct instruction *instruction;
	const uint64_t *gpr;
	uint64_t flags;
	uint64_t memory; /* cut to its width */
	unsigned width;  /* its bytes */
};

bool integer_condition(unsigned condition, uint64_t flags)
{
	bool sign_differs = ((flags & RFLAGS_SF) != 0) != ((flags & RFLAGS_OF) != 0);
	bool holds = false;

	switch (condition >> 1 & 7) {
	case 0: holds = (flags & RFLAGS_OF) != 0; break;
	case 1: holds = (flags & RFLAGS_CF) != 0; break;
	case 2: holds = (flags & RFLAGS_ZF) != 0; break;
	case 3: holds = (flags & (RFLAGS_CF | RFLAGS_ZF)) != 0; break;
	case 4: holds = (flags & RFLAGS_SF) != 0; break;
	case 5: holds = (flags & RFLAGS_PF) != 0; break;
	case 6: holds = sign_differs; break;
	default: holds = sign_differs || (flags & RFLAGS_ZF) != 0; break;
	}
	return holds != ((condition & 1) != 0);
}

static uint64_t set_if(uint64_t flags, uint64_t flag, bool condition)
{
	return condition ? flags | flag : flags & ~flag;
}

static uint64_t register_of(const struct operands *o)
{
	uint64_t value = o->gpr[o->instruction->register_number];

	return alu_truncate(o->instruction->register_is_high ? value >> 8 : value, o->width);
}

static uint64_t other_register_of(const struct operands *o)
{
	return alu_truncate(o->gpr[o->instruction->other_register], o->width);
}

static void set_register(struct integer_result *out, unsigned number, uint64_t value, unsigned bytes)
{
	out->registers[out->register_count].number = (uint8_t)number;
	out->registers[out->register_count].value = value;
	out->registers[out->register_count].bytes = (uint8_t)bytes;
	out->register_count++;
}

/* Into the instruction's register, at the operand's width. */
static void set_destination(const struct operands *o, struct integer_result *out, uint64_t value)
{
	set_register(out, o->instruction->register_number, alu_truncate(value, o->width), o->width);
}

/* Low and high part at the operand's width. a, b: 64 bits, extended as the sign says. */
static struct wide product_of(uint64_t a, uint64_t b, bool is_signed, unsigned width)
{
	struct wide product = is_signed ? wide_multiply_signed(a, b) : wide_multiply(a, b);

	if (width == 8)
		return product;
	return (struct wide){.low = alu_truncate(product.low, width), .high = alu_truncate(product.low >> 8 * width, width)};
}

/* CF and OF: whether the high part counts. SF as the result, ZF, AF and PF as Intel's processors leave them. */
static uint64_t product_flags(uint64_t flags, struct wide product, bool is_signed, unsigned width)
{
	uint64_t high = is_signed && alu_sign_extend(product.low, width) >> 63 != 0 ? alu_truncate(UINT64_MAX, width) : 0;

	flags &= ~RFLAGS_STATUS;
	flags |= alu_sign_zero_parity(product.low, width) & (RFLAGS_SF | RFLAGS_PF);
	return product.high != high ? flags | RFLAGS_CF | RFLAGS_OF : flags;
}

static void compute_product(const struct operands *o, struct integer_result *out)
{
	bool is_signed = o->instruction->operation == OP_IMUL;
	uint64_t a = o->memory, b = alu_truncate(o->gpr[GPR_RAX], o->width);
	struct wide product;

	if (is_signed) {
		a = alu_sign_extend(a, o->width);
		b = alu_sign_extend(b, o->width);
	}
	product = product_of(a, b, is_signed, o->width);
	out->flags = product_flags(o->flags, product, is_signed, o->width);
	if (o->width == 1) {
		set_register(out, GPR_RAX, product.low | product.high << 8, 2);
		return;
	}
	set_register(out, GPR_RAX, product.low, o->width);
	set_register(out, GPR_RDX, product.high, o->width);
}

static void compute_product_register(const struct operands *o, struct integer_result *out)
{
	uint64_t other = o->instruction->has_immediate ? o->instruction->immediate : alu_sign_extend(register_of(o), o->width);
	struct wide product = product_of(alu_sign_extend(o->memory, o->width), other, true, o->width);

	out->flags = product_flags(o->flags, product, true, o->width);
	set_destination(o, out, product.low);
}

/* The dividend as 128 bits. */
static struct wide dividend_of(const struct operands *o, bool is_signed)
{
	uint64_t rax = o->gpr[GPR_RAX], low;

	if (o->width == 8)
		return (struct wide){.low = rax, .high = o->gpr[GPR_RDX]};
	low = o->width == 1 ? rax & 0xffff : alu_truncate(rax, o->width) | alu_truncate(o->gpr[GPR_RDX], o->width) << 8 * o->width;
	if (!is_signed)
		return (struct wide){.low = low};
	low = alu_sign_extend(low, 2 * o->width);
	return (struct wide){.low = low, .high = low >> 63 != 0 ? UINT64_MAX : 0};
}

/* Of magnitudes; the quotient must fit, the remainder has the dividend's sign. */
static void compute_quotient(const struct operands *o, struct integer_result *out)
{
	bool is_signed = o->instruction->operation == OP_IDIV;
	struct wide dividend = dividend_of(o, is_signed), result;
	uint64_t divisor = is_signed ? alu_sign_extend(o->memory, o->width) : o->memory;
	bool is_negative = is_signed && dividend.high >> 63 != 0, divisor_is_negative = is_signed && divisor >> 63 != 0;
	uint64_t limit = alu_truncate(UINT64_MAX, o->width);

	if (is_negative)
		dividend = wide_negated(dividend);
	if (divisor_is_negative)
		divisor = 0 - divisor;
	if (is_signed)
		limit = (limit >> 1) + (is_negative != divisor_is_negative ? 1 : 0);
	out->divide_error = divisor == 0 || dividend.high >= divisor;
	if (out->divide_error)
		return;
	result = wide_divide(dividend, divisor);
	out->divide_error = result.low > limit;
	if (is_negative != divisor_is_negative)
		result.low = 0 - result.low;
	if (is_negative)
		result.high = 0 - result.high;
	if (o->width == 1) {
		set_register(out, GPR_RAX, (result.low & 0xff) | (result.high & 0xff) << 8, 2);
		return;
	}
	set_register(out, GPR_RAX, alu_truncate(result.low, o->width), o->width);
	set_register(out, GPR_RDX, alu_truncate(result.high, o->width), o->width);
}

static unsigned lowest_bit(uint64_t value, unsigned bits)
{
	unsigned number = 0;

	while (number < bits && (value >> number & 1) == 0)
		number++;
	return number;
}

static unsigned highest_bit(uint64_t value)
{
	unsigned number = 63;

	while (number > 0 && (value >> number & 1) == 0)
		number--;
	return number;
}

static unsigned ones(uint64_t value)
{
	unsigned count = 0;

	for (; value != 0; value &= value - 1)
		count++;
	return count;
}

/* BSF and BSR of 0 leave the register as it is. */
static void compute_scan(const struct operands *o, struct integer_result *out)
{
	unsigned bits = 8 * o->width;
	bool is_zero = o->memory == 0;
	uint64_t value;

	switch ((unsigned)o->instruction->operation) {
	case OP_TZCNT: value = lowest_bit(o->memory, bits); break;
	case OP_LZCNT: value = is_zero ? bits : bits - 1 - highest_bit(o->memory); break;
	case OP_POPCNT:
		out->flags = set_if(o->flags & ~RFLAGS_STATUS, RFLAGS_ZF, is_zero);
		set_destination(o, out, ones(o->memory));
		return;
	default:
		out->flags = set_if(o->flags, RFLAGS_ZF, is_zero);
		value = o->instruction->operation == OP_BSF ? lowest_bit(o->memory, bits) : highest_bit(o->memory);
		if (!is_zero)
			set_destination(o, out, value);
		return;
	}
	out->flags = set_if(set_if(o->flags, RFLAGS_CF, is_zero), RFLAGS_ZF, value == 0);
	set_destination(o, out, value);
}

static uint64_t swap_bytes(uint64_t value, unsigned width)
{
	uint64_t out = 0;

	for (unsigned i = 0; i < width; i++)
		out |= (value >> 8 * i & 0xff) << 8 * (width - 1 - i);
	return out;
}

/* The Castagnoli polynomial, reflected. */
static uint32_t crc32(uint32_t crc, uint64_t data, unsigned width)
{
	for (unsigned i = 0; i < 8 * width; i++) {
		uint32_t low = (crc ^ (uint32_t)(data >> i)) & 1;

		crc = crc >> 1 ^ (low != 0 ? 0x82f63b78U : 0);
	}
	return crc;
}

static void compute_carry_add(const struct operands *o, struct integer_result *out, uint64_t flag)
{
	struct alu_result sum = alu_compute(OP_ADC, register_of(o), o->memory, o->width, (o->flags & flag) != 0 ? RFLAGS_CF : 0);

	out->flags = set_if(o->flags, flag, (sum.flags & RFLAGS_CF) != 0);
	set_destination(o, out, sum.value);
}

static uint64_t deposit(uint64_t source, uint64_t mask)
{
	uint64_t out = 0;

	for (; mask != 0; mask &= mask - 1, source >>= 1)
		out |= (source & 1) != 0 ? mask & (0 - mask) : 0;
	return out;
}

static uint64_t extract(uint64_t source, uint64_t mask)
{
	uint64_t out = 0;

	for (unsigned i = 0; mask != 0; mask &= mask - 1, i++)
		out |= (source & mask & (0 - mask)) != 0 ? 1ULL << i : 0;
	return out;
}

/* The shifts of BMI2: no flags. */
static void compute_flagless_shift(const struct operands *o, struct integer_result *out)
{
	static const struct { enum operation from, to; } rows[] = {{OP_SHLX, OP_SHL}, {OP_SARX, OP_SAR}, {OP_SHRX, OP_SHR},
								   {OP_RORX, OP_ROR}};
	enum operation operation = o->instruction->operation;
	uint64_t count = operation == OP_RORX ? o->instruction->immediate : other_register_of(o);

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].from == operation)
			set_destination(o, out, shift_compute(rows[i].to, o->memory, count, o->width, 0).value);
	}
}

/* SF and ZF of the result, CF as given, OF clear; AF and PF are undefined and stay. */
static void set_bits(const struct operands *o, struct integer_result *out, uint64_t value, bool carry)
{
	uint64_t defined = RFLAGS_CF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF;

	value = alu_truncate(value, o->width);
	out->flags = (o->flags & ~defined) | (alu_sign_zero_parity(value, o->width) & defined) | (carry ? RFLAGS_CF : 0);
	set_destination(o, out, value);
}

static void compute_bits(const struct operands *o, struct integer_result *out)
{
	uint64_t source = o->memory, control = other_register_of(o);
	unsigned bits = 8 * o->width, start = control & 0xff, length = control >> 8 & 0xff;

	switch ((unsigned)o->instruction->operation) {
	case OP_ANDN: set_bits(o, out, ~control & source, false); break;
	case OP_BLSR: set_bits(o, out, source & (source - 1), source == 0); break;
	case OP_BLSMSK:
		set_bits(o, out, source ^ (source - 1), source == 0);
		out->flags &= ~RFLAGS_ZF;
		break;
	case OP_BLSI: set_bits(o, out, source & (0 - source), source != 0); break;
	case OP_BZHI: set_bits(o, out, start < bits ? source & ((1ULL << start) - 1) : source, start >= bits); break;
	default: /* BEXTR: SF is undefined too */
		source = start < bits ? source >> start : 0;
		set_bits(o, out, length < bits ? source & ((1ULL << length) - 1) : source, false);
		out->flags = (out->flags & ~RFLAGS_SF) | (o->flags & RFLAGS_SF);
		break;
	}
}

/* The higher half is written last: it stays where both are one register. */
static void compute_flagless_product(const struct operands *o, struct integer_result *out)
{
	struct wide product = product_of(o->memory, alu_truncate(o->gpr[GPR_RDX], o->width), false, o->width);

	if (o->instruction->other_register != o->instruction->register_number)
		set_register(out, o->instruction->other_register, product.low, o->width);
	set_destination(o, out, product.high);
}

static void compute_byte_swap(const struct operands *o, struct integer_result *out)
{
	if (o->instruction->form == FORM_REGISTER_MEMORY)
		set_destination(o, out, swap_bytes(o->memory, o->width));
	else
		out->memory = swap_bytes(register_of(o), o->width);
}

static void compute_shift(const struct operands *o, struct integer_result *out)
{
	enum operation operation = o->instruction->operation;
	uint64_t count = o->instruction->has_immediate ? o->instruction->immediate : o->gpr[GPR_RCX];
	struct alu_result result = operation == OP_SHLD || operation == OP_SHRD
					   ? shift_double(operation, o->memory, register_of(o), count, o->width, o->flags)
					   : shift_compute(operation, o->memory, count, o->width, o->flags);

	out->memory = result.value;
	out->flags = result.flags;
}

static void compute_others(const struct operands *o, struct integer_result *out)
{
	const struct instruction *instruction = o->instruction;
	uint64_t destination = o->gpr[instruction->register_number];

	switch ((unsigned)instruction->operation) {
	case OP_SETCC: out->memory = integer_condition(instruction->condition, o->flags) ? 1 : 0; break;
	case OP_CMOVCC: /* 32 bits clear the upper half even where nothing is moved */
		set_destination(o, out, integer_condition(instruction->condition, o->flags) ? o->memory : destination);
		break;
	case OP_CRC32:
		set_register(out, instruction->register_number, crc32((uint32_t)destination, o->memory, o->width), 8);
		break;
	case OP_ADCX: compute_carry_add(o, out, RFLAGS_CF); break;
	case OP_ADOX: compute_carry_add(o, out, RFLAGS_OF); break;
	case OP_PDEP: set_destination(o, out, deposit(other_register_of(o), o->memory)); break;
	case OP_PEXT: set_destination(o, out, extract(other_register_of(o), o->memory)); break;
	case OP_MULX: compute_flagless_product(o, out); break;
	case OP_MOVBE: compute_byte_swap(o, out); break;
	default: compute_flagless_shift(o, out); break;
	}
}

void integer_compute(const struct instruction *instruction, const uint64_t *gpr, uint64_t flags, uint64_t memory,
		     struct integer_result *out)
{
	const struct operands operands = {instruction, gpr, flags, memory, instruction->memory_bytes};
	enum operation operation = instruction->operation;

	*out = (struct integer_result){.flags = flags, .memory = memory};
	if (operation <= OP_SHRD)
		compute_shift(&operands, out);
	else if (operation <= OP_IMUL)
		compute_product(&operands, out);
	else if (operation <= OP_IDIV)
		compute_quotient(&operands, out);
	else if (operation == OP_IMUL_REGISTER)
		compute_product_register(&operands, out);
	else if (operation <= OP_POPCNT)
		compute_scan(&operands, out);
	else if (operation >= OP_ANDN && operation <= OP_BEXTR)
		compute_bits(&operands, out);
	else
		compute_others(&operands, out);
}
