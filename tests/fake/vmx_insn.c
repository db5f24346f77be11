/* The VMCS in memory. */
#include "tests/fake/vmx_insn.h"

#include "tests/unit/unit.h"

struct fake_vmx fake_vmx;

static bool in_vmx_operation(void)
{
	assert_false(fake_vmx.is_off); /* #UD on a CPU */
	return true;
}

bool fake_vmx_on(uint64_t region_physical)
{
	(void)region_physical;
	fake_vmx.vmxons++;
	fake_vmx.is_off = false;
	return true;
}

void fake_vmx_off(void)
{
	in_vmx_operation();
	fake_vmx.vmxoffs++;
	fake_vmx.is_off = true;
}

bool fake_vmx_clear(uint64_t vmcs_physical)
{
	(void)vmcs_physical;
	fake_vmx.vmclears++;
	return in_vmx_operation();
}

bool fake_vmx_load(uint64_t vmcs_physical)
{
	(void)vmcs_physical;
	fake_vmx.vmptrlds++;
	return in_vmx_operation();
}

bool fake_vmx_read(uint64_t encoding, uint64_t *value)
{
	*value = fake_vmx.fields[encoding];
	return in_vmx_operation();
}

bool fake_vmx_write(uint64_t encoding, uint64_t value)
{
	fake_vmx.fields[encoding] = value;
	return in_vmx_operation();
}

bool fake_vmx_invept(uint64_t type, const struct invalidation *descriptor)
{
	(void)type;
	(void)descriptor;
	fake_vmx.invepts++;
	return in_vmx_operation();
}

bool fake_vmx_invvpid(uint64_t type, const struct invalidation *descriptor)
{
	(void)type;
	(void)descriptor;
	fake_vmx.invvpids++;
	return in_vmx_operation();
}
