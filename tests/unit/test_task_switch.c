/* Task switches in a small memory: what is saved, loaded and marked, and every row of the manual's table of checks.
 * One file because all of it asks one function. SDM Vol. 3A, "Task Switching", table "Exception Conditions Checked During a Task
 * Switch". */
#include "tests/unit/event_memory.h"
#include "vmm/event/task_switch.h"

#define NEW_EIP 0x4444U

static struct task_switch request;
/* The new tasks: ring 0, flat, with all registers told apart. */
static int build(void **state)
{
	static const uint16_t selectors[] = {DATA_0, CODE_0, DATA_0, DATA_0, 0, DATA_3};

	(void)state;
	build_cpu();
	put32(NEW_TSS + 0x1c, 0x7000);
	put32(NEW_TSS + 0x20, NEW_EIP);
	put32(NEW_TSS + 0x24, 0xffc08246U);
	put16(TSS_16 + 0x0e, NEW_EIP);
	put16(TSS_16 + 0x10, 0x0246);
	for (uint32_t i = 0; i < 8; i++) {
		put32(NEW_TSS + 0x28 + 4 * i, i == GPR_RSP ? STACK : 0xa0000000U + i);
		put16(TSS_16 + 0x12 + 2 * i, i == GPR_RSP ? STACK : 0xb000U + i);
	}
	for (uint32_t i = 0; i < 6; i++)
		put32(NEW_TSS + 0x48 + 4 * i, selectors[i]);
	for (uint32_t i = 0; i < 4; i++)
		put16(TSS_16 + 0x22 + 2 * i, selectors[i]);
	request = (struct task_switch){.selector = TSS_NEW, .source = VCPU_TASK_CALL, .instruction_bytes = 7};
	return 0;
}

static void event(uint32_t vector, enum vcpu_event_type type, uint32_t more)
{
	request.source = VCPU_TASK_GATE;
	request.event = (struct event){.info = VCPU_EVENT_VALID | (uint32_t)type << 8 | vector | more, .instruction_bytes = 2};
}

static void expect_switch(void)
{
	assert_int_equal(task_switch(&cpu, &request), OK);
	assert_true(cpu.is_committed);
}

static void expect_fault(uint8_t vector, uint32_t error_code, bool is_committed)
{
	assert_int_equal(task_switch(&cpu, &request), ERR_FAULT);
	assert_int_equal(cpu.fault.vector, vector);
	assert_int_equal(cpu.fault.error_code, error_code);
	assert_int_equal(cpu.is_committed, is_committed);
}

static void test_task_switch_call_nests(void **state)
{
	const struct vcpu_registers old = cpu.registers;
	const struct vcpu_registers *r = &cpu.registers;

	(void)state;
	cpu.registers.rflags |= RFLAGS_RF; /* the CALL has used it up */
	expect_switch();
	assert_int_equal(get32(OLD_TSS + 0x20), 0x4007);
	assert_int_equal(get32(OLD_TSS + 0x24), 0x202);
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(get32(OLD_TSS + 0x28 + 4 * i), old.gpr[i]);
		assert_int_equal(r->gpr[i], i == GPR_RSP ? STACK : 0xa0000000U + i);
	}
	assert_int_equal(get16(OLD_TSS + 0x4c), CODE_0);
	assert_int_equal(get16(NEW_TSS), TSS_OLD);
	assert_int_equal(attributes_of(TSS_OLD), 0x8b);
	assert_int_equal(attributes_of(TSS_NEW), 0x8b);
	assert_int_equal(r->rip, NEW_EIP);
	assert_int_equal(r->rflags, 0x4246); /* NT; what is reserved is gone */
	assert_int_equal(r->cr0, CR0_PE | CR0_TS);
	assert_int_equal(r->cr3, 0);        /* no paging */
	assert_int_equal(r->dr7, 0x6aa);
	assert_int_equal(r->tr.selector, TSS_NEW);
	assert_int_equal(r->tr.base, NEW_TSS);
	assert_int_equal(r->tr.attributes, 0x8b);
}

static void test_task_switch_loads_segments(void **state)
{
	const struct vcpu_registers *r = &cpu.registers;

	(void)state;
	put16(NEW_TSS + 0x60, LDT_SELECTOR);
	put32(NEW_TSS + 0x54, 0x0c); /* DS: the LDT's second entry */
	describe(LDT, 8, 0x12345000, 0xffff, 0x92);
	expect_switch();
	assert_int_equal(r->ldtr.base, LDT);
	assert_int_equal(r->ldtr.attributes, 0x82);
	assert_int_equal(r->ds.base, 0x12345000);
	assert_int_equal(r->ds.attributes, 0x93);
	assert_int_equal(memory[LDT + 8 + 5], 0x93); /* accessed */
	assert_int_equal(r->cs.attributes, 0xc09b);
	assert_int_equal(r->cs.limit, UINT32_MAX);
	assert_int_equal(r->fs.attributes & SEGMENT_NONE, SEGMENT_NONE);
	assert_int_equal(r->gs.selector, DATA_3);
	assert_int_equal(attributes_of(DATA_3), 0xf3);
}

static void test_task_switch_jmp_leaves_for_good(void **state)
{
	(void)state;
	request.source = VCPU_TASK_JMP;
	put16(NEW_TSS, 0x7777);
	expect_switch();
	assert_int_equal(attributes_of(TSS_OLD), 0x89);
	assert_int_equal(attributes_of(TSS_NEW), 0x8b);
	assert_int_equal(get16(NEW_TSS), 0x7777);
	assert_int_equal(cpu.registers.rflags & RFLAGS_NT, 0);
}

static void test_task_switch_iret_goes_back(void **state)
{
	(void)state;
	request.source = VCPU_TASK_IRET;
	request.instruction_bytes = 1;
	describe(GDT, TSS_NEW, NEW_TSS, 0x67, 0x8b);
	cpu.registers.rflags |= RFLAGS_NT;
	cpu.registers.nmi_blocked = 1;
	expect_switch();
	assert_int_equal(get32(OLD_TSS + 0x20), 0x4001);
	assert_int_equal(get32(OLD_TSS + 0x24) & RFLAGS_NT, 0);
	assert_int_equal(attributes_of(TSS_OLD), 0x89);
	assert_int_equal(attributes_of(TSS_NEW), 0x8b);
	assert_int_equal(cpu.registers.nmi_blocked, 0);
}

/* Back to where it is: what is saved is loaded. */
static void test_task_switch_iret_to_itself(void **state)
{
	(void)state;
	request = (struct task_switch){.selector = TSS_OLD, .source = VCPU_TASK_IRET, .instruction_bytes = 1};
	expect_switch();
	assert_int_equal(cpu.registers.rip, 0x4001);
	assert_int_equal(cpu.registers.gpr[GPR_RAX], 0x11110000);
}

static void test_task_switch_between_widths(void **state)
{
	(void)state;
	request.selector = TSS_NEW_16;
	cpu.registers.cr0 |= CR0_PG; /* its CR3 stays: a TSS of 16 bits has none */
	build_paging();
	expect_switch();
	assert_int_equal(cpu.registers.cr3, DIRECTORY);
	assert_int_equal(cpu.registers.gpr[GPR_RDI], 0xffffb007);
	assert_int_equal(cpu.registers.rflags, 0x4246);
	assert_int_equal(cpu.registers.tr.attributes, 0x83);
	assert_int_equal(cpu.registers.fs.selector, 0);
	cpu.is_committed = false;
	request = (struct task_switch){.selector = TSS_OLD, .source = VCPU_TASK_IRET, .instruction_bytes = 1};
	put32(OLD_TSS + 0x1c, DIRECTORY);
	expect_switch();
	assert_int_equal(get16(TSS_16 + 0x0e), NEW_EIP + 1);
	assert_int_equal(get16(TSS_16 + 0x20), 0xb007);
	assert_int_equal(get16(TSS_16 + 0x22), DATA_0);
	assert_int_equal(cpu.registers.rip, 0x4007);
}

static void test_task_switch_saves_where_to_go_on(void **state)
{
	static const struct { enum vcpu_event_type type; uint8_t vector; uint32_t eip, flags; } rows[] = {
		{VCPU_EVENT_SOFTWARE_INTERRUPT, 0x80, 0x4002, 0x202}, {VCPU_EVENT_SOFTWARE_EXCEPTION, 3, 0x4002, 0x202},
		{VCPU_EVENT_INT1, 1, 0x4002, 0x202},                  {VCPU_EVENT_EXCEPTION, 0, 0x4000, 0x10202},
		{VCPU_EVENT_EXCEPTION, 1, 0x4000, 0x202},             {VCPU_EVENT_INTERRUPT, 0x20, 0x4000, 0x202},
		{VCPU_EVENT_NMI, 2, 0x4000, 0x202},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(state);
		event(rows[i].vector, rows[i].type, 0);
		cpu.registers.rflags |= rows[i].eip == 0x4002 ? RFLAGS_RF : 0;
		expect_switch();
		assert_int_equal(get32(OLD_TSS + 0x20), rows[i].eip);
		assert_int_equal(get32(OLD_TSS + 0x24), rows[i].flags);
		assert_int_equal(cpu.registers.nmi_blocked, rows[i].type == VCPU_EVENT_NMI);
		assert_int_equal(get16(NEW_TSS), TSS_OLD);
	}
}

static void test_task_switch_pushes_the_error_code(void **state)
{
	event(14, VCPU_EVENT_EXCEPTION, VCPU_EVENT_HAS_ERROR_CODE);
	request.event.error_code = 0x12;
	expect_switch();
	assert_int_equal(cpu.registers.gpr[GPR_RSP], STACK - 4);
	assert_int_equal(get32(STACK - 4), 0x12);
	build(state);
	event(14, VCPU_EVENT_EXCEPTION, VCPU_EVENT_HAS_ERROR_CODE);
	request.selector = TSS_NEW_16;
	request.event.error_code = 0x34;
	put32(STACK - 4, UINT32_MAX);
	describe(GDT, DATA_0, 0, 0xffff, 0x92); /* of 16 bits: SP counts */
	expect_switch();
	assert_int_equal(cpu.registers.gpr[GPR_RSP], 0xffff0000U | (STACK - 2));
	assert_int_equal(get32(STACK - 4), 0x0034ffff);
	build(state);
	event(14, VCPU_EVENT_EXCEPTION, VCPU_EVENT_HAS_ERROR_CODE);
	put32(NEW_TSS + 0x50, TINY);
	expect_fault(VECTOR_SS, 1, true); /* no room */
}

static void test_task_switch_to_virtual_8086_mode(void **state)
{
	(void)state;
	put32(NEW_TSS + 0x24, 0x20202);
	put32(NEW_TSS + 0x4c, 0x4200);
	put32(NEW_TSS + 0x54, 0x1234);
	put32(NEW_TSS + 0x20, 0);
	expect_switch();
	assert_int_equal(cpu.registers.cs.base, 0x42000);
	assert_int_equal(cpu.registers.ds.base, 0x12340);
	assert_int_equal(cpu.registers.ds.attributes, 0xf3);
	assert_int_equal(cpu.registers.ss.limit, 0xffff);
}

static void test_task_switch_traps_on_the_t_flag(void **state)
{
	(void)state;
	put16(NEW_TSS + 0x64, 1);
	expect_fault(VECTOR_DB, 0, true);
	assert_int_equal(cpu.fault.value, DR6_BT);
}

/* Rows 1 to 5 of the table, and what IRET makes of them: nothing changes. */
static void test_task_switch_checks_of_the_new_tss(void **state)
{
	static const struct { uint16_t selector; enum vcpu_task_source source; uint8_t vector; } rows[] = {
		{TSS_NEW | 4, VCPU_TASK_JMP, VECTOR_GP},  {TSS_NEW | 4, VCPU_TASK_IRET, VECTOR_TS},
		{GDT_END, VCPU_TASK_CALL, VECTOR_GP},     {GDT_END, VCPU_TASK_IRET, VECTOR_TS},
		{0, VCPU_TASK_CALL, VECTOR_GP},           {TSS_ABSENT, VCPU_TASK_JMP, VECTOR_NP},
		{TSS_OLD, VCPU_TASK_CALL, VECTOR_GP},     {TSS_NEW, VCPU_TASK_IRET, VECTOR_TS},
		{TSS_SHORT, VCPU_TASK_JMP, VECTOR_TS},    {CODE_0, VCPU_TASK_JMP, VECTOR_GP},
		{LDT_SELECTOR, VCPU_TASK_CALL, VECTOR_GP},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vcpu_registers old;
		uint8_t before[MEMORY_BYTES];

		build(state);
		request.selector = rows[i].selector;
		request.source = rows[i].source;
		old = cpu.registers;
		memcpy(before, memory, sizeof(memory));
		expect_fault(rows[i].vector, rows[i].selector & 0xfffcU, false);
		assert_memory_equal(&old, &cpu.registers, sizeof(old));
		assert_memory_equal(before, memory, sizeof(memory));
	}
	build(state);
	cpu.registers.tr.limit = 0x5e;
	expect_fault(VECTOR_TS, TSS_OLD, false);
}

#define TSS_CS  (NEW_TSS + 0x4c)
#define TSS_SS  (NEW_TSS + 0x50)
#define TSS_DS  (NEW_TSS + 0x54)
#define TSS_GS  (NEW_TSS + 0x5c)
#define TSS_LDT (NEW_TSS + 0x60)

/* The other rows: in the new task, with its selectors. */
static void test_task_switch_checks_of_the_new_segments(void **state)
{
	static const struct { uint32_t field; uint16_t selector; uint8_t vector; } rows[] = {
		{TSS_LDT, LDT_SELECTOR | 4, VECTOR_TS}, {TSS_LDT, GDT_END, VECTOR_TS},     {TSS_LDT, DATA_0, VECTOR_TS},
		{TSS_LDT, LDT_ABSENT, VECTOR_TS},       {TSS_CS, 0, VECTOR_TS},            {TSS_CS, GDT_END, VECTOR_TS},
		{TSS_CS, DATA_0, VECTOR_TS},            {TSS_CS, CODE_3, VECTOR_TS},       {TSS_CS, CODE_0 | 3, VECTOR_TS},
		{TSS_CS, CONFORMING_3, VECTOR_TS},      {TSS_CS, CODE_ABSENT, VECTOR_NP},  {TSS_CS, TSS_OLD, VECTOR_TS},
		{TSS_SS, 0, VECTOR_TS},                 {TSS_SS, GDT_END, VECTOR_TS},      {TSS_SS, CODE_0, VECTOR_TS},
		{TSS_SS, DATA_READ_ONLY, VECTOR_TS},    {TSS_SS, DATA_ABSENT, VECTOR_SS},  {TSS_SS, DATA_3, VECTOR_TS},
		{TSS_SS, DATA_0 | 3, VECTOR_TS},        {TSS_DS, GDT_END, VECTOR_TS},      {TSS_DS, TSS_OLD, VECTOR_TS},
		{TSS_DS, CODE_UNREADABLE, VECTOR_TS},   {TSS_DS, DATA_ABSENT, VECTOR_NP},  {TSS_GS, DATA_0 | 3, VECTOR_TS},
		{TSS_GS, 0x0c, VECTOR_TS},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		build(state);
		put32(rows[i].field, rows[i].selector);
		expect_fault(rows[i].vector, rows[i].selector & 0xfffcU, true);
		assert_int_equal(cpu.registers.tr.selector, TSS_NEW);
		assert_int_equal(cpu.registers.rip, NEW_EIP);
		assert_int_equal(cpu.registers.cs.attributes & 0x98, 0x98);
		assert_int_equal(SEGMENT_DPL(cpu.registers.cs.attributes), SEGMENT_DPL(cpu.registers.ss.attributes));
		build(state);
		put32(rows[i].field, rows[i].selector);
		event(0x20, VCPU_EVENT_INTERRUPT, 0); /* EXT */
		expect_fault(rows[i].vector, (rows[i].selector & 0xfffcU) | 1, true);
	}
}

static void test_task_switch_checks_eip_last(void **state)
{
	(void)state;
	put32(TSS_CS, CODE_SMALL);
	put32(NEW_TSS + 0x20, 0x10000);
	expect_fault(VECTOR_GP, 0, true);
}

static void test_task_switch_takes_conforming_code_at_its_rpl(void **state)
{
	(void)state;
	put32(TSS_CS, CONFORMING_0 | 3);
	put32(TSS_SS, DATA_3 | 3);
	put32(TSS_DS, DATA_3 | 3);
	put32(NEW_TSS + 0x48, DATA_3 | 3);
	put32(TSS_GS, CONFORMING_0 | 3);
	expect_switch();
	assert_int_equal(SEGMENT_DPL(cpu.registers.ss.attributes), 3);
	assert_int_equal(cpu.registers.cs.selector, CONFORMING_0 | 3);
}

static void expect_page_fault(uint64_t address, uint32_t error_code, bool is_committed)
{
	expect_fault(VECTOR_PF, error_code, is_committed);
	assert_int_equal(cpu.fault.value, address);
}

static void test_task_switch_page_faults(void **state)
{
	build_paging();
	put32(TABLE + 4 * 2, 0x2005); /* the old TSS cannot be written */
	expect_page_fault(OLD_TSS + 0x20, 3, false);
	build(state);
	build_paging();
	put32(TABLE + 4 * 3, 0);
	expect_page_fault(NEW_TSS, 0, false);
	build(state);
	build_paging();
	put32(NEW_TSS + 0x1c, DIRECTORY);
	describe(GDT, LDT_SELECTOR, 0x1f000, 0xf, 0x82);
	put32(TABLE + 4 * 0x1f, 0);
	put16(TSS_LDT, LDT_SELECTOR);
	put32(TSS_DS, 0x0c);
	expect_page_fault(0x1f008, 0, true); /* the new LDT, in the new task */
	assert_int_equal(cpu.registers.cr3, DIRECTORY);
	build(state);
	build_paging();
	put32(NEW_TSS + 0x1c, 0x7000); /* a directory that maps nothing */
	expect_page_fault(GDT + CODE_0, 0, true);
}

/* A PDPTE and a 2 MiB page; the new task's CR3. */
static void pae_paging(void **state, uint64_t pdpte, uint32_t new_cr3)
{
	static const uint64_t identity = 0x6001, leaf = 0x83;

	build(state);
	memcpy(memory + 0x5000, &identity, 8);
	memcpy(memory + 0x5800, &pdpte, 8);
	memcpy(memory + 0x6000, &leaf, 8);
	cpu.registers.cr3 = 0x5000;
	cpu.registers.cr4 = CR4_PAE;
	cpu.registers.cr0 |= CR0_PG;
	put32(NEW_TSS + 0x1c, new_cr3);
}

static void test_task_switch_loads_pdptes(void **state)
{
	pae_paging(state, 0x6001, 0x5800);
	expect_switch();
	assert_int_equal(cpu.registers.pdpte[0], 0x6001);
	pae_paging(state, 0x1000006001, 0x5800); /* address bits that no CPU need have */
	expect_fault(VECTOR_GP, 0, true);
	pae_paging(state, 0, MEMORY_BYTES); /* nobody answers: reserved bits */
	expect_fault(VECTOR_GP, 0, true);
	assert_int_equal(cpu.registers.cr3, 0x5000);
	assert_int_equal(cpu.registers.pdpte[0], 0);
}

static void test_task_switch_refuses(void **state)
{
	(void)state;
	cpu.registers.efer = EFER_LMA;
	assert_int_equal(task_switch(&cpu, &request), ERR_UNSUPPORTED);
	assert_non_null(cpu.refusal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_task_switch_call_nests, build),
		cmocka_unit_test_setup(test_task_switch_loads_segments, build),
		cmocka_unit_test_setup(test_task_switch_jmp_leaves_for_good, build),
		cmocka_unit_test_setup(test_task_switch_iret_goes_back, build),
		cmocka_unit_test_setup(test_task_switch_iret_to_itself, build),
		cmocka_unit_test_setup(test_task_switch_between_widths, build),
		cmocka_unit_test_setup(test_task_switch_saves_where_to_go_on, build),
		cmocka_unit_test_setup(test_task_switch_pushes_the_error_code, build),
		cmocka_unit_test_setup(test_task_switch_to_virtual_8086_mode, build),
		cmocka_unit_test_setup(test_task_switch_traps_on_the_t_flag, build),
		cmocka_unit_test_setup(test_task_switch_checks_of_the_new_tss, build),
		cmocka_unit_test_setup(test_task_switch_checks_of_the_new_segments, build),
		cmocka_unit_test_setup(test_task_switch_checks_eip_last, build),
		cmocka_unit_test_setup(test_task_switch_takes_conforming_code_at_its_rpl, build),
		cmocka_unit_test_setup(test_task_switch_page_faults, build),
		cmocka_unit_test_setup(test_task_switch_loads_pdptes, build),
		cmocka_unit_test_setup(test_task_switch_refuses, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
