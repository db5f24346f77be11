/* The local APIC's priorities and interrupts in the hands of the CPU, while the guest uses x2APIC mode: TPR, EOI and self-IPI
 * do not exit, and what is posted reaches a running guest without an exit. SDM Vol. 3C, "APIC Virtualization and Virtual
 * Interrupts". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct vcpu;
struct vm;

/* What the CPU virtualizes of x2APIC mode. SDM Vol. 3C, "Virtualizing MSR-Based APIC Accesses". */
#define MSR_X2APIC_TPR      0x808U
#define MSR_X2APIC_EOI      0x80bU
#define MSR_X2APIC_SELF_IPI 0x83fU

/* All CPUs can do it, and the VM may. */
bool apicv_in_use(const struct vm *vm);
/* ... and posted interrupts. */
bool apicv_posts(const struct vm *vm);
/* Fields of a fresh VMCS that stay as they are. */
void apicv_setup(struct vcpu *vcpu);

/* hv_ops: the CPU takes over the local APIC's IRR, ISR and TPR before an entry; true where it does. While it has them,
 * vcpu->apic.irr holds only what is to be added. pending: an interrupt can be
 * delivered now, of the CPU's or of what is to be added. take: they come back into vcpu->apic. */
bool vmx_lend_apic(struct vcpu *vcpu);
bool vmx_lent_apic_pending(const struct vcpu *vcpu);
void vmx_take_apic(struct vcpu *vcpu);
