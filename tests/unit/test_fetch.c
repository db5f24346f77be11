/* Instruction fetch through a page table: 2000h maps to 5000h, 3000h to 4000h (or nothing). */
#include "vmm/decode/fetch.h"
#include "vmm/decode/walk.h"
#include "tests/unit/unit.h"

#define MEMORY_BYTES 0x10000

static _Alignas(4096) uint8_t memory[MEMORY_BYTES];
static struct gmem gm;
static struct vcpu_exit cpu;
static struct fetched_code code;
static struct instruction instruction;

/* mov dword [rax+rax+11223344h], 55667788h: 11 bytes */
static const uint8_t long_mov[] = {0xc7, 0x84, 0x00, 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55};

static void put32(uint64_t address, uint32_t value)
{
	memcpy(memory + address, &value, 4);
}

static int build(void **state)
{
	(void)state;
	memset(memory, 0x90, sizeof(memory));
	gm = (struct gmem){0};
	assert_int_equal(gmem_add_slot(&gm, gpa(0), MEMORY_BYTES, memory), OK);
	memset(memory + 0x1000, 0, 0x1000);
	put32(0x1000, 0x1007); /* the directory is its own first table */
	put32(0x1000 + 4 * 2, 0x5007);
	put32(0x1000 + 4 * 3, 0x4007);
	cpu = (struct vcpu_exit){.cr0 = 0x80000001, .cr3 = 0x1000, .cs_attributes = 0x4000, .rip = 0x2100};
	return 0;
}

static void test_fetch_reads_through_the_page_tables(void **state)
{
	(void)state;
	memcpy(memory + 0x5100, long_mov, sizeof(long_mov));
	assert_int_equal(fetch_instruction(&gm, &cpu, &code, &instruction), OK);
	assert_int_equal(instruction.length_bytes, sizeof(long_mov));
	cpu.cs_base = 0xfffff000; /* wraps */
	cpu.rip = 0x3100;
	assert_int_equal(fetch_instruction(&gm, &cpu, &code, &instruction), OK);
}

static void test_fetch_crosses_a_page(void **state)
{
	(void)state;
	for (size_t first = 1; first < sizeof(long_mov); first++) {
		memcpy(memory + 0x6000 - first, long_mov, first);
		memcpy(memory + 0x4000, long_mov + first, sizeof(long_mov) - first);
		cpu.rip = 0x3000 - first;
		assert_int_equal(fetch_instruction(&gm, &cpu, &code, &instruction), OK);
		assert_int_equal(instruction.immediate, 0x55667788);
		assert_int_equal(code.count, 15);
	}
}

static void test_fetch_needs_the_second_page_only_if_the_instruction_does(void **state)
{
	(void)state;
	put32(0x1000 + 4 * 3, 0);
	memcpy(memory + 0x6000 - sizeof(long_mov), long_mov, sizeof(long_mov));
	cpu.rip = 0x3000 - sizeof(long_mov);
	assert_int_equal(fetch_instruction(&gm, &cpu, &code, &instruction), OK);
	memcpy(memory + 0x6000 - 4, long_mov, 4);
	cpu.rip = 0x3000 - 4;
	cpu.cpl = 3;
	assert_int_equal(fetch_instruction(&gm, &cpu, &code, &instruction), ERR_FAULT);
	assert_int_equal(code.fault_address, 0x3000);
	assert_int_equal(code.fault_error_code, PAGE_FAULT_USER);
	assert_int_equal(code.count, 4);
}

static void test_fetch_refuses_code_outside_memory(void **state)
{
	(void)state;
	put32(0x1000 + 4 * 2, 0xfee00007);
	assert_int_equal(fetch_instruction(&gm, &cpu, &code, &instruction), ERR_OUT_OF_RANGE);
	cpu.rip = 0x3100;
	assert_int_equal(fetch_instruction(&gm, &cpu, &code, &instruction), ERR_UNSUPPORTED); /* NOPs */
	assert_int_equal(code.bytes[0], 0x90);
	memset(memory + 0x4100, 0x66, 15);
	assert_int_equal(fetch_instruction(&gm, &cpu, &code, &instruction), ERR_INVALID);
}

static void test_fetch_code_size_by_mode(void **state)
{
	(void)state;
	assert_int_equal(fetch_code_size(&cpu), CODE_32);
	cpu.cs_attributes = 0;
	assert_int_equal(fetch_code_size(&cpu), CODE_16);
	cpu.cs_attributes = 0x2000;
	assert_int_equal(fetch_code_size(&cpu), CODE_16);
	cpu.efer = 0x400;
	assert_int_equal(fetch_code_size(&cpu), CODE_64);
	cpu.cs_attributes = 0x4000;
	assert_int_equal(fetch_code_size(&cpu), CODE_32);
	cpu.rflags = 1 << 17;
	assert_int_equal(fetch_code_size(&cpu), CODE_16);
	cpu.rflags = 0;
	cpu.cr0 = 0x10;
	assert_int_equal(fetch_code_size(&cpu), CODE_16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fetch_reads_through_the_page_tables, build),
		cmocka_unit_test_setup(test_fetch_crosses_a_page, build),
		cmocka_unit_test_setup(test_fetch_needs_the_second_page_only_if_the_instruction_does, build),
		cmocka_unit_test_setup(test_fetch_refuses_code_outside_memory, build),
		cmocka_unit_test_setup(test_fetch_code_size_by_mode, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
