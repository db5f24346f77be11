/* Instructions on device memory, on memory, and across their borders, against the host's own CPU: the same bytes, registers and
 * memory, executed natively and by vmm/decode, must end the same. Pseudo-random with a fixed seed.
 *
 * Four pages lie one behind the other; which are memory and which a device differs from case to case. Addresses are the host's. */
#include "tests/decode/forms.h"
#include "tests/decode/native.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/mman.h>

#include "vmm/decode/alu.h"
#include "vmm/decode/execute.h"

#define AREA        0x20000000ULL
#define PAGES       4U
#define AREA_BYTES  (PAGES * 4096U)
#define CASES       150U /* of each form */
#define CR4_VECTORS 0x40200ULL /* OSFXSR, OSXSAVE */
#define NO_FAULT    (-1)
#define BATCHES_MAX 100U

static uint8_t shadow[AREA_BYTES] __attribute__((aligned(4096)));
static struct gmem gm;
static struct native_context before, native;
static struct vcpu_state vcpu;
static struct instruction instruction;
static struct execution x;
static uint8_t code[INSTRUCTION_BYTES_MAX];
static size_t code_bytes;
static const char *last_case;
static uint64_t faults, devices;

static uint64_t random_bits(void)
{
	static uint64_t seed = 88172645463325252ULL;

	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static uint64_t below(uint64_t limit)
{
	return random_bits() % limit;
}

static uint8_t *device_bytes(uint64_t address, unsigned width)
{
	assert_int_equal(address % width, 0);
	assert_true(address >= AREA && address - AREA <= AREA_BYTES - width);
	for (unsigned i = 0; i < gm.slot_count; i++)
		assert_false(address - gm.slots[i].gpa.raw < gm.slots[i].length_bytes);
	devices++;
	return shadow + (address - AREA);
}

static enum status read_device(void *context, uint64_t address, unsigned width, uint64_t *value)
{
	(void)context;
	memcpy(value, device_bytes(address, width), width);
	return OK;
}

static enum status write_device(void *context, uint64_t address, unsigned width, uint64_t value)
{
	(void)context;
	memcpy(device_bytes(address, width), &value, width);
	return OK;
}

static enum status get_vectors(void *context, struct vcpu_vectors *out)
{
	(void)context;
	memset(out, 0, sizeof(*out));
	out->xcr0 = 7;
	for (unsigned i = 0; i < 16; i++) {
		memcpy(out->area + 160 + 16 * i, before.xmm[i], 16);
		memcpy(out->area + 576 + 16 * i, before.upper[i], 16);
	}
	out->area[3] = 5 << 3; /* TOP: ST(0) is register 5 */
	for (unsigned i = 0; i < 8; i++)
		memcpy(out->area + 32 + 16 * i, before.mm[(i + 5) % 8], 8);
	return OK;
}

static const struct execution_environment environment = {
	.gmem = &gm,
	.read_device = read_device,
	.write_device = write_device,
	.get_vectors = get_vectors,
};

/* Bit n of memory: page n is the guest's memory. */
static void divide_area(unsigned memory)
{
	memset(&gm, 0, sizeof(gm));
	for (unsigned i = 0; i < PAGES; i++)
		if ((memory >> i & 1) != 0)
			assert_int_equal(gmem_add_slot(&gm, gpa(AREA + 4096 * i), 4096, shadow + 4096 * i), OK);
}

/* Near a page border, or anywhere, but so that 64 bytes on both sides are in the area. */
static uint64_t random_address(void)
{
	if (below(2) == 0)
		return AREA + 4096 * (1 + below(PAGES - 1)) - 40 + below(80);
	return (AREA + 4096 + below(AREA_BYTES - 8192)) & ~below(32);
}

static void random_registers(const struct form *form)
{
	for (unsigned i = 0; i < 16; i++)
		before.gpr[i] = below(3) == 0 ? below(200) - 100 : random_bits();
	for (size_t i = 0; i < sizeof(before.xmm); i++)
		((uint8_t *)before.xmm)[i] = (uint8_t)random_bits();
	for (size_t i = 0; i < sizeof(before.upper); i++)
		((uint8_t *)before.upper)[i] = (uint8_t)random_bits();
	for (size_t i = 0; i < sizeof(before.mm); i++)
		((uint8_t *)before.mm)[i] = (uint8_t)random_bits();
	before.rflags = 0x202 | (random_bits() & RFLAGS_STATUS) | ((form->kind & FORM_STRING) != 0 ? random_bits() & RFLAGS_DF : 0);
	before.gpr[GPR_RSP] = random_address();
	if (below(2) == 0)
		before.gpr[GPR_RDX] = below(2) == 0 ? 0 : UINT64_MAX;
}

/* Also values that are alike, for comparisons and divisions. */
static void random_memory(uint8_t *area)
{
	uint8_t same = (uint8_t)random_bits();

	for (unsigned i = 0; i < AREA_BYTES; i++)
		area[i] = below(4) != 0 ? same : (uint8_t)random_bits();
	if (below(2) == 0)
		memset(area, (int)below(4) - 1, AREA_BYTES);
	before.gpr[GPR_RAX] = below(2) == 0 ? before.gpr[GPR_RAX] : same * 0x0101010101010101U;
}

static void put(uint8_t byte)
{
	code[code_bytes++] = byte;
}

/* ModRM for [rbx + disp32] or [rbx + rsi * scale + disp32], with rbx such that address results. */
static void put_operand(unsigned reg, uint64_t address)
{
	uint32_t displacement = (uint32_t)random_bits();
	unsigned scale = (unsigned)below(4);
	uint64_t offset = (uint64_t)(int64_t)(int32_t)displacement;

	if (below(2) == 0) {
		put((uint8_t)(0x80 | reg << 3 | 3));
	} else {
		put((uint8_t)(0x80 | reg << 3 | 4));
		put((uint8_t)(scale << 6 | GPR_RSI << 3 | GPR_RBX));
		offset += before.gpr[GPR_RSI] << scale;
	}
	before.gpr[GPR_RBX] = address - offset;
	for (unsigned i = 0; i < 4; i++)
		put((uint8_t)(displacement >> 8 * i));
}

static void put_vex(const struct form *form)
{
	put(form->bytes[0]);
	put((uint8_t)(form->bytes[1] ^ ((form->digit == ANY_GPR && below(2) == 0) ? 0x80 : 0)));
	put((uint8_t)(form->bytes[2] | (below(2) == 0 ? 0x80 : 0) |
		      ((form->kind & FORM_VVVV) != 0 ? below(16) << 3 : 0xf << 3)));
	put(form->bytes[3]);
}

static void put_prefixes(const struct form *form)
{
	uint8_t rex = 0;

	if ((form->kind & FORM_REP) != 0 && below(2) == 0)
		put(below(2) == 0 ? 0xf3 : 0xf2);
	if ((form->kind & FORM_WIDE) != 0 && below(3) == 0 && form->prefix != 0x66)
		put(0x66);
	if (form->prefix != 0)
		put(form->prefix);
	if ((form->kind & (FORM_WIDE | FORM_W)) != 0 && below(2) == 0)
		rex = 0x48;
	if ((form->kind & FORM_REX_REG) != 0 && below(2) == 0)
		rex |= 0x44;
	if (rex != 0)
		put(rex);
	for (unsigned i = 0; i < form->count; i++)
		put(form->bytes[i]);
}

static unsigned reg_of(const struct form *form)
{
	return form->digit < ANY_DIGIT ? form->digit : (unsigned)below(8);
}

/* Where strings begin, counts, tables. */
static void set_strings(void)
{
	before.gpr[GPR_RSI] = random_address();
	before.gpr[GPR_RDI] = below(4) == 0 ? before.gpr[GPR_RSI] + below(9) : random_address();
	before.gpr[GPR_RCX] = below(5);
	if (below(20) == 0)
		before.gpr[GPR_RCX] = below(300); /* more than one batch */
	before.gpr[GPR_RBX] = AREA + 4096 * (1 + below(2)) + below(8);
}

static void place_jump(const struct form *form, uint64_t operand)
{
	uint64_t target = native_end();

	if ((form->kind & FORM_JUMP) != 0)
		memcpy((void *)(uintptr_t)((form->kind & FORM_BARE) != 0 ? before.gpr[GPR_RSP] : operand), &target, 8);
}

static void build_case(const struct form *form)
{
	uint64_t operand = random_address();

	code_bytes = 0;
	random_registers(form);
	random_memory((uint8_t *)AREA);
	if ((form->kind & FORM_VEX) != 0)
		put_vex(form);
	else
		put_prefixes(form);
	if ((form->kind & FORM_STRING) != 0)
		set_strings();
	else if ((form->kind & FORM_BARE) == 0)
		put_operand(reg_of(form), operand);
	for (unsigned i = 0; i < form->immediate_bytes; i++)
		put((uint8_t)random_bits());
	if (code[0] == 0xc9)
		before.gpr[GPR_RBP] = random_address(); /* LEAVE */
	place_jump(form, operand);
	memcpy(shadow, (const void *)AREA, AREA_BYTES);
	divide_area((unsigned)below(1U << PAGES));
}

static void begin(void)
{
	memset(&vcpu, 0, sizeof(vcpu));
	memcpy(vcpu.gpr, before.gpr, sizeof(vcpu.gpr));
	vcpu.exit.rip = (uintptr_t)native_code;
	vcpu.exit.rflags = before.rflags;
	vcpu.exit.cr0 = 1;
	vcpu.exit.cr4 = CR4_VECTORS;
	vcpu.exit.efer = 0x500;
	vcpu.exit.cpl = 3;
	x.environment = &environment;
	x.instruction = &instruction;
	x.state = &vcpu;
}

/* Batch by batch. Where no operand is at a device the CPU would have to go on: the device is everywhere then. */
static enum status emulate(void)
{
	for (unsigned i = 0; i < BATCHES_MAX; i++) {
		enum status status = execute_instruction(&x);

		if (status == ERR_INVALID && gm.slot_count != 0) {
			divide_area(0);
			continue;
		}
		if (status != OK || x.rip != vcpu.exit.rip)
			return status;
		memcpy(vcpu.gpr, x.gpr, sizeof(vcpu.gpr));
		vcpu.exit.rflags = x.rflags;
	}
	return ERR_TIMED_OUT;
}

/* What of the flags may differ: of shifts that depends on the count. */
static uint64_t undefined_flags(const struct form *form)
{
	uint64_t count = instruction.has_immediate ? instruction.immediate : before.gpr[GPR_RCX];
	unsigned bits = 8U * instruction.memory_bytes;

	count &= bits == 64 ? 63 : 31;
	if (instruction.operation < OP_ROL || instruction.operation > OP_SHRD)
		return form->undefined;
	if (count == 0)
		return 0;
	return (instruction.operation > OP_RCR ? RFLAGS_AF : 0) | (count != 1 ? RFLAGS_OF : 0) | (count > bits ? RFLAGS_CF : 0);
}

static void compare_vectors(void)
{
	unsigned first = x.changes_vectors && instruction.vector.is_mmx ? 0 : 3; /* MM0's place */

	if (!x.changes_vectors)
		(void)get_vectors(NULL, &x.vectors);
	for (unsigned i = 0; i < 16; i++) {
		assert_memory_equal(x.vectors.area + 160 + 16 * i, native.xmm[i], 16);
		if (native_has_avx())
			assert_memory_equal(x.vectors.area + 576 + 16 * i, native.upper[i], 16);
	}
	for (unsigned i = 0; i < 8; i++)
		assert_memory_equal(x.vectors.area + 32 + 16 * ((i + first) % 8), native.mm[i], 8);
}

static void compare(const struct form *form, enum status status)
{
	uint64_t mask = (RFLAGS_STATUS | RFLAGS_DF) & ~undefined_flags(form);

	if (native.fault != NO_FAULT) {
		assert_int_equal(status, ERR_FAULT);
		assert_int_equal(x.fault.vector, native.fault);
		faults++;
		return;
	}
	assert_int_equal(status, OK);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(x.gpr[i], native.gpr[i]);
	assert_int_equal(x.rflags & mask, native.rflags & mask);
	assert_int_equal(x.rip, (form->kind & FORM_JUMP) != 0 ? native_end() : vcpu.exit.rip + code_bytes);
	assert_memory_equal(shadow, (const void *)AREA, AREA_BYTES);
	compare_vectors();
}

/* What stands there when a comparison fails. */
static void print_case(const struct form *form, unsigned n, enum status status)
{
	static char text[256];
	size_t length = (size_t)snprintf(text, sizeof(text), "%s, case %u, status %d, code", form->name, n, status);

	for (size_t i = 0; i < code_bytes; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length, " %02x", code[i]);
	last_case = text;
}

static bool host_has(const struct form *form)
{
	if ((form->kind & FORM_VEX) != 0)
		return native_has_avx() && native_has_bmi();
	return true;
}

static void test_execute_as_the_host(void **state)
{
	(void)state;
	native_start(); /* after cmocka's own handlers */
	for (size_t i = 0; i < form_count; i++) {
		for (unsigned n = 0; n < CASES && host_has(&forms[i]); n++) {
			enum status status;

			build_case(&forms[i]);
			assert_int_equal(decode_instruction(code, code_bytes, CODE_64, &instruction), OK);
			assert_int_equal(instruction.length_bytes, code_bytes);
			native = before;
			native_run(&native, code, code_bytes);
			begin();
			status = emulate();
			print_case(&forms[i], n, status);
			compare(&forms[i], status);
		}
	}
	assert_true(faults > CASES && devices > 10 * CASES);
}

static int show(void **state)
{
	(void)state;
	print_message("last: %s\n", last_case);
	return 0;
}

static int start(void **state)
{
	(void)state;
	return mmap((void *)AREA, AREA_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
		       (void *)AREA
		       ? 0
		       : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_execute_as_the_host, show),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
