/* Delivery of events in a small memory: frames in every mode, onto devices too, and the faults of gates, stacks and code segments.
 * SDM Vol. 2A, "INT n/INTO/INT3/INT1", operation; Vol. 3A, "Error Code". */
#include "tests/unit/event_memory.h"
#include "vmm/event/deliver.h"

#define HANDLER 0x4800U
#define RSP64   0x9008U

static struct event event;

static int build(void **state)
{
	(void)state;
	build_cpu();
	event = (struct event){.info = VCPU_EVENT_VALID | VCPU_EVENT_EXCEPTION << 8, .instruction_bytes = 2};
	put32(OLD_TSS + 4, STACK);
	put16(OLD_TSS + 8, DATA_0);
	return 0;
}

static void gate(unsigned vector, unsigned selector, unsigned attributes)
{
	put32(IDT + vector * 8, selector << 16 | HANDLER);
	put32(IDT + vector * 8 + 4, 0x10000U | attributes << 8);
}

static void gate64(unsigned vector, unsigned selector, unsigned attributes, unsigned table)
{
	put32(IDT + vector * 16, selector << 16 | HANDLER);
	put32(IDT + vector * 16 + 4, attributes << 8 | table);
}

static void raise(uint32_t vector, enum vcpu_event_type type)
{
	event.info = VCPU_EVENT_VALID | (uint32_t)type << 8 | vector;
}

static void raise_with_code(uint32_t vector, uint32_t code)
{
	raise(vector, VCPU_EVENT_EXCEPTION);
	event.info |= VCPU_EVENT_HAS_ERROR_CODE;
	event.error_code = code;
}

static void expect_delivery(uint64_t rip, unsigned cs, uint64_t rsp)
{
	assert_int_equal(event_deliver(&cpu, &event), OK);
	assert_true(cpu.is_committed);
	assert_int_equal(cpu.registers.rip, rip);
	assert_int_equal(cpu.registers.cs.selector, cs);
	assert_int_equal(cpu.registers.gpr[GPR_RSP], rsp);
}

static void expect_fault(uint8_t vector, uint32_t error_code)
{
	const struct vcpu_registers old = cpu.registers;

	assert_int_equal(event_deliver(&cpu, &event), ERR_FAULT);
	assert_int_equal(cpu.fault.vector, vector);
	assert_int_equal(cpu.fault.error_code, error_code);
	assert_false(cpu.is_committed);
	assert_memory_equal(&old, &cpu.registers, sizeof(old));
}

static void user_mode(void)
{
	struct vcpu_registers *r = &cpu.registers;

	r->cs = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xc0fb, .selector = CODE_3 | 3};
	r->ss = r->ds = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xc0f3, .selector = DATA_3 | 3};
	r->gpr[GPR_RSP] = 0xa000;
}

static void test_event_deliver_same_level(void **state)
{
	(void)state;
	gate(14, CODE_0, 0x8e);
	raise_with_code(14, 2);
	cpu.registers.rflags = 0x4302;
	expect_delivery(HANDLER | 0x10000, CODE_0, 0x9000 - 16);
	assert_int_equal(get32(0x9000 - 4), 0x14302); /* RF: a fault */
	assert_int_equal(get32(0x9000 - 8), CODE_0);
	assert_int_equal(get32(0x9000 - 12), 0x4000);
	assert_int_equal(get32(0x9000 - 16), 2);
	assert_int_equal(cpu.registers.rflags, 2); /* IF, TF, NT are gone */
}

static void test_event_deliver_trap_gate_of_16_bits(void **state)
{
	(void)state;
	gate(0x21, CODE_0, 0x87);
	raise(0x21, VCPU_EVENT_SOFTWARE_INTERRUPT);
	expect_delivery(HANDLER, CODE_0, 0x9000 - 6);
	assert_int_equal(get16(0x9000 - 6), 0x4002);
	assert_int_equal(get16(0x9000 - 2), 0x202);
	assert_int_equal(cpu.registers.rflags, 0x202);
}

static void test_event_deliver_to_ring_0(void **state)
{
	(void)state;
	user_mode();
	gate(0x20, CODE_0, 0x8e);
	raise(0x20, VCPU_EVENT_INTERRUPT);
	expect_delivery(HANDLER | 0x10000, CODE_0, STACK - 20);
	assert_int_equal(get32(STACK - 4), DATA_3 | 3);
	assert_int_equal(get32(STACK - 8), 0xa000);
	assert_int_equal(get32(STACK - 20), 0x4000);
	assert_int_equal(cpu.registers.ss.selector, DATA_0);
	assert_int_equal(cpu.registers.ss.attributes, 0xc093);
	assert_int_equal(attributes_of(DATA_0), 0x93);
}

static void test_event_deliver_from_virtual_8086_mode(void **state)
{
	struct vcpu_registers *r = &cpu.registers;

	(void)state;
	r->rflags = 0x20202;
	r->cs = segment_8086(0x1000);
	r->ss = r->ds = r->es = segment_8086(0x2000);
	r->fs = segment_8086(0x3000);
	r->gs = segment_8086(0x4000);
	gate(13, CODE_0, 0x8e);
	raise_with_code(13, 0);
	expect_delivery(HANDLER | 0x10000, CODE_0, STACK - 40);
	assert_int_equal(get32(STACK - 4), 0x4000);  /* GS */
	assert_int_equal(get32(STACK - 16), 0x2000); /* ES */
	assert_int_equal(get32(STACK - 28), 0x30202);
	assert_int_equal(r->rflags & RFLAGS_VM, 0);
	assert_int_equal(r->gs.attributes & SEGMENT_NONE, SEGMENT_NONE);
	build(state);
	r->rflags = 0x20202;
	r->ss = segment_8086(0x2000);
	gate(13, CODE_3, 0x8e); /* not to ring 0 */
	raise_with_code(13, 0);
	expect_fault(VECTOR_GP, CODE_3 | 1);
}

static void test_event_deliver_onto_a_device(void **state)
{
	(void)state;
	gate(0x20, CODE_0, 0x8e);
	raise(0x20, VCPU_EVENT_INTERRUPT);
	cpu.registers.gpr[GPR_RSP] = DEVICE;
	expect_delivery(HANDLER | 0x10000, CODE_0, DEVICE - 12);
	assert_int_equal(device.count, 3);
	assert_int_equal(device.gpa[2], DEVICE - 12);
	assert_int_equal(device.width[2], 4);
	assert_int_equal(device.value[2], 0x4000);
}

static void test_event_deliver_by_tables_on_a_device(void **state)
{
	(void)state;
	raise(0x20, VCPU_EVENT_INTERRUPT);
	cpu.registers.idtr.base = DEVICE;
	expect_fault(VECTOR_GP, 0x20 << 3 | 3); /* all-ones is no gate */
}

static void test_event_deliver_in_real_mode(void **state)
{
	struct vcpu_registers *r = &cpu.registers;

	(void)state;
	r->cr0 = 0;
	r->idtr = (struct vcpu_segment){.limit = 0x3ff};
	r->cs = (struct vcpu_segment){.base = 0x400, .limit = 0xffff, .attributes = 0x9b, .selector = 0x40};
	r->ss = (struct vcpu_segment){.base = 0x8000, .limit = 0xffff, .attributes = 0x93, .selector = 0x800};
	r->gpr[GPR_RSP] = 0x20000;
	put32(0x21 * 4, 0x12345678);
	raise(0x21, VCPU_EVENT_SOFTWARE_INTERRUPT);
	expect_delivery(0x5678, 0x1234, 0x2fffa);
	assert_int_equal(r->cs.base, 0x12340);
	assert_int_equal(r->rflags, 2);
	assert_int_equal(device.count, 3); /* SP wrapped to FFFEh: above the memory */
	assert_int_equal(device.gpa[0], 0x17ffe);
	assert_int_equal(device.value[2], 0x4002);
	build(state);
	r->cr0 = 0;
	r->idtr.limit = 0x83;
	raise(0x21, VCPU_EVENT_INTERRUPT);
	expect_fault(VECTOR_GP, 0);
}

static void long_mode(void)
{
	static const uint64_t entries[] = {0x6003, 0x7003, 0x83};
	struct vcpu_registers *r = &cpu.registers;

	memcpy(memory + DIRECTORY, &entries[0], 8);
	memcpy(memory + 0x6000, &entries[1], 8);
	memcpy(memory + 0x7000, &entries[2], 8);
	r->cr3 = DIRECTORY;
	r->cr0 |= CR0_PG;
	r->cr4 = CR4_PAE;
	r->efer = 0x500;
	r->cs = (struct vcpu_segment){.limit = UINT32_MAX, .attributes = 0xa09b, .selector = CODE_LONG};
	r->gpr[GPR_RSP] = RSP64;
	put32(OLD_TSS + 4, STACK + 8);
	put32(OLD_TSS + 8, 0);
	put32(OLD_TSS + 0x24, 0xb000);
}

static void test_event_deliver_in_long_mode(void **state)
{
	(void)state;
	long_mode();
	gate64(14, CODE_LONG, 0x8e, 0);
	raise_with_code(14, 9);
	expect_delivery(HANDLER, CODE_LONG, 0x9000 - 48);
	assert_int_equal(get32(0x9000 - 16), RSP64);
	assert_int_equal(get32(0x9000 - 40), 0x4000);
	assert_int_equal(get32(0x9000 - 48), 9);
	build(state);
	long_mode();
	gate64(2, CODE_LONG, 0x8e, 1); /* by IST */
	raise(2, VCPU_EVENT_NMI);
	expect_delivery(HANDLER, CODE_LONG, 0xb000 - 40);
	assert_int_equal(cpu.registers.nmi_blocked, 1);
	assert_int_equal(cpu.registers.ss.selector, DATA_0);
	build(state);
	long_mode();
	user_mode();
	gate64(0x20, CODE_LONG, 0x8e, 0);
	raise(0x20, VCPU_EVENT_INTERRUPT);
	expect_delivery(HANDLER, CODE_LONG, STACK - 40);
	assert_int_equal(cpu.registers.ss.selector, 0);
	assert_int_equal(SEGMENT_DPL(cpu.registers.ss.attributes), 0);
	assert_int_equal(get32(STACK - 8), DATA_3 | 3);
}

static void test_event_deliver_faults_of_long_mode(void **state)
{
	(void)state;
	long_mode();
	raise(3, VCPU_EVENT_SOFTWARE_EXCEPTION);
	gate64(3, CODE_0, 0xee, 0); /* no 64-bit code */
	expect_fault(VECTOR_GP, CODE_0);
	gate64(3, CODE_LONG, 0xe6, 0); /* no gate of this mode */
	expect_fault(VECTOR_GP, 3 << 3 | 2);
	gate64(3, CODE_LONG, 0xee, 7);
	cpu.registers.tr.limit = 0x5a;
	expect_fault(VECTOR_TS, TSS_OLD);
	cpu.registers.tr.limit = 0x67;
	put32(OLD_TSS + 0x24 + 6 * 8 + 4, 0x80000000U);
	expect_fault(VECTOR_SS, 0); /* not canonical */
	gate64(3, CODE_LONG, 0xee, 0);
	put32(IDT + 3 * 16 + 8, 0x00800000);
	expect_fault(VECTOR_GP, 0);
}

static void test_event_deliver_faults_of_gates(void **state)
{
	(void)state;
	raise(0x30, VCPU_EVENT_SOFTWARE_INTERRUPT);
	cpu.registers.idtr.limit = 0x30 * 8 + 6;
	expect_fault(VECTOR_GP, 0x30 << 3 | 2);
	cpu.registers.idtr.limit = 0x7ff;
	gate(0x30, CODE_0, 0x8c); /* a call gate */
	expect_fault(VECTOR_GP, 0x30 << 3 | 2);
	gate(0x30, CODE_0, 0x0e);
	expect_fault(VECTOR_NP, 0x30 << 3 | 2);
	user_mode();
	gate(0x30, CODE_0, 0x8e);
	expect_fault(VECTOR_GP, 0x30 << 3 | 2); /* for ring 0 only */
	raise(0x30, VCPU_EVENT_INT1);
	gate(0x30, 0, 0x8e); /* INT1 passes as an interrupt does, and is external */
	expect_fault(VECTOR_GP, 1);
}

static void test_event_deliver_faults_of_code_and_stack(void **state)
{
	(void)state;
	user_mode();
	raise(0x20, VCPU_EVENT_INTERRUPT);
	gate(0x20, GDT_END, 0x8e);
	expect_fault(VECTOR_GP, GDT_END | 1);
	gate(0x20, DATA_0, 0x8e);
	expect_fault(VECTOR_GP, DATA_0 | 1);
	gate(0x20, CODE_ABSENT, 0x8e);
	expect_fault(VECTOR_NP, CODE_ABSENT | 1);
	gate(0x20, CODE_SMALL, 0x8e); /* offset 14800h */
	expect_fault(VECTOR_GP, 1);
	gate(0x20, CODE_0, 0x8e);
	cpu.registers.tr.limit = 8;
	expect_fault(VECTOR_TS, TSS_OLD | 1);
	cpu.registers.tr.limit = 0x67;
	put16(OLD_TSS + 8, 0);
	expect_fault(VECTOR_TS, 1);
	put16(OLD_TSS + 8, DATA_3);
	expect_fault(VECTOR_TS, DATA_3 | 1);
	put16(OLD_TSS + 8, DATA_READ_ONLY);
	expect_fault(VECTOR_TS, DATA_READ_ONLY | 1);
	put16(OLD_TSS + 8, DATA_ABSENT);
	expect_fault(VECTOR_SS, DATA_ABSENT | 1);
	put16(OLD_TSS + 8, TINY);
	expect_fault(VECTOR_SS, TINY | 1); /* ESP beyond its limit */
	build_cpu();
	gate(0x20, CODE_3, 0x8e);
	expect_fault(VECTOR_GP, CODE_3 | 1); /* less privileged */
	gate(0x20, CODE_0, 0x8e);
	cpu.registers.ss.limit = 0x100;
	expect_fault(VECTOR_SS, 1);
}

static void test_event_deliver_page_faults(void **state)
{
	(void)state;
	build_paging();
	put32(TABLE + 4 * 8, 0x8005); /* read-only, and CR0.WP */
	gate(0x20, CODE_0, 0x8e);
	raise(0x20, VCPU_EVENT_INTERRUPT);
	expect_fault(VECTOR_PF, 3);
	assert_int_equal(cpu.fault.value, 0x8ffc);
	put32(TABLE + 4 * 8, 0x8007);
	expect_delivery(HANDLER | 0x10000, CODE_0, 0x9000 - 12);
	assert_int_equal(get32(TABLE + 4 * 8) & 0x60, 0x60); /* accessed, dirty */
	assert_int_equal(get32(TABLE + 4 * 1) & 0x60, 0x60); /* the GDT, for the code segment's accessed bit */
}

static void test_event_deliver_through_a_task_gate(void **state)
{
	(void)state;
	gate(8, TSS_NEW, 0x85);
	put16(NEW_TSS + 0x4c, CODE_0);
	put16(NEW_TSS + 0x50, DATA_0);
	put32(NEW_TSS + 0x38, STACK);
	put32(NEW_TSS + 0x20, HANDLER);
	raise_with_code(8, 0);
	expect_delivery(HANDLER, CODE_0, STACK - 4);
	assert_int_equal(cpu.registers.tr.selector, TSS_NEW);
}

static void test_event_deliver_refuses(void **state)
{
	(void)state;
	cpu.registers.cr4 = CR4_CET;
	assert_int_equal(event_deliver(&cpu, &event), ERR_UNSUPPORTED);
	cpu.registers.cr4 = CR4_VME;
	cpu.registers.rflags |= RFLAGS_VM;
	raise(0x21, VCPU_EVENT_SOFTWARE_INTERRUPT);
	assert_int_equal(event_deliver(&cpu, &event), ERR_UNSUPPORTED);
	assert_non_null(cpu.refusal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_event_deliver_same_level, build),
		cmocka_unit_test_setup(test_event_deliver_trap_gate_of_16_bits, build),
		cmocka_unit_test_setup(test_event_deliver_to_ring_0, build),
		cmocka_unit_test_setup(test_event_deliver_from_virtual_8086_mode, build),
		cmocka_unit_test_setup(test_event_deliver_onto_a_device, build),
		cmocka_unit_test_setup(test_event_deliver_by_tables_on_a_device, build),
		cmocka_unit_test_setup(test_event_deliver_in_real_mode, build),
		cmocka_unit_test_setup(test_event_deliver_in_long_mode, build),
		cmocka_unit_test_setup(test_event_deliver_faults_of_long_mode, build),
		cmocka_unit_test_setup(test_event_deliver_faults_of_gates, build),
		cmocka_unit_test_setup(test_event_deliver_faults_of_code_and_stack, build),
		cmocka_unit_test_setup(test_event_deliver_page_faults, build),
		cmocka_unit_test_setup(test_event_deliver_through_a_task_gate, build),
		cmocka_unit_test_setup(test_event_deliver_refuses, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
