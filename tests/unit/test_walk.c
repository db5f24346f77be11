/* Page tables in a small guest memory. Layouts: SDM Vol. 3A, "Paging", the figures of each mode's entries. */
#include "vmm/decode/walk.h"
#include "tests/unit/unit.h"

#define P   0x1ULL
#define W   0x2ULL
#define U   0x4ULL
#define PS  0x80ULL
#define XD  (1ULL << 63)
#define ALL (P | W | U)

#define CR0_PG_WP 0x80010001ULL
#define PAE       0x20ULL
#define LA57      0x1000ULL
#define SMEP      0x100000ULL
#define SMAP      0x200000ULL
#define LMA_NXE   0xd00ULL

#define MEMORY_BYTES 0x10000
#define LINEAR       0x0000123456789abcULL /* indexes: 0, 24h, D1h, B3h, 189h */

static _Alignas(4096) uint8_t memory[MEMORY_BYTES];
static struct gmem gm;
static struct vcpu_exit cpu;
static uint32_t error_code;

static const struct walk_access read_access;
static const struct walk_access write_access = {.is_write = true};
static const struct walk_access fetch_access = {.is_fetch = true};
static const struct walk_access user_read = {.is_user = true};
static const struct walk_access user_fetch = {.is_user = true, .is_fetch = true};

static void put(uint64_t address, uint64_t value)
{
	memcpy(memory + address, &value, 8);
}

static void put32(uint64_t address, uint32_t value)
{
	memcpy(memory + address, &value, 4);
}

/* 4-level tables at 1000h, 2000h, 3000h, 4000h that map LINEAR to 55AAAABCh. */
static int build(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	gm = (struct gmem){0};
	assert_int_equal(gmem_add_slot(&gm, gpa(0), MEMORY_BYTES, memory), OK);
	cpu = (struct vcpu_exit){.cr0 = CR0_PG_WP, .cr3 = 0x1018, .cr4 = PAE, .efer = LMA_NXE};
	put(0x1000 + 8 * 0x24, 0x2000 | ALL);
	put(0x2000 + 8 * 0xd1, 0x3000 | ALL);
	put(0x3000 + 8 * 0xb3, 0x4000 | ALL);
	put(0x4000 + 8 * 0x189, 0x55aaa000 | ALL);
	error_code = 0;
	return 0;
}

static void expect_address(uint64_t linear, struct walk_access access, uint64_t expected)
{
	gpa_t found;

	assert_int_equal(walk_translate(&gm, &cpu, linear, access, &found, &error_code, NULL), OK);
	assert_int_equal(found.raw, expected);
}

static void expect_fault(struct walk_access access, uint32_t code)
{
	gpa_t found;

	assert_int_equal(walk_translate(&gm, &cpu, LINEAR, access, &found, &error_code, NULL), ERR_FAULT);
	assert_int_equal(error_code, code);
}

static enum status walk(uint64_t linear)
{
	gpa_t found;

	return walk_translate(&gm, &cpu, linear, read_access, &found, &error_code, NULL);
}

static void test_walk_is_identity_without_paging(void **state)
{
	(void)state;
	cpu.cr0 = 1;
	expect_address(0x12345678, read_access, 0x12345678);
}

static void test_walk_4_level(void **state)
{
	(void)state;
	expect_address(LINEAR, read_access, 0x55aaaabc);
	expect_address(LINEAR, user_fetch, 0x55aaaabc);
	assert_int_equal(walk(LINEAR + 0x1000), ERR_FAULT);
	assert_int_equal(walk(0x8000000000000000), ERR_INVALID);
	assert_int_equal(walk(0x0000800000000000), ERR_INVALID);
	assert_int_equal(walk(0xffff800000000000), ERR_FAULT);
}

static void test_walk_large_pages(void **state)
{
	(void)state;
	put(0x3000 + 8 * 0xb3, 0x55a00000 | ALL | PS | 0x1000); /* PAT */
	expect_address(LINEAR, read_access, 0x55a00000 | (LINEAR & 0x1fffff));
	put(0x3000 + 8 * 0xb3, 0x55a00000 | ALL | PS | 0x2000);
	expect_fault(read_access, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED);
	put(0x2000 + 8 * 0xd1, 0x40000000 | ALL | PS);
	expect_address(LINEAR, read_access, 0x40000000 | (LINEAR & 0x3fffffff));
	put(0x1000 + 8 * 0x24, 0x2000 | ALL | PS);
	expect_fault(read_access, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED);
}

static void test_walk_5_level(void **state)
{
	(void)state;
	cpu.cr4 |= LA57;
	cpu.cr3 = 0x5000;
	assert_int_equal(walk(LINEAR), ERR_FAULT);
	put(0x5000, 0x1000 | ALL);
	expect_address(LINEAR, read_access, 0x55aaaabc);
	assert_int_equal(walk(0x0080000000000000), ERR_FAULT);
	assert_int_equal(walk(0x0100000000000000), ERR_INVALID);
}

static void test_walk_pae(void **state)
{
	(void)state;
	cpu.efer = 0;
	cpu.cr3 = 0x6020;
	put(0x6020 + 8 * 3, 0x7000 | P);
	put(0x7000 + 8 * 0x1ff, 0x8000 | ALL);
	put(0x8000, 0x9000 | ALL);
	expect_address(0xffe00123, write_access, 0x9123);
	put(0x7000 + 8 * 0x1ff, 0x600000 | ALL | PS);
	expect_address(0xfff00123, user_read, 0x700123);
	put(0x6020 + 8 * 3, 0x7000 | P | W);
	assert_int_equal(walk(0xfff00123), ERR_FAULT);
	assert_int_equal(error_code, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED);
	assert_int_equal(walk(0x100000000), ERR_INVALID);
}

static void test_walk_32_bit(void **state)
{
	(void)state;
	cpu.efer = 0;
	cpu.cr4 = 0;
	cpu.cr3 = 0x6018;
	put32(0x6000 + 4 * 0x3ff, 0x7000 | ALL);
	put32(0x7000 + 4 * 0x3fe, 0x8000 | P | U);
	expect_address(0xffffe123, user_read, 0x8123);
	put32(0x6000 + 4, 0x00402000 | ALL | PS); /* with PSE: 4 MiB at 100400000h; without: a table */
	expect_address(0x00412345, read_access, 0xfffff345); /* it reads as all-ones, which reserves nothing */
	cpu.cr4 = 0x10;
	expect_address(0x00412345, read_access, 0x100412345);
	put32(0x6000 + 4, UINT32_MAX);
	assert_int_equal(walk(0x00412345), ERR_FAULT);
	assert_int_equal(error_code, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED);
}

static void test_walk_combines_rights(void **state)
{
	(void)state;
	put(0x2000 + 8 * 0xd1, 0x3000 | P | U); /* one level read-only */
	expect_address(LINEAR, user_read, 0x55aaaabc);
	expect_fault(write_access, PAGE_FAULT_PRESENT | PAGE_FAULT_WRITE);
	cpu.cr0 &= ~0x10000ULL;
	expect_address(LINEAR, write_access, 0x55aaaabc);
	put(0x1000 + 8 * 0x24, 0x2000 | P | W);
	expect_fault(user_read, PAGE_FAULT_PRESENT | PAGE_FAULT_USER);
	put(0x3000 + 8 * 0xb3, 0x4000 | ALL | XD);
	expect_fault(fetch_access, PAGE_FAULT_PRESENT | PAGE_FAULT_FETCH);
	cpu.efer = 0x500; /* no NXE: the bit is reserved */
	expect_fault(read_access, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED);
}

static void test_walk_smep_and_smap(void **state)
{
	(void)state;
	cpu.cr4 |= SMEP;
	expect_fault(fetch_access, PAGE_FAULT_PRESENT | PAGE_FAULT_FETCH);
	expect_address(LINEAR, user_fetch, 0x55aaaabc);
	cpu.cr4 = PAE | SMAP;
	expect_address(LINEAR, fetch_access, 0x55aaaabc);
	expect_fault(write_access, PAGE_FAULT_PRESENT | PAGE_FAULT_WRITE);
	cpu.rflags = 1 << 18;
	expect_address(LINEAR, write_access, 0x55aaaabc);
}

static void test_walk_faults_where_nothing_is_present(void **state)
{
	(void)state;
	put(0x4000 + 8 * 0x189, XD | 0x55aaa000 | W);
	expect_fault(write_access, PAGE_FAULT_WRITE);
	expect_fault(user_fetch, PAGE_FAULT_USER | PAGE_FAULT_FETCH);
	cpu.efer = 0x500;
	expect_fault(user_fetch, PAGE_FAULT_USER);
}

/* Nobody answers there: an entry of all-ones, with its reserved bits. */
static void test_walk_meets_reserved_bits_where_tables_are_outside_memory(void **state)
{
	(void)state;
	put(0x2000 + 8 * 0xd1, 0x000ffffffffff000 | ALL);
	expect_fault(user_read, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED | PAGE_FAULT_USER);
	cpu.cr3 = MEMORY_BYTES;
	expect_fault(write_access, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED | PAGE_FAULT_WRITE);
	cpu.cr3 = UINT64_MAX;
	expect_fault(read_access, PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED);
}

static uint64_t entry_at(uint64_t address)
{
	uint64_t value;

	memcpy(&value, memory + address, 8);
	return value & 0x60;
}

static void test_walk_marks_entries_where_asked(void **state)
{
	const struct walk_access marking_read = {.marks = true}, marking_write = {.marks = true, .is_write = true};

	(void)state;
	expect_address(LINEAR, write_access, 0x55aaaabc);
	assert_int_equal(entry_at(0x1000 + 8 * 0x24), 0);
	expect_address(LINEAR, marking_read, 0x55aaaabc);
	assert_int_equal(entry_at(0x1000 + 8 * 0x24), 0x20);
	assert_int_equal(entry_at(0x4000 + 8 * 0x189), 0x20);
	expect_address(LINEAR, marking_write, 0x55aaaabc);
	assert_int_equal(entry_at(0x3000 + 8 * 0xb3), 0x20);
	assert_int_equal(entry_at(0x4000 + 8 * 0x189), 0x60);
}

/* A table that is its own page at every level changes under the walk that marks it: it is walked again. */
static void test_walk_again_where_an_entry_has_changed(void **state)
{
	const struct walk_access marking_write = {.marks = true, .is_write = true};

	(void)state;
	cpu.cr3 = 0x5000;
	put(0x5000, 0x5000 | ALL);
	expect_address(0x123, marking_write, 0x5123);
	assert_int_equal(entry_at(0x5000), 0x60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_walk_is_identity_without_paging, build),
		cmocka_unit_test_setup(test_walk_4_level, build),
		cmocka_unit_test_setup(test_walk_large_pages, build),
		cmocka_unit_test_setup(test_walk_5_level, build),
		cmocka_unit_test_setup(test_walk_pae, build),
		cmocka_unit_test_setup(test_walk_32_bit, build),
		cmocka_unit_test_setup(test_walk_combines_rights, build),
		cmocka_unit_test_setup(test_walk_smep_and_smap, build),
		cmocka_unit_test_setup(test_walk_faults_where_nothing_is_present, build),
		cmocka_unit_test_setup(test_walk_meets_reserved_bits_where_tables_are_outside_memory, build),
		cmocka_unit_test_setup(test_walk_marks_entries_where_asked, build),
		cmocka_unit_test_setup(test_walk_again_where_an_entry_has_changed, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
