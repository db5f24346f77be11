/* Plain moves beside the general way: whatever is one must hit, read, write and answer as emulate.h says. */
#include "tests/unit/unit.h"
#include "vmm/decode/emulate.h"
#include "vmm/decode/plain.h"

#define RIP     0xffffffff81000100ULL
#define HELD    0x8877665544332211ULL
#define STRINGS 400000U

static struct vcpu_state vcpu;
static struct instruction instruction;
static struct plain_move plain;
static unsigned seen[3]; /* by kind */

static uint64_t random_bits(void)
{
	static uint64_t seed = 1;

	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return seed >> 33 ^ seed << 31;
}

static int build(void **state)
{
	(void)state;
	memset(&vcpu, 0, sizeof(vcpu));
	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < GPR_COUNT; i++)
		vcpu.gpr[i] = random_bits();
	vcpu.exit.rip = RIP;
	vcpu.exit.fs_base = 0x10000;
	vcpu.exit.gs_base = 0x20000;
	vcpu.exit.ds_base = vcpu.exit.ss_base = 0x30000; /* do not count in 64-bit code */
	return 0;
}

static enum plain_kind decode(const char *bytes, size_t count, enum code_size code_size)
{
	assert_int_equal(decode_instruction((const uint8_t *)bytes, count, code_size, &instruction), OK);
	plain = plain_move_of(&instruction, RIP);
	return plain.kind;
}

#define DECODE(bytes) decode(bytes, sizeof(bytes) - 1, CODE_64)

/* The two answers to the same exit. */
static void compare_replies(const struct emulation *emulation)
{
	struct emulation_result result;
	struct vcpu_reply general = {.action = 0}, reply = {.action = VCPU_REPLY_COMPLETE};
	uint64_t mask = plain.width_bytes == 8 ? UINT64_MAX : UINT32_MAX;

	assert_int_equal(emulation->access.width_bytes, plain.width_bytes);
	assert_int_equal(emulation->access.reads, plain.kind == PLAIN_LOAD);
	assert_int_equal(emulation->access.writes, plain.kind == PLAIN_STORE);
	assert_int_equal(emulation->access.count, 1);
	emulation_finish(emulation, &vcpu, HELD, &result);
	emulation_to_reply(&result, &general);
	plain_move_reply(&plain, HELD & mask, &reply);
	assert_int_equal(reply.register_count, general.register_count);
	assert_int_equal(reply.advance_bytes, general.advance_bytes);
	assert_int_equal(reply.flags_valid, general.flags_valid);
	if (plain.kind == PLAIN_LOAD) {
		assert_int_equal(reply.registers[0].number, general.registers[0].number);
		assert_int_equal(reply.registers[0].value, general.registers[0].value);
	} else {
		assert_int_equal(vcpu.gpr[plain.register_number] & mask, result.write_value);
	}
}

static void compare_at(uint64_t gpa, bool gla_valid, uint64_t gla)
{
	struct emulation emulation;
	enum status status;

	vcpu.exit.gpa = gpa;
	vcpu.exit.gla_valid = gla_valid ? 1 : 0;
	vcpu.exit.gla = gla;
	status = emulation_prepare(&instruction, &vcpu, &emulation);
	assert_int_equal(plain_move_hits(&plain, &vcpu), status == OK);
	if (status == OK)
		compare_replies(&emulation);
}

/* Where the operand is, beside it, and with a linear address that is another one. */
static void compare(void)
{
	uint64_t linear = plain.displacement;

	if (plain.base != REGISTER_NONE)
		linear += vcpu.gpr[plain.base];
	if (plain.index != REGISTER_NONE)
		linear += vcpu.gpr[plain.index] << plain.scale_shift;
	compare_at(0xfec00000 | (linear & 0xfff), false, 0);
	compare_at(0xfec00000 | (linear & 0xfff), true, linear);
	compare_at(0xfec00000 | (linear & 0xfff), true, linear ^ 0x1000);
	compare_at(0xfec00000 | ((linear + 1) & 0xfff), false, 0);
}

static void test_plain_moves_are_emulated_alike(void **state)
{
	(void)state;
	for (unsigned i = 0; i < STRINGS; i++) {
		uint64_t words[2] = {random_bits() << 32 | random_bits() >> 8, random_bits()};
		uint8_t *bytes = (uint8_t *)words;

		/* Of all opcodes most are no moves: every second string has one, behind a REX in half of them. */
		if (i % 2 == 0)
			bytes[i / 2 % 2] = (uint8_t)(i / 4 % 2 == 0 ? 0x89 : 0x8b);
		if (i % 4 == 2)
			bytes[0] = (uint8_t)(0x40 | (bytes[0] & 0xf));
		for (unsigned number = 0; number < GPR_COUNT; number++)
			vcpu.gpr[number] = i % 8 == 0 ? random_bits() : number * 0xff7ULL; /* some at the end of a page */
		if (decode_instruction(bytes, 15, CODE_64, &instruction) != OK)
			continue;
		plain = plain_move_of(&instruction, RIP);
		seen[plain.kind]++;
		if (plain.kind != PLAIN_NONE)
			compare();
	}
	assert_true(seen[PLAIN_LOAD] > STRINGS / 16 && seen[PLAIN_STORE] > STRINGS / 16 && seen[PLAIN_NONE] > STRINGS / 16);
}

static void test_plain_is_what_drivers_use(void **state)
{
	(void)state;
	assert_int_equal(DECODE("\x8b\x43\x10"), PLAIN_LOAD);             /* mov eax, [rbx + 10h] */
	assert_int_equal(DECODE("\x89\x04\x25\xb0\x00\x5f\xff"), PLAIN_STORE); /* mov [-a0ff50h], eax */
	assert_int_equal(DECODE("\x4c\x8b\x05\x00\x01\x00\x00"), PLAIN_LOAD);  /* mov r8, [rip + 100h] */
	assert_true(plain.displacement == RIP + 7 + 0x100);
}

static void test_plain_is_nothing_else(void **state)
{
	(void)state;
	assert_int_equal(DECODE("\x8a\x03"), PLAIN_NONE);         /* one byte */
	assert_int_equal(DECODE("\x66\x8b\x03"), PLAIN_NONE);     /* two */
	assert_int_equal(DECODE("\x0f\xb6\x03"), PLAIN_NONE);     /* MOVZX */
	assert_int_equal(DECODE("\x48\x63\x03"), PLAIN_NONE);     /* MOVSXD */
	assert_int_equal(DECODE("\x03\x03"), PLAIN_NONE);         /* ADD */
	assert_int_equal(DECODE("\xc7\x03\x01\x00\x00\x00"), PLAIN_NONE);
	assert_int_equal(DECODE("\x8b\x23"), PLAIN_NONE);         /* ESP would be written */
	assert_int_equal(DECODE("\x65\x8b\x03"), PLAIN_NONE);     /* GS */
	assert_int_equal(DECODE("\x67\x8b\x03"), PLAIN_NONE);     /* [ebx] */
	assert_int_equal(DECODE("\x8b\xc3"), PLAIN_NONE);         /* registers */
	assert_int_equal(decode("\x8b\x03", 2, CODE_32), PLAIN_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plain_moves_are_emulated_alike, build),
		cmocka_unit_test_setup(test_plain_is_what_drivers_use, build),
		cmocka_unit_test_setup(test_plain_is_nothing_else, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
