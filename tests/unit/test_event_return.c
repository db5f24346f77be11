/* IRET in a small memory: where it leads in each mode, what flags it may change, and its faults. SDM Vol. 2A,
 * "IRET/IRETD/IRETQ--Interrupt Return", operation. */
#include "tests/unit/event_memory.h"
#include "vmm/event/return.h"

#define FRAME 0x9000U

static int build(void **state)
{
	(void)state;
	build_cpu();
	cpu.registers.nmi_blocked = 1;
	return 0;
}

static void frame32(uint32_t eip, uint32_t cs, uint32_t flags, uint32_t esp, uint32_t ss)
{
	const uint32_t values[] = {eip, cs, flags, esp, ss};

	memcpy(memory + FRAME, values, sizeof(values));
}

static void frame64(uint64_t rip, uint64_t cs, uint64_t flags, uint64_t rsp, uint64_t ss)
{
	const uint64_t values[] = {rip, cs, flags, rsp, ss};

	memcpy(memory + FRAME, values, sizeof(values));
}

static void expect_return(unsigned width, uint64_t rip, unsigned cs, uint64_t rsp, uint64_t flags)
{
	assert_int_equal(event_return(&cpu, width), OK);
	assert_true(cpu.is_committed);
	assert_int_equal(cpu.registers.rip, rip);
	assert_int_equal(cpu.registers.cs.selector, cs);
	assert_int_equal(cpu.registers.gpr[GPR_RSP], rsp);
	assert_int_equal(cpu.registers.rflags, flags);
	assert_int_equal(cpu.registers.nmi_blocked, 0);
}

static void expect_fault(unsigned width, uint8_t vector, uint32_t error_code)
{
	const struct vcpu_registers old = cpu.registers;

	assert_int_equal(event_return(&cpu, width), ERR_FAULT);
	assert_int_equal(cpu.fault.vector, vector);
	assert_int_equal(cpu.fault.error_code, error_code);
	assert_memory_equal(&old, &cpu.registers, sizeof(old));
}

static void test_event_return_to_the_same_level(void **state)
{
	(void)state;
	frame32(0x4500, CODE_0, 0x3246ed7, 0, 0);
	expect_return(4, 0x4500, CODE_0, FRAME + 12, 0x246ed7);
	build(state);
	frame32(CODE_0 << 16 | 0x4500, 0x4202, 0, 0, 0);
	cpu.registers.rflags = 0x40002;
	expect_return(2, 0x4500, CODE_0, FRAME + 6, 0x44202); /* AC stays: 16 bits were popped */
}

static void test_event_return_to_a_program(void **state)
{
	(void)state;
	frame32(0x4500, CODE_3 | 3, 0x202, 0xa000, DATA_3 | 3);
	cpu.registers.fs = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xc0f3, .selector = DATA_3 | 3};
	expect_return(4, 0x4500, CODE_3 | 3, 0xa000, 0x202);
	assert_int_equal(cpu.registers.ss.selector, DATA_3 | 3);
	assert_int_equal(cpu.registers.ds.attributes & SEGMENT_NONE, SEGMENT_NONE); /* ring 0's */
	assert_int_equal(cpu.registers.fs.selector, DATA_3 | 3);
}

static void test_event_return_by_a_program_keeps_the_systems_flags(void **state)
{
	(void)state;
	cpu.registers.cs = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xc0fb, .selector = CODE_3 | 3};
	cpu.registers.ss = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xc0f3, .selector = DATA_3 | 3};
	frame32(0x4500, CODE_3 | 3, 0x3003, 0, 0);
	expect_return(4, 0x4500, CODE_3 | 3, FRAME + 12, 0x203); /* IF and IOPL */
	build(state);
	cpu.registers.ss.attributes = 0xc0f3;
	frame32(0x4500, CODE_0, 2, 0, 0);
	expect_fault(4, VECTOR_GP, CODE_0);
}

static void test_event_return_to_virtual_8086_mode(void **state)
{
	static const uint32_t data[] = {0x2000, 0x3000, 0x4000, 0x5000};

	(void)state;
	frame32(0x12, 0x1000, 0x20202, 0xfffe, 0x6000);
	memcpy(memory + FRAME + 20, data, sizeof(data));
	expect_return(4, 0x12, 0x1000, 0xfffe, 0x20202);
	assert_int_equal(cpu.registers.cs.base, 0x10000);
	assert_int_equal(cpu.registers.ss.base, 0x60000);
	assert_int_equal(cpu.registers.es.base, 0x20000);
	assert_int_equal(cpu.registers.gs.base, 0x50000);
}

static void test_event_return_in_real_mode(void **state)
{
	(void)state;
	cpu.registers.cr0 = 0;
	cpu.registers.ss.attributes = 0x93;
	cpu.registers.cs.limit = 0xffff;
	frame32(0x1000U << 16 | 0x12, 0x7202, 0, 0, 0);
	expect_return(2, 0x12, 0x1000, FRAME + 6, 0x7202);
	assert_int_equal(cpu.registers.cs.base, 0x10000);
}

static void long_mode(void)
{
	static const uint64_t entries[] = {0x6007, 0x7007, 0x87};
	struct vcpu_registers *r = &cpu.registers;

	memcpy(memory + DIRECTORY, &entries[0], 8);
	memcpy(memory + 0x6000, &entries[1], 8);
	memcpy(memory + 0x7000, &entries[2], 8);
	r->cr3 = DIRECTORY;
	r->cr0 |= CR0_PG;
	r->cr4 = CR4_PAE;
	r->efer = 0x500;
	r->cs = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xa09b, .selector = CODE_LONG};
}

static void test_event_return_in_long_mode(void **state)
{
	(void)state;
	long_mode();
	frame64(0x4500, CODE_LONG, 0x202, 0x123456780000, 0); /* always with RSP and SS */
	expect_return(8, 0x4500, CODE_LONG, 0x123456780000, 0x202);
	assert_int_equal(cpu.registers.ss.attributes & SEGMENT_NONE, SEGMENT_NONE);
	build(state);
	long_mode();
	frame64(0x4500, CODE_3 | 3, 0x202, 0xa000, DATA_3 | 3); /* to compatibility mode */
	expect_return(8, 0x4500, CODE_3 | 3, 0xa000, 0x202);
	build(state);
	long_mode();
	frame64(0x4500, CODE_3 | 3, 0x202, 0xa000, 3);
	expect_fault(8, VECTOR_GP, 0); /* which needs a stack segment */
	frame64(0x800000000000, CODE_LONG, 0x202, 0xa000, 0);
	expect_fault(8, VECTOR_GP, 0);
	cpu.registers.gpr[GPR_RSP] = 0x800000000000;
	expect_fault(8, VECTOR_SS, 0);
}

static void test_event_return_faults(void **state)
{
	static const struct { uint32_t cs, ss; uint8_t vector; uint32_t error_code; } rows[] = {
		{0, 0, VECTOR_GP, 0},
		{GDT_END, 0, VECTOR_GP, GDT_END},
		{DATA_0, 0, VECTOR_GP, DATA_0},
		{CODE_3, 0, VECTOR_GP, CODE_3},
		{CONFORMING_3, 0, VECTOR_GP, CONFORMING_3},
		{CODE_ABSENT, 0, VECTOR_NP, CODE_ABSENT},
		{CODE_SMALL, 0, VECTOR_GP, 0}, /* EIP beyond its limit */
		{CODE_3 | 3, 0, VECTOR_GP, 0},
		{CODE_3 | 3, GDT_END | 3, VECTOR_GP, GDT_END},
		{CODE_3 | 3, DATA_3, VECTOR_GP, DATA_3},
		{CODE_3 | 3, DATA_0 | 3, VECTOR_GP, DATA_0},
		{CODE_3 | 3, CODE_3 | 3, VECTOR_GP, CODE_3},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(state);
		frame32(0x10000, rows[i].cs, 2, 0xa000, rows[i].ss);
		expect_fault(4, rows[i].vector, rows[i].error_code);
	}
	build(state);
	describe(GDT, DATA_3, 0, 0xfffff, 0xc072);
	frame32(0x4500, CODE_3 | 3, 2, 0xa000, DATA_3 | 3);
	expect_fault(4, VECTOR_SS, DATA_3);
	cpu.registers.ss.limit = FRAME + 7;
	expect_fault(4, VECTOR_SS, 0);
}

static void test_event_return_from_a_device(void **state)
{
	(void)state;
	cpu.registers.gpr[GPR_RSP] = DEVICE; /* all-ones: to virtual-8086 mode, EIP beyond its limit */
	expect_fault(4, VECTOR_GP, 0);
	expect_fault(2, VECTOR_GP, 0xfffc); /* no such code segment */
}

static void test_event_return_refuses(void **state)
{
	(void)state;
	cpu.registers.rflags |= RFLAGS_NT;
	assert_int_equal(event_return(&cpu, 4), ERR_UNSUPPORTED);
	cpu.registers.rflags = 0x20002;
	assert_int_equal(event_return(&cpu, 2), ERR_UNSUPPORTED);
	cpu.registers.cr4 = CR4_CET;
	assert_int_equal(event_return(&cpu, 4), ERR_UNSUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_event_return_to_the_same_level, build),
		cmocka_unit_test_setup(test_event_return_to_a_program, build),
		cmocka_unit_test_setup(test_event_return_by_a_program_keeps_the_systems_flags, build),
		cmocka_unit_test_setup(test_event_return_to_virtual_8086_mode, build),
		cmocka_unit_test_setup(test_event_return_in_real_mode, build),
		cmocka_unit_test_setup(test_event_return_in_long_mode, build),
		cmocka_unit_test_setup(test_event_return_faults, build),
		cmocka_unit_test_setup(test_event_return_from_a_device, build),
		cmocka_unit_test_setup(test_event_return_refuses, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
