/* Accesses to ports and to addresses without memory: decoded as far as the CPU tells, then handed to the VMM. */
#include "kernel/thread.h"
#include "virt/interrupts.h"
#include "virt/vcpu.h"
#include "virt/vm.h"
#include "vmx/access_decode.h"
#include "vmx/apic_access.h"
#include "vmx/exit.h"
#include "vmx/inject.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_vcpu.h"

#define LONGEST_INSTRUCTION 15U /* bytes */

/* Kept apart, as ringing() is: the usual way then needs no stack. */
static __attribute__((noinline)) enum exit_verdict string_exit(struct vcpu *vcpu, bool has_rep)
{
	vcpu->state->exit.kind = VCPU_EXIT_PORT_STRING;
	vcpu->state->exit.port_has_rep = has_rep ? 1 : 0;
	vmx_fill_decode_group(vcpu);
	return EXIT_TO_VMM;
}

static inline enum exit_verdict port_exit(struct vcpu *vcpu, const struct exit_info *info)
{
	struct port_access access = port_access_decode(info->qualification);
	struct vcpu_exit *exit = &vcpu->state->exit;

	exit->kind = VCPU_EXIT_PORT;
	exit->port = access.port;
	exit->port_width = access.width_bytes;
	exit->port_is_write = access.is_in ? 0 : 1;
	exit->instruction_bytes = (uint8_t)info->instruction_bytes;
	return access.is_string ? string_exit(vcpu, access.has_rep) : EXIT_TO_VMM;
}

/* A port between a VM's first doorbell and its last. */
static __attribute__((noinline)) enum exit_verdict ringing(struct vcpu *vcpu, const struct exit_info *info)
{
	struct port_access access = port_access_decode(info->qualification);

	if (access.is_in || access.is_string || !doorbells_ring(&vcpu->vm->doorbells, access.port))
		return port_exit(vcpu, info);
	if (thread_should_yield()) /* whoever was woken may go first */
		atomic_fetch_or(&vcpu->pending, PENDING_YIELD);
	return EXIT_ADVANCE;
}

enum exit_verdict exit_io(struct vcpu *vcpu, const struct exit_info *info)
{
	if (doorbells_may_have(&vcpu->vm->doorbells, port_access_decode(info->qualification).port))
		return ringing(vcpu, info);
	return port_exit(vcpu, info);
}

static bool is_local_apic_page(const struct vcpu *vcpu, uint64_t gpa)
{
	return local_apic_in_xapic(&vcpu->apic) && ((gpa ^ vcpu->apic.base) & APIC_BASE_PAGE) == 0;
}

/* access: VCPU_ACCESS_*. What is known of the linear address is in state->exit already. */
static inline enum exit_verdict memory_exit(struct vcpu *vcpu, uint64_t gpa, unsigned access)
{
	struct vcpu_exit *exit = &vcpu->state->exit;

	exit->kind = is_local_apic_page(vcpu, gpa) ? VCPU_EXIT_LOCAL_APIC : VCPU_EXIT_MEMORY;
	exit->gpa = gpa;
	exit->access = (uint8_t)access;
	exit->instruction_bytes = 0; /* the manual leaves it undefined */
	vmx_fill_decode_group(vcpu);
	return EXIT_TO_VMM;
}

_Static_assert(EPT_VIOLATION_READ == VCPU_ACCESS_READ && EPT_VIOLATION_WRITE == VCPU_ACCESS_WRITE &&
		   EPT_VIOLATION_FETCH == VCPU_ACCESS_EXECUTE, "the VMM is told by the same bits");

/* What the VMM cannot decode ends the VM there: a fetch, and accesses to tables. An event that was being delivered waits for the
 * next entry all the same, unless the VMM delivers it and sets the state that follows. */
static __attribute__((noinline)) enum exit_verdict memory_exit_in_delivery(struct vcpu *vcpu, uint64_t gpa, unsigned access)
{
	(void)memory_exit(vcpu, gpa, access | VCPU_ACCESS_TABLE | VCPU_ACCESS_EVENT);
	vmx_tell_event(&vcpu->state->exit);
	return EXIT_TO_VMM;
}

/* Memory of the guest's own that was taken out comes back, and the guest tries again. True: *verdict says how. */
static __attribute__((noinline)) bool fills_gap(struct vcpu *vcpu, uint64_t gpa, enum exit_verdict *verdict)
{
	enum status status = guest_map_fill(vcpu->vm, gpa);

	*verdict = status == OK ? EXIT_REENTER : EXIT_TO_VMM;
	vcpu->state->exit.kind = VCPU_EXIT_POOL_EMPTY;
	return status == OK || status == ERR_NO_MEMORY;
}

enum exit_verdict exit_ept_violation(struct vcpu *vcpu, const struct exit_info *info)
{
	const uint64_t operand = EPT_VIOLATION_GLA_VALID | EPT_VIOLATION_FINAL_ADDRESS, qualification = info->qualification;
	unsigned access = qualification & (EPT_VIOLATION_READ | EPT_VIOLATION_WRITE | EPT_VIOLATION_FETCH);
	struct vcpu_exit *exit = &vcpu->state->exit;
	enum exit_verdict verdict;

	if ((info->qualification & EPT_VIOLATION_NMI_UNBLOCKING) != 0 && !info->in_delivery)
		vmcs_write32(VMCS_GUEST_INTERRUPTIBILITY, vmcs_read32(VMCS_GUEST_INTERRUPTIBILITY) | INTERRUPTIBILITY_NMI);
	if (vcpu->vm->map.has_gaps && (qualification & EPT_VIOLATION_RIGHTS) == 0 &&
	    fills_gap(vcpu, vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS), &verdict))
		return verdict;
	if ((qualification & operand) != operand)
		access |= VCPU_ACCESS_TABLE;
	exit->gla_valid = (qualification & EPT_VIOLATION_GLA_VALID) != 0 ? 1 : 0;
	exit->gla = exit->gla_valid != 0 ? vmcs_read_natural(VMCS_GUEST_LINEAR_ADDRESS) : 0;
	if (info->in_delivery)
		return memory_exit_in_delivery(vcpu, vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS), access);
	return memory_exit(vcpu, vmcs_read64(VMCS_GUEST_PHYSICAL_ADDRESS), access);
}

/* The named exception: CPUs write the instruction length here too, which the manual does not promise. A length that no instruction
 * has makes the VMM decode. */
static bool is_simple_eoi(const struct vcpu *vcpu, const struct exit_info *info)
{
	return APIC_ACCESS_KIND(info->qualification) == APIC_ACCESS_WRITE && APIC_ACCESS_OFFSET(info->qualification) == APIC_EOI &&
	       !info->in_delivery && info->instruction_bytes - 1 < LONGEST_INSTRUCTION &&
	       is_local_apic_page(vcpu, APIC_BASE_DEFAULT);
}

/* What it writes does not matter. Kept apart: what goes to the VMM needs no stack for it. */
static __attribute__((noinline)) enum exit_verdict end_of_interrupt(struct vcpu *vcpu)
{
	struct apic_effects effects = {.flags = 0};

	local_apic_write(&vcpu->apic, APIC_EOI, 0, 0, &effects);
	interrupts_apply(vcpu, &effects);
	return EXIT_ADVANCE;
}

/* Any access but an EOI is decoded by the VMM, as if the page were not there. */
enum exit_verdict exit_apic_access(struct vcpu *vcpu, const struct exit_info *info)
{
	static const uint8_t access[] = {[APIC_ACCESS_READ] = VCPU_ACCESS_READ,
					 [APIC_ACCESS_WRITE] = VCPU_ACCESS_WRITE,
					 [APIC_ACCESS_FETCH] = VCPU_ACCESS_EXECUTE};
	uint32_t kind = APIC_ACCESS_KIND(info->qualification);

	if (is_simple_eoi(vcpu, info))
		return end_of_interrupt(vcpu);
	vcpu->state->exit.gla_valid = 0;
	if (info->in_delivery)
		return memory_exit_in_delivery(vcpu, APIC_BASE_DEFAULT | APIC_ACCESS_OFFSET(info->qualification), 0);
	return memory_exit(vcpu, APIC_BASE_DEFAULT | APIC_ACCESS_OFFSET(info->qualification),
			   kind < sizeof(access) ? access[kind] : VCPU_ACCESS_TABLE);
}
