/* vmx/inject.c on a VMCS in memory: what an entry accepts, and that nothing is lost. SDM Vol. 3C, "VM-Entry Control Fields",
 * "Other Causes of VM Exits". */
#include "tests/fake/vmx_insn.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "virt/control_registers.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/apicv.h"
#include "vmx/inject.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_vcpu.h"

static struct vm vm;
static struct vmx_vcpu backend;
static struct vcpu vcpu;
static enum vcpu_stop_reason stopped;

void vm_stop(struct vm *which, enum vcpu_stop_reason reason)
{
	assert_ptr_equal(which, &vm);
	stopped = reason;
}

void vmx_take_apic(struct vcpu *which)
{
	which->apic_is_lent = false;
}

_Noreturn void vmcs_access_failed(uint32_t encoding)
{
	fail_msg("field %x", encoding);
	abort();
}

static int setup(void **state)
{
	(void)state;
	memset(&fake_vmx, 0, sizeof(fake_vmx));
	memset(&vcpu, 0, sizeof(vcpu));
	memset(&backend, 0, sizeof(backend));
	vcpu.vm = &vm;
	vcpu.backend = &backend;
	stopped = VCPU_STOP_NONE;
	vmcs_write_natural(VMCS_GUEST_CR0, CR0_PE);
	return 0;
}

static uint32_t entry_event(void)
{
	return vmcs_read32(VMCS_ENTRY_INTERRUPTION_INFO);
}

static void test_vmx_inject_error_code_needs_protected_mode(void **state)
{
	(void)state;
	vmx_inject_exception(&vcpu, 13, true, 0);
	assert_int_equal(entry_event(), EVENT_VALID | EVENT_HAS_ERROR_CODE | EVENT_HARDWARE_EXCEPTION << 8 | 13);
	setup(state);
	vmcs_write_natural(VMCS_GUEST_CR0, 0x30);
	vmx_inject_exception(&vcpu, 13, true, 0);
	assert_int_equal(entry_event(), EVENT_VALID | EVENT_HARDWARE_EXCEPTION << 8 | 13);
	vmx_inject_exception(&vcpu, 13, true, 0); /* while delivering the first: #DF */
	assert_int_equal(entry_event(), EVENT_VALID | EVENT_HARDWARE_EXCEPTION << 8 | 8);
}

static void test_vmx_inject_error_code_has_15_bits(void **state)
{
	(void)state;
	vmx_inject_exception(&vcpu, 14, true, 0xffff8007);
	assert_int_equal(vmcs_read32(VMCS_ENTRY_EXCEPTION_ERROR_CODE), 7);
}

/* "Resume Flag": set in what a fault's handler returns to; a trap's is behind its instruction, an abort returns nowhere. */
static void test_vmx_inject_fault_sets_the_resume_flag(void **state)
{
	static const struct { uint8_t vector; bool sets; } cases[] = {
		{0, true}, {1, false}, {3, false}, {4, false}, {6, true}, {8, false}, {13, true}, {14, true}, {17, true},
		{18, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		setup(state);
		vmcs_write_natural(VMCS_GUEST_RFLAGS, RFLAGS_IF | 2);
		vmx_inject_exception(&vcpu, cases[i].vector, false, 0);
		assert_int_equal(vmcs_read_natural(VMCS_GUEST_RFLAGS), RFLAGS_IF | 2 | (cases[i].sets ? RFLAGS_RF : 0));
	}
}

static void windows(uint32_t interruptibility, bool interrupt, bool nmi, uint32_t wanted)
{
	vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, interruptibility);
	backend.primary_now = UINT32_MAX;
	vmx_set_windows(&vcpu, interrupt, nmi);
	assert_int_equal(vmcs_read32(VMCS_PRIMARY_PROC_CONTROLS), wanted);
}

static void test_vmx_inject_nmi_behind_sti_waits_for_an_interrupt_window(void **state)
{
	(void)state;
	windows(0, false, true, PRIMARY_PROC_NMI_WINDOW);
	windows(INTERRUPTIBILITY_STI, false, true, PRIMARY_PROC_INTERRUPT_WINDOW);
	windows(INTERRUPTIBILITY_STI, true, false, PRIMARY_PROC_INTERRUPT_WINDOW);
	windows(INTERRUPTIBILITY_MOV_SS, false, true, PRIMARY_PROC_NMI_WINDOW);
	windows(INTERRUPTIBILITY_STI | INTERRUPTIBILITY_NMI, false, true, PRIMARY_PROC_NMI_WINDOW);
	windows(INTERRUPTIBILITY_NMI, true, true, PRIMARY_PROC_NMI_WINDOW | PRIMARY_PROC_INTERRUPT_WINDOW);
}

/* An entry that injects an interrupt or NMI loses a debug trap: "Delivery of Pending Debug Exceptions after VM Entry". */
static void test_vmx_inject_a_debug_trap_goes_first(void **state)
{
	static const struct { uint64_t pending; bool open; } cases[] = {
		{0, true}, {PENDING_DEBUG_BS, false}, {0x1001, false}, {0x0001, true}, /* a breakpoint that DR7 does not enable */
	};

	(void)state;
	vmcs_write_natural(VMCS_GUEST_RFLAGS, RFLAGS_IF | 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vmcs_write_natural(VMCS_GUEST_PENDING_DEBUG, cases[i].pending);
		assert_int_equal(vmx_interrupt_open(&vcpu), cases[i].open);
		assert_int_equal(vmx_nmi_open(&vcpu), cases[i].open);
	}
}

static void test_vmx_inject_puts_a_local_apics_interrupt_back(void **state)
{
	(void)state;
	vcpu.apic.isr[2] = 1U << 1;
	vmx_inject_interrupt(&vcpu, 0x41);
	vmx_inject_exception(&vcpu, 14, true, 0);
	assert_int_equal(vcpu.apic.isr[2], 0);
	assert_int_equal(vcpu.apic.irr[2], 1U << 1);
	assert_false(vcpu.extint_taken);
	assert_int_equal(atomic_load(&vcpu.pending), PENDING_INTERRUPT);
}

/* In the local APIC's registers it would later be accepted, and no guest would end it there. */
static void test_vmx_inject_puts_an_8259s_interrupt_back(void **state)
{
	(void)state;
	vmx_inject_interrupt(&vcpu, 0x41);
	vmx_inject_exception(&vcpu, 14, true, 0);
	assert_int_equal(vcpu.apic.irr[2], 0);
	assert_true(vcpu.extint_taken);
	assert_int_equal(vcpu.extint_vector, 0x41);
	assert_int_equal(atomic_load(&vcpu.pending), PENDING_INTERRUPT);
}

static void test_vmx_inject_third_fault_stops_the_vm(void **state)
{
	(void)state;
	vmx_inject_exception(&vcpu, 8, true, 0);
	vmx_inject_exception(&vcpu, 13, true, 0);
	assert_int_equal(stopped, VCPU_STOP_TRIPLE_FAULT);
}

/* Once: the same event, its length where the exit defines it, and NMIs unblocked for it. The VMM is told the same. */
static void test_vmx_inject_again_what_an_exit_broke_off(void **state)
{
	static const struct { uint32_t info; uint32_t length; } rows[] = {
		{EVENT_VALID | EVENT_SOFTWARE_INTERRUPT << 8 | 0x80, 2}, {EVENT_VALID | EVENT_SOFTWARE_EXCEPTION << 8 | 3, 2},
		{EVENT_VALID | EVENT_PRIVILEGED_SOFTWARE_EXCEPTION << 8 | 1, 2},
		{EVENT_VALID | EVENT_HARDWARE_EXCEPTION << 8 | 1, 0},
		{EVENT_VALID | EVENT_NMI << 8 | 2, 0}, {EVENT_VALID | EVENT_EXTERNAL_INTERRUPT << 8 | 0x41, 0},
		{EVENT_VALID | EVENT_HAS_ERROR_CODE | EVENT_HARDWARE_EXCEPTION << 8 | 14, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct vcpu_exit exit;

		setup(state);
		vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, INTERRUPTIBILITY_NMI);
		vmcs_write32(VMCS_EXIT_INSTRUCTION_LEN, 2);
		vmcs_write32(VMCS_IDT_VECTORING_ERROR_CODE, 0x13);
		vmx_tell_event(&exit);
		assert_int_equal(exit.event, 0);
		vmx_reinject(rows[i].info | EVENT_NMI_UNBLOCKING);
		assert_int_equal(entry_event(), rows[i].info);
		assert_int_equal(vmcs_read32(VMCS_ENTRY_INSTRUCTION_LEN), rows[i].length);
		assert_int_equal(vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY),
				 EVENT_TYPE(rows[i].info) == EVENT_NMI ? 0 : INTERRUPTIBILITY_NMI);
		vmx_tell_event(&exit);
		assert_int_equal(exit.event, rows[i].info);
		assert_int_equal(exit.instruction_bytes, rows[i].length);
		assert_int_equal(exit.event_error_code, (rows[i].info & EVENT_HAS_ERROR_CODE) != 0 ? 0x13 : 0);
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_vmx_inject_error_code_needs_protected_mode),
		TEST(test_vmx_inject_error_code_has_15_bits),
		TEST(test_vmx_inject_fault_sets_the_resume_flag),
		TEST(test_vmx_inject_nmi_behind_sti_waits_for_an_interrupt_window),
		TEST(test_vmx_inject_a_debug_trap_goes_first),
		TEST(test_vmx_inject_puts_a_local_apics_interrupt_back),
		TEST(test_vmx_inject_puts_an_8259s_interrupt_back),
		TEST(test_vmx_inject_third_fault_stops_the_vm),
		TEST(test_vmx_inject_again_what_an_exit_broke_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
