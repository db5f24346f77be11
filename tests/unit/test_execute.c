/* What the host's CPU cannot be asked: alignment, repetition, page tables with their faults and bits, devices of ring 0. */
#include "tests/unit/execute_machine.h"

/* 4-level tables: 4 KiB pages from 0x40000000 on, flags of each. */
static void map(const uint64_t flags[3])
{
	static const uint64_t physical[] = {DEVICE, DEVICE + 0x1000, BEHIND};

	tables[0][0] = (TABLES + 0x1000) | P | W | U;
	tables[1][1] = (TABLES + 0x2000) | P | W | U;
	tables[2][0] = (TABLES + 0x3000) | P | W | U;
	for (unsigned i = 0; i < 3; i++)
		tables[3][i] = physical[i] | flags[i];
	vcpu.exit.cr0 = CR0_PE | CR0_PG | CR0_WP;
	vcpu.exit.cr3 = TABLES;
	vcpu.exit.cr4 = 0x20;
	vcpu.exit.efer = EFER_LONG;
}

static void test_execute_splits_what_is_not_aligned(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RBX] = DEVICE + 1;
	assert_int_equal(EXECUTE(CODE_64, "\x48\x8b\x03"), OK);
	assert_int_equal(widths, 0x1241);
	vcpu.gpr[GPR_RBX] = DEVICE + 6;
	widths = 0;
	assert_int_equal(EXECUTE(CODE_64, "\x89\x03"), OK);
	assert_int_equal(widths, 0x22);
	vcpu.gpr[GPR_RBX] = BEHIND - 3;
	widths = 0;
	vcpu.gpr[GPR_RAX] = 0x8877665544332211;
	assert_int_equal(EXECUTE(CODE_64, "\x48\x89\x03"), OK);
	assert_int_equal(widths, 0x12);
	assert_int_equal(memory[1][0], 0x44);
	assert_int_equal(memory[1][5], 0x11);
}

static void test_execute_leaves_memory_to_the_cpu(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RBX] = BASE + 1;
	assert_int_equal(EXECUTE(CODE_64, "\xf0\x48\x01\x03"), ERR_INVALID);
	assert_int_equal(EXECUTE(CODE_64, "\x48\x8b\x03"), ERR_INVALID);
	assert_int_equal(EXECUTE(CODE_64, "\x48\x01\xc3"), ERR_INVALID); /* a register */
	assert_int_equal(memory[0][1], 0x11);
}

static void test_execute_writes_to_a_rom_go_to_the_bus(void **state)
{
	(void)state;
	memset(&gm, 0, sizeof(gm));
	assert_int_equal(gmem_add_slot(&gm, gpa(BASE), 4096, memory[0]), OK);
	assert_int_equal(gmem_add_rom(&gm, gpa(DEVICE), 4096, memory[1], NULL), OK);
	vcpu.gpr[GPR_RSI] = BASE;
	vcpu.gpr[GPR_RDI] = DEVICE;
	assert_int_equal(EXECUTE(CODE_64, "\xa5"), OK);
	assert_int_equal(accesses, 1);
	assert_int_equal(memory[1][0], 0x11);
	vcpu.gpr[GPR_RSI] = DEVICE + 4;
	vcpu.gpr[GPR_RDI] = BASE;
	memory[1][4] = 0x44;
	assert_int_equal(EXECUTE(CODE_64, "\xa4"), ERR_INVALID); /* a ROM is read as memory is */
}

static void test_execute_repeats_in_parts(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RSI] = BASE + 0x800;
	vcpu.gpr[GPR_RDI] = DEVICE;
	vcpu.gpr[GPR_RCX] = 300;
	assert_int_equal(EXECUTE(CODE_64, "\xf3\xa4"), OK);
	assert_int_equal(x.rip, vcpu.exit.rip);
	assert_int_equal(x.gpr[GPR_RCX], 300 - EXECUTE_ELEMENTS);
	assert_int_equal(x.gpr[GPR_RDI], DEVICE + EXECUTE_ELEMENTS);
	vcpu.exit.rflags |= 0x100; /* TF */
	assert_int_equal(EXECUTE(CODE_64, "\xf3\xa4"), OK);
	assert_int_equal(x.gpr[GPR_RCX], 299);
	vcpu.exit.rflags = 2;
	vcpu.gpr[GPR_RCX] = 2;
	assert_int_equal(EXECUTE(CODE_64, "\xf3\xa4"), OK);
	assert_int_equal(x.rip, vcpu.exit.rip + 2);
	/* The third element is where the CPU goes on alone. */
	vcpu.gpr[GPR_RDI] = BEHIND - 2;
	vcpu.gpr[GPR_RCX] = 10;
	assert_int_equal(EXECUTE(CODE_64, "\xf3\xa4"), OK);
	assert_int_equal(x.gpr[GPR_RCX], 8);
	assert_int_equal(x.rip, vcpu.exit.rip);
}

static void test_execute_keeps_elements_before_a_fault(void **state)
{
	(void)state;
	map((const uint64_t[]){P | W, P, 0});
	vcpu.gpr[GPR_RSI] = 0x40000ff8;
	vcpu.gpr[GPR_RDI] = 0x40000ffc;
	vcpu.gpr[GPR_RCX] = 9;
	assert_int_equal(EXECUTE(CODE_64, "\xf3\xa4"), OK);
	assert_int_equal(x.gpr[GPR_RCX], 5);
	assert_int_equal(x.gpr[GPR_RSI], 0x40000ffc);
	vcpu.gpr[GPR_RDI] = 0x40001000;
	expect_fault(EXECUTE(CODE_64, "\xf3\xa4"), EXCEPTION_PF, 3);
	assert_int_equal(x.fault.address, 0x40001000);
}

static void test_execute_page_faults_change_nothing(void **state)
{
	(void)state;
	map((const uint64_t[]){P | W, P | W, 0});
	vcpu.gpr[GPR_RBX] = 0x40001ffe;
	expect_fault(EXECUTE(CODE_64, "\x48\x01\x03"), EXCEPTION_PF, 2);
	assert_int_equal(x.fault.address, 0x40002000);
	assert_int_equal(accesses, 0);
	map((const uint64_t[]){P | W, P | W, P | W});
	vcpu.exit.cpl = 3;
	expect_fault(EXECUTE(CODE_64, "\x48\x8b\x03"), EXCEPTION_PF, 5);
	map((const uint64_t[]){P | W | U, P | W | U, P | U});
	expect_fault(EXECUTE(CODE_64, "\x48\x01\x03"), EXCEPTION_PF, 7);
	vcpu.exit.cpl = 0;
	vcpu.exit.cr4 |= CR4_SMAP;
	expect_fault(EXECUTE(CODE_64, "\x48\x8b\x03"), EXCEPTION_PF, 1);
	assert_int_equal(accesses, 0);
	vcpu.exit.rflags |= RFLAGS_AC;
	assert_int_equal(EXECUTE(CODE_64, "\x48\x8b\x03"), OK);
}

static void test_execute_marks_pages(void **state)
{
	(void)state;
	map((const uint64_t[]){P | W, P | W, P | W});
	vcpu.gpr[GPR_RBX] = 0x40001ffe;
	assert_int_equal(EXECUTE(CODE_64, "\x8b\x03"), OK);
	assert_int_equal(tables[3][1] & (ACCESSED | DIRTY), ACCESSED);
	assert_int_equal(tables[3][2] & (ACCESSED | DIRTY), ACCESSED);
	assert_int_equal(tables[0][0] & ACCESSED, ACCESSED);
	assert_int_equal(EXECUTE(CODE_64, "\x89\x03"), OK);
	assert_int_equal(tables[3][2] & (ACCESSED | DIRTY), ACCESSED | DIRTY);
	assert_int_equal(tables[2][0] & DIRTY, 0);
	assert_int_equal(tables[3][0] & (ACCESSED | DIRTY), 0);
}

static void test_execute_addresses_are_canonical(void **state)
{
	(void)state;
	map((const uint64_t[]){P | W, P | W, P | W});
	vcpu.gpr[GPR_RBX] = 0x7fffffffffff;
	expect_fault(EXECUTE(CODE_64, "\x8b\x03"), EXCEPTION_GP, 0);
	vcpu.gpr[GPR_RBP] = 0x800000000000;
	expect_fault(EXECUTE(CODE_64, "\x8b\x45\x00"), EXCEPTION_SS, 0);
	memset(device, 0x99, 8);
	vcpu.gpr[GPR_RBX] = 0x40000000;
	expect_fault(EXECUTE(CODE_64, "\xff\x23"), EXCEPTION_GP, 0); /* jmp */
}

/* Before anything is read: a shadow stack would no longer fit. */
static void test_execute_no_branches_under_control_flow_enforcement(void **state)
{
	(void)state;
	vcpu.gpr[GPR_RBX] = DEVICE;
	vcpu.exit.cr4 |= 1ULL << 23;
	assert_int_equal(EXECUTE(CODE_64, "\xff\x13"), ERR_UNSUPPORTED); /* call */
	assert_int_equal(EXECUTE(CODE_64, "\xff\x23"), ERR_UNSUPPORTED); /* jmp */
	assert_int_equal(EXECUTE(CODE_64, "\x48\xff\x2b"), ERR_UNSUPPORTED); /* far jmp */
}

static void test_execute_alignment_check(void **state)
{
	(void)state;
	vcpu.exit.cr0 |= CR0_AM;
	vcpu.exit.rflags |= RFLAGS_AC;
	vcpu.gpr[GPR_RBX] = DEVICE + 2;
	assert_int_equal(EXECUTE(CODE_64, "\x8b\x03"), OK);
	vcpu.exit.cpl = 3;
	expect_fault(EXECUTE(CODE_64, "\x8b\x03"), EXCEPTION_AC, 0);
	vcpu.gpr[GPR_RBX] = DEVICE + 0xffe; /* as well across a page border */
	expect_fault(EXECUTE(CODE_64, "\x8b\x03"), EXCEPTION_AC, 0);
	assert_int_equal(EXECUTE(CODE_64, "\x66\x8b\x03"), OK);
}

static void test_execute_vector_rules(void **state)
{
	(void)state;
	expect_fault(EXECUTE(CODE_64, "\x0f\x10\x03"), EXCEPTION_UD, 0); /* without CR4.OSFXSR */
	vcpu.exit.cr4 = 0x200;
	assert_int_equal(EXECUTE(CODE_64, "\x0f\x10\x03"), OK);
	vcpu.exit.cr0 |= 8; /* TS */
	expect_fault(EXECUTE(CODE_64, "\x0f\x10\x03"), EXCEPTION_NM, 0);
	vcpu.exit.cr0 ^= 8 | 4; /* EM */
	expect_fault(EXECUTE(CODE_64, "\x0f\x6f\x03"), EXCEPTION_UD, 0);
	vcpu.exit.cr0 ^= 4;
	vcpu.gpr[GPR_RBX] = DEVICE + 8;
	expect_fault(EXECUTE(CODE_64, "\x0f\x28\x03"), EXCEPTION_GP, 0);
	expect_fault(EXECUTE(CODE_64, "\xc5\xf8\x10\x03"), EXCEPTION_UD, 0); /* VEX without CR4.OSXSAVE */
	vcpu.exit.cr4 |= 0x40000;
	assert_int_equal(EXECUTE(CODE_64, "\xc5\xfc\x10\x03"), OK);
	assert_int_equal(widths & 0xffff, 0x8888);
}

static void test_execute_divide_error(void **state)
{
	(void)state;
	memset(device, 0, 8);
	vcpu.gpr[GPR_RBX] = DEVICE + 1;
	expect_fault(EXECUTE(CODE_64, "\xf7\x33"), EXCEPTION_DE, 0);
}

static void test_execute_busy_devices_can_be_asked_again(void **state)
{
	(void)state;
	device_is_busy = true;
	assert_int_equal(EXECUTE(CODE_64, "\xff\x33"), ERR_BUSY); /* push [rbx] */
	device_is_busy = false;
	vcpu.gpr[GPR_RSP] = BASE + 0x100;
	assert_int_equal(EXECUTE(CODE_64, "\xff\x33"), OK);
	assert_int_equal(memory[0][0xf8], 0x22);
	assert_int_equal(x.gpr[GPR_RSP], BASE + 0xf8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_execute_splits_what_is_not_aligned, build),
		cmocka_unit_test_setup(test_execute_leaves_memory_to_the_cpu, build),
		cmocka_unit_test_setup(test_execute_writes_to_a_rom_go_to_the_bus, build),
		cmocka_unit_test_setup(test_execute_repeats_in_parts, build),
		cmocka_unit_test_setup(test_execute_keeps_elements_before_a_fault, build),
		cmocka_unit_test_setup(test_execute_page_faults_change_nothing, build),
		cmocka_unit_test_setup(test_execute_marks_pages, build),
		cmocka_unit_test_setup(test_execute_addresses_are_canonical, build),
		cmocka_unit_test_setup(test_execute_no_branches_under_control_flow_enforcement, build),
		cmocka_unit_test_setup(test_execute_alignment_check, build),
		cmocka_unit_test_setup(test_execute_vector_rules, build),
		cmocka_unit_test_setup(test_execute_divide_error, build),
		cmocka_unit_test_setup(test_execute_busy_devices_can_be_asked_again, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
