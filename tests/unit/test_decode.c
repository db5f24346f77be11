/* Encodings from the SDM's opcode tables; the lengths of many more are compared with nasm and objdump by tests/decode. */
#include "abi/vcpu.h"
#include "vmm/decode/instruction.h"
#include "tests/unit/unit.h"

#define NONE REGISTER_NONE

struct example {
	const char *text;
	enum code_size code_size;
	uint8_t count;
	uint8_t bytes[15];
	enum operation operation;
	enum operand_form form;
	uint8_t memory_bytes, register_bytes, register_number, base, index, scale_shift;
	enum segment segment;
	int64_t displacement;
	int64_t immediate;
};

static const struct example examples[] = {
	{"mov eax, [rbx]", CODE_64, 2, {0x8b, 0x03}, OP_MOV, FORM_REGISTER_MEMORY, 4, 4, 0, 3, NONE, 0, SEGMENT_DS, 0, 0},
	{"mov [rdi+0x10], r9d", CODE_64, 4, {0x44, 0x89, 0x4f, 0x10}, OP_MOV, FORM_MEMORY_REGISTER, 4, 4, 9, 7, NONE, 0,
	 SEGMENT_DS, 0x10, 0},
	{"mov rax, [rsp+rcx*8-1]", CODE_64, 5, {0x48, 0x8b, 0x44, 0xcc, 0xff}, OP_MOV, FORM_REGISTER_MEMORY, 8, 8, 0, 4, 1, 3,
	 SEGMENT_SS, -1, 0},
	{"mov dword [0xffffffffff5fc380], 7", CODE_64, 11, {0xc7, 0x04, 0x25, 0x80, 0xc3, 0x5f, 0xff, 7, 0, 0, 0}, OP_MOV,
	 FORM_MEMORY_IMMEDIATE, 4, 4, 0, NONE, NONE, 0, SEGMENT_DS, -0xa03c80, 7},
	{"mov qword [r13], -2", CODE_64, 8, {0x49, 0xc7, 0x45, 0x00, 0xfe, 0xff, 0xff, 0xff}, OP_MOV, FORM_MEMORY_IMMEDIATE, 8,
	 8, 0, 13, NONE, 0, SEGMENT_DS, 0, -2},
	{"mov byte [r12], 0x80", CODE_64, 5, {0x41, 0xc6, 0x04, 0x24, 0x80}, OP_MOV, FORM_MEMORY_IMMEDIATE, 1, 1, 0, 12, NONE,
	 0, SEGMENT_DS, 0, -0x80},
	{"mov gs:[rax], cx", CODE_64, 4, {0x65, 0x66, 0x89, 0x08}, OP_MOV, FORM_MEMORY_REGISTER, 2, 2, 1, 0, NONE, 0,
	 SEGMENT_GS, 0, 0},
	{"mov al, [0x1122334455667788]", CODE_64, 9, {0xa0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11}, OP_MOV,
	 FORM_REGISTER_MEMORY, 1, 1, 0, NONE, NONE, 0, SEGMENT_DS, 0x1122334455667788, 0},
	{"mov [0x11223344], eax (a32)", CODE_64, 6, {0x67, 0xa3, 0x44, 0x33, 0x22, 0x11}, OP_MOV, FORM_MEMORY_REGISTER, 4, 4, 0,
	 NONE, NONE, 0, SEGMENT_DS, 0x11223344, 0},
	{"movzx eax, byte [r14]", CODE_64, 4, {0x41, 0x0f, 0xb6, 0x06}, OP_MOV, FORM_REGISTER_MEMORY, 1, 4, 0, 14, NONE, 0,
	 SEGMENT_DS, 0, 0},
	{"movsx rcx, word [rax]", CODE_64, 4, {0x48, 0x0f, 0xbf, 0x08}, OP_MOVSX, FORM_REGISTER_MEMORY, 2, 8, 1, 0, NONE, 0,
	 SEGMENT_DS, 0, 0},
	{"movsxd rcx, dword [rax]", CODE_64, 3, {0x48, 0x63, 0x08}, OP_MOVSX, FORM_REGISTER_MEMORY, 4, 8, 1, 0, NONE, 0,
	 SEGMENT_DS, 0, 0},
	{"test dword [rbx], 0x100", CODE_64, 6, {0xf7, 0x03, 0, 1, 0, 0}, OP_TEST, FORM_MEMORY_IMMEDIATE, 4, 4, 0, 3, NONE, 0,
	 SEGMENT_DS, 0, 0x100},
	{"not byte [rbx]", CODE_64, 2, {0xf6, 0x13}, OP_NOT, FORM_MEMORY, 1, 1, 0, 3, NONE, 0, SEGMENT_DS, 0, 0},
	{"or dword [rax+rax], -16", CODE_64, 4, {0x83, 0x0c, 0x00, 0xf0}, OP_OR, FORM_MEMORY_IMMEDIATE, 4, 4, 0, 0, 0, 0,
	 SEGMENT_DS, 0, -16},
	{"stosd", CODE_64, 1, {0xab}, OP_STOS, FORM_MEMORY_REGISTER, 4, 4, 0, 7, NONE, 0, SEGMENT_ES, 0, 0},
	{"bts dword [rax], 5", CODE_64, 4, {0x0f, 0xba, 0x28, 5}, OP_BTS, FORM_MEMORY_IMMEDIATE, 4, 4, 0, 0, NONE, 0, SEGMENT_DS,
	 0, 5},
	{"cmp [bp+si-2], dx", CODE_16, 3, {0x39, 0x52, 0xfe}, OP_CMP, FORM_MEMORY_REGISTER, 2, 2, 2, 5, 6, 0, SEGMENT_SS, -2, 0},
	{"mov ax, [0x1234]", CODE_16, 4, {0x8b, 0x06, 0x34, 0x12}, OP_MOV, FORM_REGISTER_MEMORY, 2, 2, 0, NONE, NONE, 0,
	 SEGMENT_DS, 0x1234, 0},
	{"mov eax, es:[bx+0x1234]", CODE_16, 6, {0x66, 0x26, 0x8b, 0x87, 0x34, 0x12}, OP_MOV, FORM_REGISTER_MEMORY, 4, 4, 0, 3,
	 NONE, 0, SEGMENT_ES, 0x1234, 0},
	{"mov al, [ebp+ebx*2+4] (a32)", CODE_16, 5, {0x67, 0x8a, 0x44, 0x5d, 4}, OP_MOV, FORM_REGISTER_MEMORY, 1, 1, 0, 5, 3, 1,
	 SEGMENT_SS, 4, 0},
	{"mov [0xfee00080], eax", CODE_32, 5, {0xa3, 0x80, 0x00, 0xe0, 0xfe}, OP_MOV, FORM_MEMORY_REGISTER, 4, 4, 0, NONE, NONE,
	 0, SEGMENT_DS, -0x11fff80, 0},
	{"add [di], cl (a16)", CODE_32, 3, {0x67, 0x00, 0x0d}, OP_ADD, FORM_MEMORY_REGISTER, 1, 1, 1, 7, NONE, 0, SEGMENT_DS, 0,
	 0},
	{"xor edx, [ebp+0]", CODE_32, 3, {0x33, 0x55, 0}, OP_XOR, FORM_REGISTER_MEMORY, 4, 4, 2, 5, NONE, 0, SEGMENT_SS, 0, 0},
};

#define EXAMPLES (sizeof(examples) / sizeof(examples[0]))

static void check_example(const struct example *e, const struct instruction *found)
{
	assert_int_equal(found->operation, e->operation);
	assert_int_equal(found->form, e->form);
	assert_int_equal(found->length_bytes, e->count);
	assert_int_equal(found->memory_bytes, e->memory_bytes);
	assert_int_equal(found->register_bytes, e->register_bytes);
	assert_int_equal(found->register_number, e->register_number);
	assert_int_equal(found->memory.base, e->base);
	assert_int_equal(found->memory.index, e->index);
	assert_int_equal(found->memory.scale_shift, e->scale_shift);
	assert_int_equal(found->memory.segment, e->segment);
	assert_int_equal(found->memory.displacement, (uint64_t)e->displacement);
	assert_int_equal(found->immediate, (uint64_t)e->immediate);
	assert_true(found->has_memory);
	assert_false(found->is_locked || found->is_repeated || found->memory.is_rip_relative);
}

static void test_decode_reads_operands(void **state)
{
	struct instruction found;

	(void)state;
	for (size_t i = 0; i < EXAMPLES; i++) {
		if (decode_instruction(examples[i].bytes, 15, examples[i].code_size, &found) != OK)
			fail_msg("%s", examples[i].text);
		check_example(&examples[i], &found);
	}
}

static void test_decode_asks_for_more_bytes(void **state)
{
	struct instruction found;

	(void)state;
	for (size_t i = 0; i < EXAMPLES; i++) {
		for (size_t count = 0; count < examples[i].count; count++)
			assert_int_equal(decode_instruction(examples[i].bytes, count, examples[i].code_size, &found),
					 ERR_TRUNCATED);
		assert_int_equal(decode_instruction(examples[i].bytes, examples[i].count, examples[i].code_size, &found), OK);
	}
}

static void test_decode_refuses_more_than_15_bytes(void **state)
{
	uint8_t bytes[32];
	struct instruction found;

	(void)state;
	memset(bytes, 0x66, sizeof(bytes));
	assert_int_equal(decode_instruction(bytes, 14, CODE_64, &found), ERR_TRUNCATED);
	assert_int_equal(decode_instruction(bytes, 15, CODE_64, &found), ERR_INVALID);
	assert_int_equal(decode_instruction(bytes, 32, CODE_64, &found), ERR_INVALID);
	bytes[13] = 0x8b; /* 13 prefixes, MOV, ModRM: 15 bytes are allowed, 16 are not */
	bytes[14] = 0x00;
	assert_int_equal(decode_instruction(bytes, 32, CODE_64, &found), OK);
	assert_int_equal(found.length_bytes, 15);
	bytes[14] = 0x40;
	assert_int_equal(decode_instruction(bytes, 32, CODE_64, &found), ERR_INVALID);
}

static void test_decode_tells_unknown_from_truncated(void **state)
{
	static const uint8_t cpuid[2] = {0x0f, 0xa2};
	static const uint8_t jump[2] = {0xeb, 0xfe};
	static const uint8_t call_memory[2] = {0xff, 0x18}; /* group 5, /3 */
	struct instruction found;

	(void)state;
	assert_int_equal(decode_instruction(cpuid, 1, CODE_64, &found), ERR_TRUNCATED);
	assert_int_equal(decode_instruction(cpuid, 2, CODE_64, &found), ERR_UNSUPPORTED);
	assert_int_equal(decode_instruction(jump, 1, CODE_64, &found), ERR_UNSUPPORTED);
	assert_int_equal(decode_instruction(call_memory, 2, CODE_64, &found), ERR_UNSUPPORTED);
	assert_int_equal(decode_instruction(call_memory, 0, CODE_64, &found), ERR_TRUNCATED);
}

static void test_decode_knows_what_differs_by_mode(void **state)
{
	static const uint8_t bytes[] = {0x63, 0x08};       /* MOVSXD, elsewhere ARPL */
	static const uint8_t rip[] = {0x8a, 0x05, 1, 0, 0, 0}; /* [rip+1], elsewhere [1] */
	struct instruction found;

	(void)state;
	assert_int_equal(decode_instruction(bytes, 2, CODE_64, &found), OK);
	assert_int_equal(decode_instruction(bytes, 2, CODE_32, &found), ERR_UNSUPPORTED);
	assert_int_equal(decode_instruction(rip, 6, CODE_64, &found), OK);
	assert_true(found.memory.is_rip_relative);
	assert_int_equal(decode_instruction(rip, 6, CODE_32, &found), OK);
	assert_false(found.memory.is_rip_relative);
	assert_int_equal(found.memory.displacement, 1);
}

static void test_decode_takes_high_bytes_only_without_rex(void **state)
{
	static const uint8_t plain[] = {0x88, 0x20};     /* mov [rax], ah */
	static const uint8_t rex[] = {0x40, 0x88, 0x20}; /* mov [rax], spl */
	struct instruction found;

	(void)state;
	assert_int_equal(decode_instruction(plain, 2, CODE_64, &found), OK);
	assert_true(found.register_is_high);
	assert_int_equal(found.register_number, GPR_RAX);
	assert_int_equal(decode_instruction(rex, 3, CODE_64, &found), OK);
	assert_false(found.register_is_high);
	assert_int_equal(found.register_number, GPR_RSP);
}

static void test_decode_ignores_prefixes_that_have_no_say(void **state)
{
	static const uint8_t rex_early[] = {0x48, 0x66, 0x89, 0x00}; /* REX before another prefix is void */
	static const uint8_t null_segment[] = {0x65, 0x2e, 0x89, 0x00};
	static const uint8_t string[] = {0x64, 0xf3, 0xaa};
	struct instruction found;

	(void)state;
	assert_int_equal(decode_instruction(rex_early, 4, CODE_64, &found), OK);
	assert_int_equal(found.memory_bytes, 2);
	assert_int_equal(decode_instruction(null_segment, 4, CODE_64, &found), OK);
	assert_int_equal(found.memory.segment, SEGMENT_GS);
	assert_int_equal(decode_instruction(null_segment, 4, CODE_32, &found), OK);
	assert_int_equal(found.memory.segment, SEGMENT_CS);
	assert_int_equal(decode_instruction(string, 3, CODE_32, &found), OK);
	assert_int_equal(found.memory.segment, SEGMENT_ES);
	assert_true(found.is_repeated);
}

static void test_decode_allows_lock_only_where_a_cpu_does(void **state)
{
	static const uint8_t locked_or[] = {0xf0, 0x09, 0x03};
	static const uint8_t locked_or_register[] = {0xf0, 0x09, 0xc3};
	static const uint8_t locked_mov[] = {0xf0, 0x89, 0x03};
	static const uint8_t locked_cmp[] = {0xf0, 0x39, 0x03};
	static const uint8_t locked_load_or[] = {0xf0, 0x0b, 0x03};
	struct instruction found;

	(void)state;
	assert_int_equal(decode_instruction(locked_or, 3, CODE_64, &found), OK);
	assert_true(found.is_locked);
	assert_int_equal(decode_instruction(locked_or_register, 3, CODE_64, &found), ERR_INVALID);
	assert_int_equal(decode_instruction(locked_mov, 3, CODE_64, &found), ERR_INVALID);
	assert_int_equal(decode_instruction(locked_cmp, 3, CODE_64, &found), ERR_INVALID);
	assert_int_equal(decode_instruction(locked_load_or, 3, CODE_64, &found), ERR_INVALID);
}

static void test_decode_notes_register_operands(void **state)
{
	static const uint8_t bytes[] = {0x89, 0xc3}; /* mov ebx, eax */
	struct instruction found;

	(void)state;
	assert_int_equal(decode_instruction(bytes, 2, CODE_64, &found), OK);
	assert_false(found.has_memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_reads_operands),
		cmocka_unit_test(test_decode_asks_for_more_bytes),
		cmocka_unit_test(test_decode_refuses_more_than_15_bytes),
		cmocka_unit_test(test_decode_tells_unknown_from_truncated),
		cmocka_unit_test(test_decode_knows_what_differs_by_mode),
		cmocka_unit_test(test_decode_takes_high_bytes_only_without_rex),
		cmocka_unit_test(test_decode_ignores_prefixes_that_have_no_say),
		cmocka_unit_test(test_decode_allows_lock_only_where_a_cpu_does),
		cmocka_unit_test(test_decode_notes_register_operands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
