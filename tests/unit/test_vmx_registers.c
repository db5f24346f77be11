/* vmx/registers.c on a VMCS in memory. SDM Vol. 3C, "Guidelines for Use of the INVVPID Instruction". */
#include "tests/fake/vmx_insn.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "virt/vcpu.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmx_registers_new_ones_empty_the_tlb),
		cmocka_unit_test(test_vmx_registers_dr7),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
