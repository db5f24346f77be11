/* Segments in modes that the host's CPU cannot be asked about: limits, types, loads. */
#include "tests/unit/execute_machine.h"

static void test_execute_segments_of_32_bit_code(void **state)
{
	(void)state;
	vcpu.exit.ds_base = 0x80000000;
	vcpu.gpr[GPR_RBX] = 0x80000000 + DEVICE; /* wraps at 4 GiB */
	assert_int_equal(EXECUTE(CODE_32, "\x66\x8b\x43\x01"), OK);
	registers.ds.limit = 0x80000000 + DEVICE + 1;
	expect_fault(EXECUTE(CODE_32, "\x66\x8b\x43\x01"), EXCEPTION_GP, 0);
	registers.ds.attributes = CODE;
	expect_fault(EXECUTE(CODE_32, "\x66\x89\x03"), EXCEPTION_GP, 0);
	registers.ds.attributes = DATA | UNUSABLE;
	expect_fault(EXECUTE(CODE_32, "\x66\x8b\x43\x01"), EXCEPTION_GP, 0);
	registers.ss.attributes = 0xc097; /* expands down: offsets above the limit only */
	registers.ss.limit = DEVICE;
	vcpu.gpr[GPR_RSP] = DEVICE + 5;
	assert_int_equal(EXECUTE(CODE_32, "\x54"), OK);
	assert_int_equal(x.gpr[GPR_RSP], DEVICE + 1);
	vcpu.gpr[GPR_RSP] = DEVICE + 4;
	expect_fault(EXECUTE(CODE_32, "\x54"), EXCEPTION_SS, 0);
}

static void test_execute_real_and_virtual_8086_mode(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		build(NULL);
		vcpu.exit.cr0 = i;
		vcpu.exit.rflags |= i == 1 ? RFLAGS_VM : 0;
		vcpu.exit.ds_base = BASE;
		vcpu.exit.es_base = DEVICE;
		registers.ds.limit = registers.es.limit = 0xffff;
		registers.ds.attributes = UNUSABLE | CODE; /* no types here */
		vcpu.gpr[GPR_RSI] = 0xabcd0ffe;
		vcpu.gpr[GPR_RDI] = 0x12340000;
		vcpu.gpr[GPR_RCX] = 0x77770002;
		assert_int_equal(EXECUTE(CODE_16, "\xf3\xa5"), OK);
		assert_int_equal(x.gpr[GPR_RSI], 0xabcd1002);
		assert_int_equal(x.gpr[GPR_RDI], 0x12340004);
		assert_int_equal(x.gpr[GPR_RCX], 0x77770000);
		assert_int_equal(device[0], 0x11);
		vcpu.gpr[GPR_RBX] = 0xffff;
		expect_fault(EXECUTE(CODE_16, "\x8b\x07"), EXCEPTION_GP, 0); /* a word at FFFFh */
		vcpu.gpr[GPR_RBX] = 0x1000;
		device[0] = 0x34;
		device[1] = 0x12;
		assert_int_equal(EXECUTE(CODE_16, "\x8e\x07"), OK); /* mov es, [bx] */
		assert_true(x.changes_segments);
		assert_int_equal(x.registers.es.base, 0x12340);
		assert_int_equal(x.registers.es.limit, 0xffff);
		assert_int_equal(x.rip, vcpu.exit.rip + 2);
	}
}

/* A GDT at BEHIND: 8 data, 10h code, 18h not present, 20h data of level 3. */
static void test_execute_loads_segments(void **state)
{
	static const uint64_t gdt[] = {0, 0x00cf92000000ffff, 0x00cf9a000000ffff, 0x00cf12000000ffff, 0x00cff2000000ffff};

	(void)state;
	memcpy(memory[1], gdt, sizeof(gdt));
	registers.gdtr = (struct vcpu_segment){.base = BEHIND, .limit = sizeof(gdt) - 1};
	registers.ldtr.attributes = UNUSABLE;
	memset(device, 0, 16);
	device[0] = 0x08;
	assert_int_equal(EXECUTE(CODE_32, "\x8e\x1b"), OK); /* mov ds, [ebx] */
	assert_int_equal(x.registers.ds.selector, 8);
	assert_int_equal(x.registers.ds.attributes, DATA);
	assert_int_equal(memory[1][8 + 5], 0x93);
	expect_fault(EXECUTE(CODE_32, "\x8e\x0b"), EXCEPTION_UD, 0); /* mov cs */
	device[0] = 0x18;
	expect_fault(EXECUTE(CODE_32, "\x8e\x1b"), EXCEPTION_NP, 0x18);
	expect_fault(EXECUTE(CODE_32, "\x8e\x13"), EXCEPTION_SS, 0x18);
	device[0] = 0x10;
	expect_fault(EXECUTE(CODE_32, "\x8e\x13"), EXCEPTION_GP, 0x10);
	device[0] = 0x28;
	expect_fault(EXECUTE(CODE_32, "\x8e\x1b"), EXCEPTION_GP, 0x28);
	device[0] = 0x0c;
	expect_fault(EXECUTE(CODE_32, "\x8e\x1b"), EXCEPTION_GP, 0x0c);
	device[0] = 0;
	assert_int_equal(EXECUTE(CODE_32, "\x8e\x1b"), OK);
	assert_true((x.registers.ds.attributes & UNUSABLE) != 0);
	expect_fault(EXECUTE(CODE_32, "\x8e\x13"), EXCEPTION_GP, 0);
	device[0] = 0x78; /* a far pointer: 12345678h, selector 10h */
	device[1] = 0x56;
	device[2] = 0x34;
	device[3] = 0x12;
	device[4] = 0x10;
	assert_int_equal(EXECUTE(CODE_32, "\xff\x2b"), OK);
	assert_int_equal(x.rip, 0x12345678);
	assert_int_equal(x.registers.cs.selector, 0x10);
	device[4] = 0x23;
	vcpu.exit.cpl = 3;
	assert_int_equal(EXECUTE(CODE_32, "\xc4\x13"), OK); /* les edx, [ebx] */
	assert_int_equal(x.gpr[GPR_RDX], 0x12345678);
	assert_int_equal(x.registers.es.selector, 0x23);
}

/* In IA-32e mode descriptors of systems have 16 bytes. */
static void test_execute_loads_system_segments(void **state)
{
	static const uint64_t gdt[] = {0, 0x00008900ff000067, 0x1234, 0x00008200000000ff, 0, 0x00008900ff000067};

	(void)state;
	memcpy(memory[1], gdt, sizeof(gdt));
	vcpu.exit.efer = registers.efer = 0x500;
	registers.gdtr = (struct vcpu_segment){.base = BEHIND, .limit = sizeof(gdt) - 1};
	memset(device, 0, 16);
	device[0] = 0x08;
	assert_int_equal(EXECUTE(CODE_64, "\x0f\x00\x1b"), OK); /* ltr [rbx] */
	assert_int_equal(x.registers.tr.base, 0x12340000ff00);
	assert_int_equal(x.registers.tr.attributes & 0xff, 0x8b);
	assert_int_equal(memory[1][8 + 5], 0x8b);
	expect_fault(EXECUTE(CODE_64, "\x0f\x00\x1b"), EXCEPTION_GP, 0x08); /* it is busy now */
	device[0] = 0x18;
	expect_fault(EXECUTE(CODE_64, "\x0f\x00\x1b"), EXCEPTION_GP, 0x18); /* an LDT */
	assert_int_equal(EXECUTE(CODE_64, "\x0f\x00\x13"), OK);              /* lldt */
	assert_int_equal(x.registers.ldtr.limit, 0xff);
	memory[1][0x20 + 2] = 1;
	expect_fault(EXECUTE(CODE_64, "\x0f\x00\x13"), EXCEPTION_GP, 0x18); /* its base is not canonical */
	device[0] = 0x28;
	expect_fault(EXECUTE(CODE_64, "\x0f\x00\x1b"), EXCEPTION_GP, 0x28); /* its upper half is beyond the limit */
	device[0] = 0;
	expect_fault(EXECUTE(CODE_64, "\x0f\x00\x1b"), EXCEPTION_GP, 0);
	assert_int_equal(EXECUTE(CODE_64, "\x0f\x00\x13"), OK);
	assert_true((x.registers.ldtr.attributes & UNUSABLE) != 0);
	vcpu.exit.cpl = 3;
	expect_fault(EXECUTE(CODE_64, "\x0f\x00\x13"), EXCEPTION_GP, 0);
}

static void test_execute_machine_status_word(void **state)
{
	(void)state;
	registers.cr0 = vcpu.exit.cr0 = 0x50033;
	assert_int_equal(EXECUTE(CODE_64, "\x0f\x01\x23"), OK); /* smsw */
	assert_int_equal(device[0], 0x33);
	device[0] = 0xfc;
	assert_int_equal(EXECUTE(CODE_64, "\x0f\x01\x33"), OK); /* lmsw: PE stays */
	assert_int_equal(x.registers.cr0, 0x5003d);
	vcpu.exit.cpl = 3;
	expect_fault(EXECUTE(CODE_64, "\x0f\x01\x33"), EXCEPTION_GP, 0);
	assert_int_equal(EXECUTE(CODE_64, "\x0f\x01\x23"), OK);
	vcpu.exit.cr4 = 0x800; /* UMIP */
	expect_fault(EXECUTE(CODE_64, "\x0f\x01\x23"), EXCEPTION_GP, 0);
	expect_fault(EXECUTE(CODE_64, "\x0f\x00\x0b"), EXCEPTION_GP, 0); /* str */
}

/* In virtual-8086 mode PUSHF and POPF need IOPL 3; elsewhere IOPL and IF change by privilege. */
static void test_execute_flags_by_privilege(void **state)
{
	(void)state;
	memset(device, 0, 16);
	device[1] = 0x32; /* IOPL 3, IF */
	vcpu.gpr[GPR_RSP] = DEVICE;
	assert_int_equal(EXECUTE(CODE_32, "\x9d"), OK);
	assert_int_equal(x.rflags, 0x3202);
	vcpu.exit.cpl = 3;
	assert_int_equal(EXECUTE(CODE_32, "\x9d"), OK);
	assert_int_equal(x.rflags, 0x2);
	vcpu.exit.rflags = 0x2 | RFLAGS_VM;
	expect_fault(EXECUTE(CODE_16, "\x9d"), EXCEPTION_GP, 0);
	vcpu.gpr[GPR_RSP] = DEVICE + 8;
	expect_fault(EXECUTE(CODE_16, "\x9c"), EXCEPTION_GP, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_execute_segments_of_32_bit_code, build),
		cmocka_unit_test_setup(test_execute_real_and_virtual_8086_mode, build),
		cmocka_unit_test_setup(test_execute_loads_segments, build),
		cmocka_unit_test_setup(test_execute_loads_system_segments, build),
		cmocka_unit_test_setup(test_execute_machine_status_word, build),
		cmocka_unit_test_setup(test_execute_flags_by_privilege, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
