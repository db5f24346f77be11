/* Control-register rules, replies. SDM Vol. 3A, "Control Registers". */
#include "tests/unit/unit.h"
#include "virt/control_registers.h"
#include "virt/reply.h"

static void test_cr0_write_rules(void **state)
{
	static const struct { uint64_t cr0, cr4, efer; bool is_long, allowed; } cases[] = {
		{0x60000010, 0, 0, false, true},         {0x80000011, 0, 0, false, true},
		{0x80000010, 0, 0, false, false},        /* PG without PE */
		{0x20000010, 0, 0, false, false},        /* NW without CD */
		{1ULL << 32 | 0x11, 0, 0, false, false}, {0x80000011, 0, 0x100, false, false}, /* LME without PAE */
		{0x80000011, 0x20, 0x100, false, true},  {0x80000011, 0x20, 0x100, true, false}, /* CS.L while activating */
		{0x11, 0x20, 0x500, true, false},        {0x11, 0x20, 0x500, false, true},
		{0x11, 0x20020, 0x500, false, false},    /* PCIDE needs PG */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(cr0_write_allowed(cases[i].cr0, cases[i].cr4, cases[i].efer, cases[i].is_long), cases[i].allowed);
}

/* "Control Registers": what MOV to CR4 refuses beside reserved bits. */
static void test_cr4_write_rules(void **state)
{
	const uint64_t pae = CR4_PAE, pcide = CR4_PCIDE, la57 = CR4_LA57, cet = CR4_CET, lma = EFER_LME | EFER_LMA;
	const struct { uint64_t value, cr0, cr3, cr4, efer; bool allowed; } cases[] = {
		{CR4_VMXE | pae, CR0_PE, 0, pae, 0, false}, {0, CR0_PE | CR0_PG, 0, pae, 0, true},
		{0, CR0_PE | CR0_PG, 0, pae, lma, false},     /* PAE in long mode */
		{pae | la57, CR0_PE, 0, pae, EFER_LME, true}, /* LA57 outside it */
		{pae | la57, CR0_PE | CR0_PG, 0, pae, lma, false}, {pae, CR0_PE | CR0_PG, 0, pae | la57, lma, false},
		{pae | pcide, CR0_PE | CR0_PG, 0x1000, pae, lma, true}, {pae | pcide, CR0_PE | CR0_PG, 0x1001, pae, lma, false},
		{pae | pcide, CR0_PE | CR0_PG, 0x1000, pae, 0, false},
		{pae | pcide, CR0_PE | CR0_PG, 0x1001, pae | pcide, lma, true},
		{pae | cet, CR0_PE | CR0_PG, 0, pae, lma, false},       {pae | cet, CR0_PE | CR0_PG | CR0_WP, 0, pae, lma, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct vcpu_registers now = {.cr0 = cases[i].cr0, .cr3 = cases[i].cr3, .cr4 = cases[i].cr4,
						   .efer = cases[i].efer};

		assert_int_equal(cr4_write_allowed(cases[i].value, pae | pcide | la57 | cet, &now), cases[i].allowed);
	}
	assert_false(cr0_write_allowed(CR0_PE | CR0_PG, pae | cet, lma, false)); /* WP goes while CET is on */
}

static void test_xcr0_write_rules(void **state)
{
	static const struct { uint64_t value; bool allowed; } cases[] = {
		{0, false}, {1, true}, {2, false}, {3, true}, {5, false}, {7, true}, {0x27, false}, {0xe7, true}, {0xe3, false},
		{0x207, false}, {0x8000000000000001, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(xcr0_write_allowed(0, cases[i].value, 0xe7), cases[i].allowed);
	assert_false(xcr0_write_allowed(1, 7, 0xe7));
	assert_false(xcr0_write_allowed(0, 7, 3));
	assert_true(xcr0_write_allowed(0, 0x201, 0x2e7)); /* PKRU depends on nothing */
	assert_false(xcr0_write_allowed(0, 0x200, 0x2e7));
}

static void test_cr4_allowed_follows_cpuid(void **state)
{
	(void)state;
	assert_int_equal(cr4_allowed(0, 0, 0, 0), 0x7ff);
	assert_true(cr4_allowed(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX) ==
		    (0x7ff | CR4_PCIDE | CR4_OSXSAVE | CR4_FSGSBASE | CR4_SMEP | CR4_SMAP | CR4_UMIP |
		     CR4_LA57 | CR4_PKE | CR4_CET));
	assert_int_equal(cr4_allowed(0, 0, 0, 1U << 20), 0x7ff | CR4_CET); /* IBT alone */
	assert_int_equal(cr4_allowed(0, 0, 1U << 3, 0), 0x7ff | CR4_PKE);
	assert_int_equal(cr4_allowed(0, 0, 1U << 16, 0), 0x7ff | CR4_LA57);
	assert_int_equal(cr4_allowed(UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX) & CR4_VMXE, 0);
}

static void test_registers_check_rejects_what_makes_no_sense(void **state)
{
	const uint64_t allowed = 0x7ff;
	struct vcpu_registers r = registers_after_init;

	(void)state;
	assert_int_equal(registers_check(&r, allowed), OK);
	r.cr4 = CR4_VMXE;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID);
	r = registers_after_init;
	r.efer = EFER_LMA;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID);
	r = registers_after_init;
	r.rflags = 0;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID);
	r = registers_after_init;
	r.cr0 = CR0_PG | CR0_PE | CR0_ET;
	r.cr4 = CR4_PAE;
	assert_int_equal(registers_check(&r, allowed), OK); /* PAE paging: the VMM gives the PDPTEs */
	r.efer = EFER_LME | EFER_LMA;
	r.cr4 = 0;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID);
	r.cr4 = CR4_PAE;
	assert_int_equal(registers_check(&r, allowed), OK);
	r.efer |= 1ULL << 12;
	assert_int_equal(registers_check(&r, allowed), ERR_INVALID);
}

static void test_reply_check_accepts_and_refuses(void **state)
{
	struct vcpu_reply reply = {.action = VCPU_REPLY_COMPLETE, .register_count = 4, .advance_bytes = 15};

	(void)state;
	assert_int_equal(reply_check(&reply), OK);
	reply.registers[3].number = GPR_RSP;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.registers[3].number = 16;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_COMPLETE, .register_count = 5};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_COMPLETE, .advance_bytes = 16};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_ACTION_COUNT};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = UINT32_MAX};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_APIC_LOAD, .apic_offset = 0x300, .register_count = 1};
	assert_int_equal(reply_check(&reply), OK);
	reply.register_count = 0;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_APIC_WRITE, .apic_offset = 0x1000};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_APIC_READ, .apic_offset = 0x304};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
}

static void test_reply_check_events_and_stop(void **state)
{
	struct vcpu_reply reply = {.action = VCPU_REPLY_INJECT, .vector = 14, .error_code_valid = 1};

	(void)state;
	assert_int_equal(reply_check(&reply), OK);
	reply.vector = 6;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.error_code_valid = 0;
	assert_int_equal(reply_check(&reply), OK);
	reply.vector = 13;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.vector = 2;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.vector = 32;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_EXTINT, .vector = 256};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply = (struct vcpu_reply){.action = VCPU_REPLY_STOP};
	assert_int_equal(reply_check(&reply), ERR_INVALID);
	reply.value = VCPU_STOP_RESET;
	assert_int_equal(reply_check(&reply), OK);
	reply.value = 1ULL << 32 | VCPU_STOP_RESET;
	assert_int_equal(reply_check(&reply), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cr0_write_rules),
		cmocka_unit_test(test_cr4_write_rules),
		cmocka_unit_test(test_xcr0_write_rules),
		cmocka_unit_test(test_cr4_allowed_follows_cpuid),
		cmocka_unit_test(test_registers_check_rejects_what_makes_no_sense),
		cmocka_unit_test(test_reply_check_accepts_and_refuses),
		cmocka_unit_test(test_reply_check_events_and_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
