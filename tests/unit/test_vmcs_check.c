/* VM-entry checks: a good VMCS passes, and each broken field is named. SDM Vol. 3C, "VM Entries". */
#include "tests/unit/unit.h"
#include "vmx/vmcs_check.h"
#include "vmx/vmx_controls.h"

static const struct vmx_capabilities capabilities = {
	.has_vmx = true,
	.controls = {[VMX_PIN] = {0x16, 0xff}, [VMX_PRIMARY] = {0x04006172, 0xfff9fffe}, [VMX_SECONDARY] = {0, 0x035fffff},
		     [VMX_EXIT] = {0x00036dfb, 0x01ffffff}, [VMX_ENTRY] = {0x000011fb, 0x0003ffff}},
	.cr0_must_be_1 = 0x80000021, .cr0_may_be_1 = 0xffffffff, .cr4_must_be_1 = 0x2000, .cr4_may_be_1 = 0x3767ff,
	.ept_vpid = 0xf0106734141ULL,
};

/* A 64-bit guest as it runs under Bulkhead. */
static struct vmcs_snapshot good(void)
{
	struct vmcs_snapshot s = {
		.VPID = 1, .PIN_CONTROLS = 0x3f, .PRIMARY_PROC_CONTROLS = 0xb51879fa | 0x04006172,
		.SECONDARY_PROC_CONTROLS = 0x10ea,
		.EXIT_CONTROLS = 0x00336fff, .ENTRY_CONTROLS = 0x000093ff, .EPT_POINTER = 0x12345000 | 0x5e,
		.HOST_CR0 = 0x8001003b, .HOST_CR4 = 0x3426e0, .HOST_CR3 = 0x1000, .HOST_IA32_EFER = 0xd00, .HOST_CS_SELECTOR = 8,
		.HOST_SS_SELECTOR = 16, .HOST_TR_SELECTOR = 0x38, .HOST_RIP = 0xffffffff80001000,
		.HOST_TR_BASE = 0xffff800000001000,
		.GUEST_CR0 = 0x80050033, .GUEST_CR3 = 0x1000, .GUEST_CR4 = 0x2060, .GUEST_IA32_EFER = 0xd01, .GUEST_DR7 = 0x400,
		.GUEST_RFLAGS = 0x246, .GUEST_RIP = 0xffffffff81000000, .GUEST_VMCS_LINK_POINTER = UINT64_MAX,
		.GUEST_CS_ATTRIBUTES = 0xa09b, .GUEST_CS_LIMIT = 0xffffffff, .GUEST_SS_ATTRIBUTES = 0xc093,
		.GUEST_SS_LIMIT = 0xffffffff,
		.GUEST_DS_ATTRIBUTES = 0x10000, .GUEST_ES_ATTRIBUTES = 0x10000, .GUEST_FS_ATTRIBUTES = 0x10000,
		.GUEST_GS_ATTRIBUTES = 0x10000, .GUEST_TR_ATTRIBUTES = 0x8b, .GUEST_TR_LIMIT = 0x67,
		.GUEST_LDTR_ATTRIBUTES = 0x10000,
	};

	return s;
}

static size_t run(const struct vmcs_snapshot *snapshot, const char *problems[8])
{
	return vmcs_check(snapshot, &capabilities, problems, 8);
}

static void test_vmcs_check_accepts_a_good_one(void **state)
{
	struct vmcs_snapshot s = good();
	const char *problems[8];

	(void)state;
	if (run(&s, problems) != 0)
		fail_msg("%s", problems[0]);
}

static void test_vmcs_check_accepts_reset_state(void **state)
{
	struct vmcs_snapshot s = good();
	const char *problems[8];

	(void)state;
	s.GUEST_CR0 = 0x30;
	s.GUEST_CR4 = 0x2040;
	s.GUEST_IA32_EFER = 0;
	s.ENTRY_CONTROLS &= ~(uint64_t)VM_ENTRY_CTL_IA32E_GUEST;
	s.GUEST_RFLAGS = 2;
	s.GUEST_RIP = 0xfff0;
	s.GUEST_CS_ATTRIBUTES = 0x9b;
	s.GUEST_CS_SELECTOR = 0xf000;
	s.GUEST_CS_BASE = 0xffff0000;
	s.GUEST_CS_LIMIT = s.GUEST_SS_LIMIT = s.GUEST_TR_LIMIT = 0xffff;
	s.GUEST_SS_ATTRIBUTES = s.GUEST_DS_ATTRIBUTES = s.GUEST_ES_ATTRIBUTES = 0x93;
	s.GUEST_FS_ATTRIBUTES = s.GUEST_GS_ATTRIBUTES = 0x93;
	if (run(&s, problems) != 0)
		fail_msg("%s", problems[0]);
}

/* One broken field each, and the word that its message must have. */
#define BREAK(statement, word)                                                        \
	do {                                                                          \
		struct vmcs_snapshot s = good();                                      \
		const char *problems[8];                                              \
		bool found = false;                                                   \
		statement;                                                            \
		for (size_t i = run(&s, problems); i-- > 0;)                          \
			found = found || strstr(problems[i], word) != NULL;           \
		if (!found)                                                           \
			fail_msg("not found: %s", #statement);                        \
	} while (0)

static void test_vmcs_check_names_broken_controls(void **state)
{
	(void)state;
	BREAK(s.PIN_CONTROLS = 0, "pin-based");
	BREAK(s.PRIMARY_PROC_CONTROLS = 0, "primary");
	BREAK(s.SECONDARY_PROC_CONTROLS |= 1U << 31, "secondary");
	BREAK(s.EXIT_CONTROLS = 0, "VM-exit controls");
	BREAK(s.ENTRY_CONTROLS = 0, "VM-entry controls");
	BREAK(s.VPID = 0, "VPID");
	BREAK(s.EPT_POINTER = 0x1000 | 0x5d, "memory type");
	BREAK(s.EPT_POINTER = 0x1000 | 0x06, "4 levels");
	BREAK(s.EPT_POINTER |= 0x100, "reserved");
	BREAK(s.PIN_CONTROLS &= ~(uint64_t)PIN_NMI, "virtual NMIs");
	BREAK(s.SECONDARY_PROC_CONTROLS &= ~(uint64_t)SECONDARY_PROC_EPT, "unrestricted guest without EPT");
}

static void test_vmcs_check_names_broken_events(void **state)
{
	(void)state;
	BREAK(s.ENTRY_INTERRUPTION_INFO = 0x80001030, "reserved bits");
	BREAK(s.ENTRY_INTERRUPTION_INFO = 0x80000130, "type 1");
	BREAK(s.ENTRY_INTERRUPTION_INFO = 0x80000203, "NMI's vector");
	BREAK(s.ENTRY_INTERRUPTION_INFO = 0x80000320, "below 32");
	BREAK(s.ENTRY_INTERRUPTION_INFO = 0x80000830, "error codes");
	BREAK((s.ENTRY_INTERRUPTION_INFO = 0x80000b0d, s.GUEST_CR0 = 0x30), "real mode");
	BREAK(s.ENTRY_INTERRUPTION_INFO = 0x80000b06, "wrong vector");
	BREAK(s.ENTRY_INTERRUPTION_INFO = 0x8000030d, "wrong vector");
	BREAK(s.ENTRY_INTERRUPTION_INFO = 0x80000430, "instruction length");
	BREAK((s.ENTRY_INTERRUPTION_INFO = 0x80000030, s.GUEST_RFLAGS = 2), "has them off");
	BREAK((s.ENTRY_INTERRUPTION_INFO = 0x80000202, s.GUEST_INTERRUPTIBILITY = 8), "NMIs are blocked");
}

static void test_vmcs_check_accepts_exceptions_as_a_cpu_raises_them(void **state)
{
	struct vmcs_snapshot s = good();
	const char *problems[8];

	(void)state;
	s.ENTRY_INTERRUPTION_INFO = 0x80000b0d; /* #GP with an error code */
	assert_int_equal(run(&s, problems), 0);
	s.ENTRY_INTERRUPTION_INFO = 0x80000306; /* #UD without */
	assert_int_equal(run(&s, problems), 0);
}

static void test_vmcs_check_names_broken_host_state(void **state)
{
	(void)state;
	BREAK(s.HOST_CR0 = 0, "host CR0");
	BREAK(s.HOST_CR4 &= ~0x2000ULL, "host CR4");
	BREAK(s.HOST_CR3 = 1ULL << 60, "host CR3");
	BREAK(s.HOST_IA32_EFER = 0, "host EFER");
	BREAK(s.HOST_CS_SELECTOR = 0xb, "RPL");
	BREAK(s.HOST_TR_SELECTOR = 0, "null");
	BREAK(s.HOST_GDTR_BASE = 1ULL << 50, "canonical");
	BREAK(s.HOST_SYSENTER_ESP = 1ULL << 50, "SYSENTER");
}

static void test_vmcs_check_names_broken_guest_registers(void **state)
{
	(void)state;
	BREAK(s.GUEST_CR0 = 0x80050013, "guest CR0");
	BREAK(s.GUEST_CR0 = 0x80050032, "PG without PE");
	BREAK(s.GUEST_CR4 = 0x60, "guest CR4");
	BREAK((s.GUEST_CR4 |= 0x800000, s.GUEST_CR0 &= ~0x10000ULL), "without CR0.WP");
	BREAK(s.GUEST_CR4 = 0x2040, "PG and PAE");
	BREAK(s.GUEST_CR3 = 1ULL << 60, "guest CR3");
	BREAK(s.GUEST_DR7 = 1ULL << 32, "DR7");
	BREAK(s.GUEST_IA32_EFER = 0x901, "EFER");
	BREAK(s.GUEST_IA32_EFER = 0xf01, "EFER");
	BREAK(s.GUEST_RFLAGS = 0x244, "RFLAGS");
	BREAK(s.GUEST_RFLAGS = 0x20246, "RFLAGS.VM");
	BREAK(s.GUEST_RIP = 1ULL << 50, "RIP");
}

/* "Checks on Guest RIP, RFLAGS, and SSP": the address behind the last canonical one; with LA57 a processor has 57 bits. */
static void test_vmcs_check_linear_addresses(void **state)
{
	struct vmx_capabilities wide = capabilities;
	struct vmcs_snapshot s = good();
	const char *problems[8];

	(void)state;
	wide.cr4_may_be_1 |= 0x1000;
	s.GUEST_RIP = 0x800000000000;
	assert_int_equal(run(&s, problems), 0);
	s.GUEST_RIP = 0x1000000000000;
	assert_int_equal(run(&s, problems), 1);
	assert_string_equal(problems[0], "guest RIP");
	assert_int_equal(vmcs_check(&s, &wide, problems, 8), 0);
	s = good();
	s.GUEST_GS_BASE = 0xff00000000001000;
	assert_int_equal(run(&s, problems), 1);
	assert_int_equal(vmcs_check(&s, &wide, problems, 8), 0);
}

static void test_vmcs_check_names_broken_segments_and_state(void **state)
{
	(void)state;
	BREAK(s.GUEST_CS_ATTRIBUTES = 0xa092, "guest CS");
	BREAK(s.GUEST_CS_ATTRIBUTES = 0xe09b, "L and D");
	BREAK(s.GUEST_CS_ATTRIBUTES = 0xa0fb, "DPL differs");
	BREAK(s.GUEST_SS_ATTRIBUTES = 0xc09b, "guest SS");
	BREAK(s.GUEST_DS_ATTRIBUTES = 0xc092, "data segment");
	BREAK((s.GUEST_DS_ATTRIBUTES = 0x4093, s.GUEST_DS_LIMIT = 0x123456), "limit");
	BREAK(s.GUEST_TR_ATTRIBUTES = 0x89, "busy TSS");
	BREAK(s.GUEST_TR_ATTRIBUTES = 0x10000, "guest TR");
	BREAK(s.GUEST_LDTR_ATTRIBUTES = 0x93, "LDTR");
	BREAK(s.GUEST_GDTR_LIMIT = 0x10000, "limit");
	BREAK(s.GUEST_INTERRUPTIBILITY = 3, "at once");
	BREAK((s.GUEST_INTERRUPTIBILITY = 1, s.GUEST_RFLAGS = 2), "IF clear");
	BREAK((s.GUEST_INTERRUPTIBILITY = 1, s.GUEST_RFLAGS = 0x302), "BS");
	BREAK(s.GUEST_ACTIVITY = 9, "activity");
	BREAK(s.GUEST_VMCS_LINK_POINTER = 0, "link pointer");
}

static void test_vmcs_check_never_writes_beyond_max(void **state)
{
	struct vmcs_snapshot s = {.VPID = 0};
	const char *problems[8] = {[3] = "untouched"};

	(void)state;
	assert_int_equal(vmcs_check(&s, &capabilities, problems, 3), 3);
	assert_string_equal(problems[3], "untouched");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmcs_check_accepts_a_good_one),
		cmocka_unit_test(test_vmcs_check_accepts_reset_state),
		cmocka_unit_test(test_vmcs_check_names_broken_controls),
		cmocka_unit_test(test_vmcs_check_names_broken_events),
		cmocka_unit_test(test_vmcs_check_accepts_exceptions_as_a_cpu_raises_them),
		cmocka_unit_test(test_vmcs_check_names_broken_host_state),
		cmocka_unit_test(test_vmcs_check_names_broken_guest_registers),
		cmocka_unit_test(test_vmcs_check_linear_addresses),
		cmocka_unit_test(test_vmcs_check_names_broken_segments_and_state),
		cmocka_unit_test(test_vmcs_check_never_writes_beyond_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
