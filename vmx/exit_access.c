/* Accesses to ports and to addresses without memory: decoded as far as the CPU tells, then handed to the VMM. */
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/access_decode.h"
#include "vmx/exit.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_vcpu.h"

enum exit_verdict exit_io(struct vcpu *vcpu, const struct exit_info *info)
{
	struct port_access access = port_access_decode(info->qualification);
	struct vcpu_exit *exit = &vcpu->state->exit;

	exit->kind = access.is_string ? VCPU_EXIT_PORT_STRING : VCPU_EXIT_PORT;
	exit->port = access.port;
	exit->port_width = access.width_bytes;
	exit->port_is_write = access.is_in ? 0 : 1;
	exit->port_has_rep = access.has_rep ? 1 : 0;
	exit->instruction_bytes = (uint8_t)info->instruction_bytes;
	if (access.is_string)
		vmx_fill_decode_group(vcpu);
	else if (!access.is_in)
		exit->value = vcpu->state->gpr[GPR_RAX] & (UINT32_MAX >> (32 - 8 * access.width_bytes));
	return EXIT_TO_VMM;
}

static bool is_local_apic_page(const struct vcpu *vcpu, uint64_t gpa)
{
	return local_apic_in_xapic(&vcpu->apic) && ((gpa ^ vcpu->apic.base) & APIC_BASE_PAGE) == 0;
}

static void fill_memory_exit(struct vcpu *vcpu, uint64_t qualification, uint64_t gpa)
{
	struct vcpu_exit *exit = &vcpu->state->exit;

	vmx_fill_decode_group(vcpu);
	exit->kind = is_local_apic_page(vcpu, gpa) ? VCPU_EXIT_LOCAL_APIC : VCPU_EXIT_MEMORY;
	exit->gpa = gpa;
	exit->access = (uint8_t)(((qualification & EPT_VIOLATION_READ) != 0 ? VCPU_ACCESS_READ : 0) |
				 ((qualification & EPT_VIOLATION_WRITE) != 0 ? VCPU_ACCESS_WRITE : 0) |
				 ((qualification & EPT_VIOLATION_FETCH) != 0 ? VCPU_ACCESS_EXECUTE : 0));
	exit->instruction_bytes = 0; /* the manual leaves it undefined for EPT violations */
	exit->gla_valid = (qualification & EPT_VIOLATION_GLA_VALID) != 0 ? 1 : 0;
	exit->gla = exit->gla_valid != 0 ? vmcs_read_natural(VMCS_GUEST_LINEAR_ADDRESS) : 0;
}

/* What the VMM cannot decode ends the VM there: a fetch, and accesses to tables. An event that was being delivered waits for the
 * next entry all the same. */
enum exit_verdict exit_ept_violation(struct vcpu *vcpu, const struct exit_info *info)
{
	const uint64_t operand = EPT_VIOLATION_GLA_VALID | EPT_VIOLATION_FINAL_ADDRESS;

	if ((info->qualification & EPT_VIOLATION_NMI_UNBLOCKING) != 0 && !info->in_delivery)
		vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) | INTERRUPTIBILITY_NMI);
	fill_memory_exit(vcpu, info->qualification, vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS));
	if (info->in_delivery || (info->qualification & operand) != operand)
		vcpu->state->exit.access |= VCPU_ACCESS_TABLE;
	return EXIT_TO_VMM;
}
