/* vmx/registers.c on a VMCS in memory. SDM Vol. 3C, "Guidelines for Use of the INVVPID Instruction". */
#include "tests/fake/vmx_insn.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_cpu.h"
#include "vmx/vmx_vcpu.h"

struct vmx_capabilities vmx_capabilities;
static unsigned forgotten;

void vmx_forget_linear(const struct vmx_vcpu *vmx)
{
	assert_int_equal(vmx->vpid, 7);
	forgotten++;
}

_Noreturn void vmcs_access_failed(uint32_t encoding)
{
	fail_msg("field %x", encoding);
	abort();
}

/* INIT empties a CPU's TLB; an entry with a VPID does not. */
static void test_vmx_registers_new_ones_empty_the_tlb(void **state)
{
	struct vmx_vcpu backend = {.vpid = 7};
	struct vcpu_registers registers = {.rip = 0xfff0};
	static struct vcpu vcpu;

	(void)state;
	vcpu.backend = &backend;
	vmx_set_registers(&vcpu, &registers);
	assert_int_equal(forgotten, 1);
	assert_int_equal(vmcs_read_natural(VMCS_GUEST_RIP), 0xfff0);
}

static void test_vmx_registers_dr7(void **state)
{
	(void)state;
	vmx_set_dr7(NULL, DR7_AFTER_INIT);
	assert_int_equal(vmcs_read_natural(VMCS_GUEST_DR7), 0x400);
}

/* What a task switch needs beyond segments: local breakpoints, PAE's top entries, and whether an NMI is being handled. */
static void test_vmx_registers_of_debugging_paging_and_nmis(void **state)
{
	struct vmx_vcpu backend = {.vpid = 7};
	const struct vcpu_registers wanted = {.dr7 = 0xffffffff00000001ULL, .pdpte = {1, 3, 5, 7}, .nmi_blocked = 1};
	struct vcpu_registers got;
	static struct vm vm;
	static struct vcpu vcpu = {.vm = &vm};

	(void)state;
	vcpu.backend = &backend;
	vmx_set_registers(&vcpu, &wanted);
	vmx_get_registers(&vcpu, &got);
	assert_int_equal(got.dr7, 0x401);
	assert_memory_equal(got.pdpte, wanted.pdpte, sizeof(got.pdpte));
	assert_int_equal(got.nmi_blocked, 1);
	vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmx_get_registers(&vcpu, &got);
	assert_int_equal(got.nmi_blocked, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmx_registers_new_ones_empty_the_tlb),
		cmocka_unit_test(test_vmx_registers_dr7),
		cmocka_unit_test(test_vmx_registers_of_debugging_paging_and_nmis),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
