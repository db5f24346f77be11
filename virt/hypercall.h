/* Hypercalls: numbers in RAX, answers in RAX. KVM's numbers mean what they mean to KVM's guests; Bulkhead's begin at 42480000h.
 * docs/paravirtual.md has them all. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

#define HYPERCALL_KICK_CPU  5U  /* (0, APIC ID) -> 0 */
#define HYPERCALL_SEND_IPI  10U /* (low half of a set, high half, APIC ID of its bit 0, ICR) -> vCPUs that it reached */
#define HYPERCALL_OWN_FIRST 0x42480000U
#define HYPERCALL_VERSION   0x42480000U /* () -> the interface's version: 1 */

#define HYPERCALL_EPERM  (-1)
#define HYPERCALL_EINVAL (-22)
#define HYPERCALL_ENOSYS (-1000)

/* What a guest passes: RAX, then RBX, RCX, RDX, RSI. Outside 64-bit mode their low halves. */
struct hypercall {
	uint64_t number;
	unsigned cpl;
	/* where hypercall_has_arguments() */
	bool is_64_bit;
	uint64_t arguments[4];
};

/* Whether the call needs more than its number; the upper half of that may be garbage outside 64-bit mode. */
static inline bool hypercall_has_arguments(uint64_t number)
{
	return (uint32_t)number == HYPERCALL_KICK_CPU || (uint32_t)number == HYPERCALL_SEND_IPI;
}

/* The answer; never a fault. From CPL > 0: -EPERM; of a number that is unknown or not offered to this VM: -ENOSYS.
 * Context: the vCPU's own thread. */
int64_t hypercall(struct vcpu *vcpu, const struct hypercall *call);
