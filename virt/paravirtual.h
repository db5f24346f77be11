/* The paravirtual interface: which parts of KVM's a VM is offered. Each has a bit of CPUID.40000001H:EAX, at KVM's place for it, so
 * that stock kernels find what they know; docs/paravirtual.md. */
#pragma once
#include <stdint.h>

#define PARAVIRTUAL_STEAL_TIME (1U << 5)  /* steal_time.h */
#define PARAVIRTUAL_UNHALT     (1U << 7)  /* hypercall KICK_CPU */
#define PARAVIRTUAL_TLB_FLUSH  (1U << 9)  /* a wish in the steal-time record of a vCPU without a CPU */
#define PARAVIRTUAL_IPI        (1U << 11) /* hypercall SEND_IPI */

/* The bits for a VM. disabled_features: of abi/features.h. Pure. */
uint32_t paravirtual_offered(uint64_t disabled_features, uint32_t vcpu_count);
