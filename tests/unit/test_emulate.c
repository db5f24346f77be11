/* Instructions on device memory, from bytes to effects. Expected flags and results: SDM Vol. 2, "Operation" and "Flags
 * Affected" of each instruction; the arithmetic is compared with the host's own CPU besides. */
#include "vmm/decode/alu.h"
#include "vmm/decode/emulate.h"
#include "tests/unit/unit.h"

#define DEVICE     0xfec00010ULL
#define LINEAR     0xffffffffff5fd010ULL
#define FLAGS_IDLE 0x246ULL

static struct vcpu_state vcpu;
static struct instruction instruction;
static struct emulation emulation;
static struct emulation_result result;

static int build(void **state)
{
	(void)state;
	memset(&vcpu, 0, sizeof(vcpu));
	for (unsigned i = 0; i < GPR_COUNT; i++)
		vcpu.gpr[i] = 0x1111111111111111U * i;
	vcpu.gpr[GPR_RBX] = LINEAR;
	vcpu.exit.gpa = DEVICE;
	vcpu.exit.rflags = FLAGS_IDLE;
	return 0;
}

static enum status prepare(enum code_size code_size, const char *bytes, size_t count)
{
	assert_int_equal(decode_instruction((const uint8_t *)bytes, count, code_size, &instruction), OK);
	assert_int_equal(instruction.length_bytes, count);
	return emulation_prepare(&instruction, &vcpu, &emulation);
}

/* Runs 64-bit code whose operand holds held. */
static void run(const char *bytes, size_t count, uint64_t held)
{
	assert_int_equal(prepare(CODE_64, bytes, count), OK);
	assert_int_equal(emulation.access.start.raw, vcpu.exit.gpa);
	emulation_finish(&emulation, &vcpu, held, &result);
	assert_int_equal(result.advance_bytes, count);
}

#define RUN(bytes, held) run(bytes, sizeof(bytes) - 1, held)
#define PREPARE(mode, bytes) prepare(mode, bytes, sizeof(bytes) - 1)

static void expect_access(bool reads, bool writes, unsigned width)
{
	assert_int_equal(emulation.access.reads, reads);
	assert_int_equal(emulation.access.writes, writes);
	assert_int_equal(emulation.access.width_bytes, width);
	assert_int_equal(emulation.access.count, 1);
}

static void expect_register(unsigned number, uint64_t value)
{
	assert_int_equal(result.register_count, 1);
	assert_int_equal(result.registers[0].number, number);
	assert_int_equal(result.registers[0].value, value);
}

static void test_emulate_load_merges_by_width(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RAX] = 0x1122334455667788;
	RUN("\x8a\x03", 0xfff1);
	expect_access(true, false, 1);
	expect_register(GPR_RAX, 0x11223344556677f1);
	RUN("\x8a\x23", 0xf2); /* AH */
	expect_register(GPR_RAX, 0x112233445566f288);
	RUN("\x66\x8b\x03", 0xabcdef01);
	expect_register(GPR_RAX, 0x112233445566ef01);
	RUN("\x8b\x03", 0xffffffff89abcdef);
	expect_register(GPR_RAX, 0x89abcdef);
	RUN("\x48\x8b\x03", UINT64_MAX);
	expect_register(GPR_RAX, UINT64_MAX);
	assert_false(result.changes_flags);
}

static void test_emulate_extending_loads(void **state)
{
	(void)state;
	RUN("\x0f\xb6\x0b", 0x180);
	expect_access(true, false, 1);
	expect_register(GPR_RCX, 0x80);
	RUN("\x0f\xbe\x0b", 0x80);
	expect_register(GPR_RCX, 0xffffff80);
	RUN("\x48\x0f\xbf\x0b", 0x8000);
	expect_register(GPR_RCX, 0xffffffffffff8000);
	RUN("\x48\x63\x0b", 0x80000000);
	expect_register(GPR_RCX, 0xffffffff80000000);
	RUN("\x66\x0f\xb6\x0b", 0x80);
	expect_register(GPR_RCX, 0x1111111111110080);
}

static void test_emulate_stores(void **state)
{
	(void)state;
	RUN("\x44\x89\x03", 0);
	expect_access(false, true, 4);
	assert_int_equal(result.write_value, 0x88888888);
	assert_int_equal(result.register_count, 0);
	vcpu.gpr[GPR_RDX] = 0xaabb;
	RUN("\x88\x33", 0); /* DH */
	assert_int_equal(result.write_value, 0xaa);
	RUN("\x48\xc7\x03\xfe\xff\xff\xff", 0);
	assert_int_equal(result.write_value, 0xfffffffffffffffe);
	RUN("\xc6\x03\xfe", 0);
	assert_int_equal(result.write_value, 0xfe);
	assert_false(result.changes_flags);
}

static void test_emulate_tests_and_compares_only_read(void **state)
{
	(void)state;
	RUN("\xf7\x03\x00\x10\x00\x00", 0x1000);
	expect_access(true, false, 4);
	assert_int_equal(result.register_count, 0);
	assert_int_equal(result.flags & VCPU_REPLY_FLAGS_MASK, RFLAGS_PF);
	RUN("\x83\x3b\x01", 0); /* cmp dword [rbx], 1 */
	assert_int_equal(result.flags & VCPU_REPLY_FLAGS_MASK, RFLAGS_CF | RFLAGS_SF | RFLAGS_PF | RFLAGS_AF);
	RUN("\x48\x3b\x0b", vcpu.gpr[GPR_RCX]); /* cmp rcx, [rbx] */
	expect_access(true, false, 8);
	assert_int_equal(result.register_count, 0);
	assert_int_equal(result.flags & VCPU_REPLY_FLAGS_MASK, RFLAGS_ZF | RFLAGS_PF);
	assert_int_equal(result.flags & ~VCPU_REPLY_FLAGS_MASK, FLAGS_IDLE & ~VCPU_REPLY_FLAGS_MASK);
}

static void test_emulate_read_modify_write(void **state)
{
	(void)state;
	RUN("\xf0\x81\x0b\x00\x01\x00\x00", 0x80000000); /* lock or dword [rbx], 100h */
	expect_access(true, true, 4);
	assert_int_equal(result.write_value, 0x80000100);
	assert_int_equal(result.flags & VCPU_REPLY_FLAGS_MASK, RFLAGS_SF | RFLAGS_PF);
	RUN("\xff\x03", 0xffffffff); /* inc */
	assert_int_equal(result.write_value, 0);
	assert_int_equal(result.flags & VCPU_REPLY_FLAGS_MASK, RFLAGS_ZF | RFLAGS_PF | RFLAGS_AF);
	RUN("\x66\xf7\x13", 0x00ff); /* not */
	assert_int_equal(result.write_value, 0xff00);
	assert_false(result.changes_flags);
	RUN("\xf6\x1b", 0x80); /* neg */
	assert_int_equal(result.write_value, 0x80);
	assert_int_equal(result.flags & VCPU_REPLY_FLAGS_MASK, RFLAGS_CF | RFLAGS_SF | RFLAGS_OF);
	RUN("\x23\x0b", 0x0f0f0f0f); /* and ecx, [rbx] */
	expect_access(true, false, 4);
	expect_register(GPR_RCX, 0x01010101);
}

static void test_emulate_exchanges(void **state)
{
	(void)state;
	RUN("\x87\x0b", 0x77);
	expect_access(true, true, 4);
	assert_int_equal(result.write_value, 0x11111111);
	expect_register(GPR_RCX, 0x77);
	RUN("\xf0\x0f\xc1\x0b", 0x10); /* lock xadd */
	assert_int_equal(result.write_value, 0x11111121);
	expect_register(GPR_RCX, 0x10);
	vcpu.gpr[GPR_RAX] = 0x55;
	RUN("\x0f\xb1\x0b", 0x55);
	assert_int_equal(result.write_value, 0x11111111);
	assert_int_equal(result.register_count, 0);
	assert_true((result.flags & RFLAGS_ZF) != 0);
	RUN("\x0f\xb1\x0b", 0x56);
	assert_int_equal(result.write_value, 0x56);
	expect_register(GPR_RAX, 0x56);
	assert_int_equal(result.flags & VCPU_REPLY_FLAGS_MASK, RFLAGS_CF | RFLAGS_SF | RFLAGS_PF | RFLAGS_AF);
}

static void test_emulate_bit_operations(void **state)
{
	(void)state;
	RUN("\x0f\xba\x2b\x24", 0); /* bts dword [rbx], 36: bit 4 */
	assert_int_equal(result.write_value, 0x10);
	assert_int_equal(result.flags & RFLAGS_CF, 0);
	RUN("\x0f\xba\x33\x04", 0x11); /* btr */
	assert_int_equal(result.write_value, 0x01);
	assert_int_equal(result.flags & RFLAGS_CF, RFLAGS_CF);
	vcpu.gpr[GPR_RCX] = 0xffffffffffffffff; /* bit -1: bit 31 of the operand below */
	vcpu.gpr[GPR_RBX] = LINEAR + 4;
	RUN("\x0f\xbb\x0b", 0); /* btc dword [rbx], ecx */
	assert_int_equal(result.write_value, 0x80000000);
	vcpu.gpr[GPR_RCX] = 65;
	vcpu.gpr[GPR_RBX] = LINEAR - 8;
	RUN("\x0f\xa3\x0b", 2);
	expect_access(true, false, 4);
	assert_int_equal(result.flags & RFLAGS_CF, RFLAGS_CF);
}

static void test_emulate_single_string_store(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = LINEAR;
	RUN("\x66\xab", 0);
	expect_access(false, true, 2);
	expect_register(GPR_RDI, LINEAR + 2);
	vcpu.gpr[GPR_RAX] = 0xff80;
	vcpu.exit.rflags |= RFLAGS_DF;
	RUN("\xaa", 0);
	assert_int_equal(result.write_value, 0x80);
	expect_register(GPR_RDI, LINEAR - 1);
}

static void expect_progress(unsigned count, int step, uint64_t rdi, uint64_t rcx, unsigned advance)
{
	assert_int_equal(emulation.access.count, count);
	assert_int_equal(emulation.access.step_bytes, step);
	emulation_finish(&emulation, &vcpu, 0, &result);
	assert_int_equal(result.register_count, 2);
	assert_int_equal(result.registers[0].number, GPR_RDI);
	assert_int_equal(result.registers[0].value, rdi);
	assert_int_equal(result.registers[1].number, GPR_RCX);
	assert_int_equal(result.registers[1].value, rcx);
	assert_int_equal(result.advance_bytes, advance);
}

static void test_emulate_repeated_string_store_stops_at_the_page(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = LINEAR;
	vcpu.gpr[GPR_RCX] = 3;
	assert_int_equal(PREPARE(CODE_64, "\xf3\xab"), OK);
	expect_progress(3, 4, LINEAR + 12, 0, 2);
	vcpu.gpr[GPR_RCX] = 0x10000;
	assert_int_equal(PREPARE(CODE_64, "\xf3\xab"), OK);
	expect_progress(0xff0 / 4, 4, LINEAR + 0xff0, 0x10000 - 0xff0 / 4, 0);
	vcpu.exit.rflags |= RFLAGS_DF;
	assert_int_equal(PREPARE(CODE_64, "\xf3\x48\xab"), OK);
	expect_progress(3, -8, LINEAR - 24, 0x10000 - 3, 0);
	vcpu.gpr[GPR_RCX] = 0;
	assert_int_equal(PREPARE(CODE_64, "\xf3\xaa"), OK);
	expect_progress(0, -1, LINEAR, 0, 2);
	vcpu.exit.rflags |= 0x100; /* TF: a trap after each element, which execute.h knows */
	assert_int_equal(PREPARE(CODE_64, "\xf3\xaa"), ERR_UNSUPPORTED);
	assert_int_equal(PREPARE(CODE_64, "\xaa"), OK);
}

static void test_emulate_string_store_keeps_to_its_address_size(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RDI] = 0xaaaabbbbcccc0010;
	vcpu.gpr[GPR_RCX] = 0x9999999999990001;
	vcpu.exit.es_base = 0xfec00000;
	assert_int_equal(PREPARE(CODE_16, "\xf3\xaa"), OK);
	expect_progress(1, 1, 0xaaaabbbbcccc0011, 0x9999999999990000, 2);
}

static void test_emulate_finds_the_operand(void **state)
{
	(void)state;
	vcpu.exit.rip = LINEAR - 0x100;
	assert_int_equal(PREPARE(CODE_64, "\x8b\x05\xfa\x00\x00\x00"), OK); /* [rip + 0xfa] */
	vcpu.exit.gs_base = LINEAR - 0x10;
	assert_int_equal(PREPARE(CODE_64, "\x65\x8b\x04\x25\x10\x00\x00\x00"), OK);
	vcpu.exit.ds_base = 0xfff00010;
	vcpu.gpr[GPR_RSI] = 0xfffffffff0100000;
	vcpu.exit.gla = 0xf0000010;
	vcpu.exit.gla_valid = 1;
	assert_int_equal(PREPARE(CODE_32, "\x8b\x06"), OK); /* wraps at 4 GiB */
	assert_int_equal(PREPARE(CODE_64, "\x8b\x06"), ERR_INVALID);
	vcpu.exit.ss_base = 0x10;
	vcpu.exit.gla = 0x10 + 0x0002;
	vcpu.exit.gpa = 0xfec00012;
	vcpu.gpr[GPR_RBP] = 0xffff;
	vcpu.gpr[GPR_RDI] = 3;
	assert_int_equal(PREPARE(CODE_16, "\x8b\x03"), OK); /* [bp+di] wraps at 64 KiB */
}

static void test_emulate_refuses_another_address(void **state)
{
	(void)state;
	assert_int_equal(PREPARE(CODE_64, "\x8b\x43\x04"), ERR_INVALID);
	assert_int_equal(PREPARE(CODE_64, "\x89\xc3"), ERR_INVALID); /* a register after all */
	vcpu.exit.gla_valid = 1;
	vcpu.exit.gla = LINEAR + 0x1000;
	assert_int_equal(PREPARE(CODE_64, "\x8b\x03"), ERR_INVALID);
	vcpu.exit.gla = LINEAR;
	assert_int_equal(PREPARE(CODE_64, "\x8b\x03"), OK);
}

static void test_emulate_refuses_what_it_cannot_do(void **state)
{
	(void)state;
	assert_int_equal(PREPARE(CODE_64, "\x48\x8b\x23"), ERR_UNSUPPORTED); /* mov rsp, [rbx] */
	assert_int_equal(PREPARE(CODE_64, "\x48\x87\x23"), ERR_UNSUPPORTED);
	assert_int_equal(PREPARE(CODE_64, "\x8a\x23"), OK);     /* AH */
	assert_int_equal(PREPARE(CODE_64, "\x48\x3b\x23"), OK); /* cmp rsp, [rbx] */
	vcpu.gpr[GPR_RBX] = LINEAR - 0x10 + 0xffd;
	vcpu.exit.gpa = 0xfec00ffd;
	assert_int_equal(PREPARE(CODE_64, "\x8b\x03"), ERR_UNSUPPORTED); /* crosses a page */
	assert_int_equal(PREPARE(CODE_64, "\x66\x8b\x03"), ERR_UNSUPPORTED); /* not aligned */
	assert_int_equal(PREPARE(CODE_64, "\x8a\x03"), OK);
	assert_int_equal(PREPARE(CODE_64, "\xa5"), ERR_UNSUPPORTED); /* movsd */
}

static void test_emulate_fills_a_reply(void **state)
{
	struct vcpu_reply reply = {.action = VCPU_REPLY_STOP};

	(void)state;
	RUN("\x23\x0b", 0);
	emulation_to_reply(&result, &reply);
	assert_int_equal(reply.action, VCPU_REPLY_COMPLETE);
	assert_int_equal(reply.register_count, 1);
	assert_int_equal(reply.registers[0].number, GPR_RCX);
	assert_int_equal(reply.registers[0].value, 0);
	assert_int_equal(reply.flags_valid, 0); /* ZF and PF were set before */
	assert_int_equal(reply.advance_bytes, 2);
}

#define HOST_FLAGS(instruction_text, a, b, flags_in, value, flags_out)                                           \
	__asm__("push %[in]; popf; " instruction_text "; pushf; pop %[out]"                                      \
		: [value] "=&r"(value), [out] "=&r"(flags_out)                                                   \
		: "0"(a), [b] "r"(b), [in] "r"((uint64_t)(flags_in))                                             \
		: "cc", "memory")

static void check_against_host(enum operation operation, uint32_t a, uint32_t b, uint64_t flags_in)
{
	uint32_t value = 0;
	uint64_t flags = 0;
	struct alu_result found = alu_compute(operation, a, b, 4, flags_in);

	if (operation == OP_ADD)
		HOST_FLAGS("addl %[b], %[value]", a, b, flags_in, value, flags);
	else if (operation == OP_ADC)
		HOST_FLAGS("adcl %[b], %[value]", a, b, flags_in, value, flags);
	else if (operation == OP_SUB)
		HOST_FLAGS("subl %[b], %[value]", a, b, flags_in, value, flags);
	else if (operation == OP_SBB)
		HOST_FLAGS("sbbl %[b], %[value]", a, b, flags_in, value, flags);
	else if (operation == OP_INC)
		HOST_FLAGS("incl %[value]", a, b, flags_in, value, flags);
	else if (operation == OP_DEC)
		HOST_FLAGS("decl %[value]", a, b, flags_in, value, flags);
	else
		HOST_FLAGS("negl %[value]", a, b, flags_in, value, flags);
	assert_int_equal(found.value, value);
	assert_int_equal(found.flags & VCPU_REPLY_FLAGS_MASK, flags & VCPU_REPLY_FLAGS_MASK);
}

static void test_emulate_arithmetic_agrees_with_the_host(void **state)
{
	static const uint32_t values[] = {0, 1, 2, 0xf, 0x10, 0x7f, 0x80, 0xff, 0x7fffffff, 0x80000000, 0x80000001,
					  0xfffffff0, 0xfffffffe, 0xffffffff, 0x12345678};
	static const enum operation operations[] = {OP_ADD, OP_ADC, OP_SUB, OP_SBB, OP_INC, OP_DEC, OP_NEG};
	const size_t count = sizeof(values) / sizeof(values[0]);

	(void)state;
	for (size_t i = 0; i < count * count * 2 * 7; i++)
		check_against_host(operations[i % 7], values[i / 14 % count], values[i / 14 / count],
				   FLAGS_IDLE | (i / 7 % 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_emulate_load_merges_by_width, build),
		cmocka_unit_test_setup(test_emulate_extending_loads, build),
		cmocka_unit_test_setup(test_emulate_stores, build),
		cmocka_unit_test_setup(test_emulate_tests_and_compares_only_read, build),
		cmocka_unit_test_setup(test_emulate_read_modify_write, build),
		cmocka_unit_test_setup(test_emulate_exchanges, build),
		cmocka_unit_test_setup(test_emulate_bit_operations, build),
		cmocka_unit_test_setup(test_emulate_single_string_store, build),
		cmocka_unit_test_setup(test_emulate_repeated_string_store_stops_at_the_page, build),
		cmocka_unit_test_setup(test_emulate_string_store_keeps_to_its_address_size, build),
		cmocka_unit_test_setup(test_emulate_finds_the_operand, build),
		cmocka_unit_test_setup(test_emulate_refuses_another_address, build),
		cmocka_unit_test_setup(test_emulate_refuses_what_it_cannot_do, build),
		cmocka_unit_test_setup(test_emulate_fills_a_reply, build),
		cmocka_unit_test(test_emulate_arithmetic_agrees_with_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
