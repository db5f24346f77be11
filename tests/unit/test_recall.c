/* Remembered instructions: given again only while all they came from is as it was. A 32-bit page table at 1000h maps 2000h to
 * 5000h, 4-level tables at 8000h to B000h map it to 6000h. */
#include "vmm/decode/recall.h"
#include "tests/unit/unit.h"

#define MEMORY_BYTES 0x10000
#define RIP          0x2100

static _Alignas(4096) uint8_t memory[MEMORY_BYTES];
static struct gmem gm;
static struct vcpu_exit cpu;
static struct recall recall;
static const struct recalled *found;

/* mov eax, [rbx]; mov [rbx], eax; mov dword [rax+rax+11223344h], 55667788h (11 bytes) */
static const uint8_t load[] = {0x8b, 0x03};
static const uint8_t store[] = {0x89, 0x03};
static const uint8_t long_mov[] = {0xc7, 0x84, 0x00, 0x44, 0x33, 0x22, 0x11, 0x88, 0x77, 0x66, 0x55};

static void put32(uint64_t address, uint32_t value)
{
	memcpy(memory + address, &value, 4);
}

static void put64(uint64_t address, uint64_t value)
{
	memcpy(memory + address, &value, 8);
}

static int build(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	memset(&recall, 0, sizeof(recall));
	gm = (struct gmem){0};
	assert_int_equal(gmem_add_slot(&gm, gpa(0), MEMORY_BYTES, memory), OK);
	put32(0x1000, 0x1007); /* the directory is its own first table */
	put32(0x1000 + 4 * 2, 0x5007);
	put32(0x1000 + 4 * 3, 0x4007);
	put64(0x8000, 0x9007);
	put64(0x9000, 0xa007);
	put64(0xa000, 0xb007);
	put64(0xb000 + 8 * 2, 0x6007);
	memcpy(memory + 0x5100, load, sizeof(load));
	memcpy(memory + 0x6100, store, sizeof(store));
	cpu = (struct vcpu_exit){.cr0 = 0x80000001, .cr3 = 0x1000, .cs_attributes = 0x4000, .rip = RIP};
	return 0;
}

static void enter_64_bit_mode(void)
{
	cpu.cr3 = 0x8000;
	cpu.cr4 = 0x20;
	cpu.efer = 0x500;
	cpu.cs_attributes = 0x2000;
}

/* The answer must be that of a fetch without memory. */
static void expect_fetched(void)
{
	struct fetched_code code;
	struct instruction instruction = {0};
	enum status status = fetch_instruction(&gm, &cpu, &code, &instruction);

	assert_int_equal(recall_instruction(&recall, &gm, &cpu, &found), status);
	assert_int_equal(found->code.count, code.count);
	assert_memory_equal(found->code.bytes, code.bytes, sizeof(code.bytes));
	if (status == OK) {
		assert_int_equal(found->instruction.form, instruction.form);
		assert_int_equal(found->instruction.length_bytes, instruction.length_bytes);
		assert_int_equal(found->instruction.immediate, instruction.immediate);
	} else {
		assert_int_equal(found->code.fault_address, code.fault_address);
	}
}

/* A mark in the remembered instruction shows whether it was decoded again. */
static void mark(void)
{
	recall.places[found - recall.places].instruction.immediate = 0x1234567;
}

static bool is_marked(void)
{
	assert_int_equal(recall_instruction(&recall, &gm, &cpu, &found), OK);
	return found->instruction.immediate == 0x1234567;
}

static void test_recall_gives_it_again(void **state)
{
	(void)state;
	expect_fetched();
	mark();
	assert_true(is_marked());
	cpu.rflags = 0x8d5; /* status flags decide nothing */
	assert_true(is_marked());
}

static void test_recall_sees_changed_code(void **state)
{
	(void)state;
	expect_fetched();
	mark();
	memcpy(memory + 0x5100, store, sizeof(store));
	assert_false(is_marked());
	expect_fetched();
	memory[0x510e] ^= 1; /* the last byte that was fetched */
	expect_fetched();
}

static void test_recall_sees_changed_page_tables(void **state)
{
	static const uint64_t entries[] = {0x8000, 0x9000, 0xa000, 0xb010};

	(void)state;
	enter_64_bit_mode();
	for (unsigned i = 0; i < 4; i++) {
		uint64_t before;

		expect_fetched();
		mark();
		memcpy(&before, memory + entries[i], 8);
		put64(entries[i], before ^ 0x20); /* accessed: means nothing, but who knows */
		assert_false(is_marked());
		put64(entries[i], before & ~1ULL);
		expect_fetched();
		assert_int_equal(recall_instruction(&recall, &gm, &cpu, &found), ERR_FAULT);
		put64(entries[i], before);
		expect_fetched();
	}
	put64(0xb010, 0x5007);
	expect_fetched();
	assert_int_equal(found->instruction.form, FORM_REGISTER_MEMORY);
}

/* Everything that a fetch depends on makes it look again. */
static void test_recall_sees_another_mode(void **state)
{
	const struct vcpu_exit before = cpu;

	(void)state;
#define CHANGED(field, value)           \
	do {                            \
		cpu = before;           \
		expect_fetched();       \
		mark();                 \
		cpu.field = (value);    \
		expect_fetched();       \
		cpu = before;           \
	} while (0)
	CHANGED(cr0, 1);
	CHANGED(cr3, 0x8000);
	CHANGED(cr4, 0x20);
	CHANGED(efer, 0x800);
	CHANGED(cs_base, 0x1000);
	CHANGED(cs_attributes, 0);
	CHANGED(cpl, 3);
	CHANGED(rflags, 1 << 17);
	CHANGED(rip, RIP + 4);
#undef CHANGED
	expect_fetched();
	enter_64_bit_mode();
	expect_fetched();
	assert_int_equal(found->instruction.form, FORM_MEMORY_REGISTER);
}

static void test_recall_across_a_page(void **state)
{
	(void)state;
	memcpy(memory + 0x5ffc, long_mov, 4);
	memcpy(memory + 0x4000, long_mov + 4, sizeof(long_mov) - 4);
	cpu.rip = 0x2ffc;
	expect_fetched();
	mark();
	assert_true(is_marked());
	memory[0x4003] ^= 1;
	expect_fetched();
	put32(0x1000 + 4 * 3, 0x7007);
	expect_fetched();
	put32(0x1000 + 4 * 3, 0);
	assert_int_equal(recall_instruction(&recall, &gm, &cpu, &found), ERR_FAULT);
	assert_int_equal(found->code.fault_address, 0x3000);
}

/* More instructions than places: each is right all the same. */
static void test_recall_many(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 32; i++) {
			cpu.rip = RIP + i;
			memcpy(memory + 0x5100 + i, (i + round) % 2 == 0 ? load : store, 2);
			expect_fetched();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_recall_gives_it_again, build),
		cmocka_unit_test_setup(test_recall_sees_changed_code, build),
		cmocka_unit_test_setup(test_recall_sees_changed_page_tables, build),
		cmocka_unit_test_setup(test_recall_sees_another_mode, build),
		cmocka_unit_test_setup(test_recall_across_a_page, build),
		cmocka_unit_test_setup(test_recall_many, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
