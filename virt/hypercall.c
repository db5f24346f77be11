/* Hypercalls. */
#include "virt/hypercall.h"

#include <stddef.h>

#include "virt/interrupts.h"
#include "virt/local_apic.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define ICR_SENDABLE (0xffU | 7U << 8 | ICR_ASSERT)

/* By the APIC ID that CPUID tells it, whatever an xAPIC guest has made of its own. NULL: there is none. */
static struct vcpu *vcpu_by_id(struct vcpu *vcpu, uint64_t apic_id)
{
	return apic_id < VCPUS_PER_VM_MAX ? vm_vcpu(vcpu->vm, (uint32_t)apic_id) : NULL;
}

/* The next HLT ends, or the one that it is in. Kept apart, as is send_ipi(): other calls need no stack. */
static __attribute__((noinline)) int64_t kick(struct vcpu *vcpu, uint64_t apic_id)
{
	struct vcpu *target = vcpu_by_id(vcpu, (uint32_t)apic_id);

	if (target != NULL)
		vcpu_notify(target, PENDING_KICK);
	return 0;
}

static unsigned send_to_set(struct vcpu *vcpu, uint64_t set, uint64_t first_id, uint32_t icr)
{
	unsigned count = 0;

	for (; set != 0; set &= set - 1) {
		struct vcpu *target = vcpu_by_id(vcpu, first_id + (unsigned)__builtin_ctzll(set));

		if (target != NULL && interrupts_deliver(target, icr))
			count++;
	}
	return count;
}

static bool is_sendable(uint64_t icr)
{
	if ((icr & ~(uint64_t)ICR_SENDABLE) != 0)
		return false;
	return ICR_DELIVERY(icr) == DELIVERY_NMI || (ICR_DELIVERY(icr) == DELIVERY_FIXED && ICR_VECTOR(icr) >= APIC_VECTOR_FIRST);
}

/* Each half of the set is as wide as the caller's registers. */
static __attribute__((noinline)) int64_t send_ipi(struct vcpu *vcpu, const struct hypercall *call)
{
	uint64_t first_id = (uint32_t)call->arguments[2], icr = call->arguments[3];

	if (first_id >= VCPUS_PER_VM_MAX)
		return 0; /* nobody, whatever the message */
	if (!is_sendable(icr))
		return HYPERCALL_EINVAL;
	return send_to_set(vcpu, call->arguments[0], first_id, (uint32_t)icr) +
	       send_to_set(vcpu, call->arguments[1], first_id + (call->is_64_bit ? 64 : 32), (uint32_t)icr);
}

int64_t hypercall(struct vcpu *vcpu, const struct hypercall *call)
{
	uint32_t offered = vcpu->vm->paravirtual;

	if (call->cpl != 0)
		return HYPERCALL_EPERM;
	if (call->number == HYPERCALL_KICK_CPU && (offered & PARAVIRTUAL_UNHALT) != 0)
		return kick(vcpu, call->arguments[1]);
	if (call->number == HYPERCALL_SEND_IPI && (offered & PARAVIRTUAL_IPI) != 0)
		return send_ipi(vcpu, call);
	return call->number == HYPERCALL_VERSION ? 1 : HYPERCALL_ENOSYS;
}
