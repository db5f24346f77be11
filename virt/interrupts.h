/* Interrupts of a vCPU: who is meant by a message, what waits, and what goes into the guest at the next entry. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "virt/local_apic.h"

struct vcpu;
struct vm;

/* Carries out what a local APIC write asked for. Context: the vCPU's own thread. */
void interrupts_apply(struct vcpu *vcpu, const struct apic_effects *effects);

/* The virtual timer or its clock changed: computes the deadline and arms the CPU. Same context. */
void interrupts_timer_changed(struct vcpu *vcpu);

/* Arms this CPU for the deadline known, or makes the timer pending when it has passed. Same context. */
void interrupts_timer_arm(struct vcpu *vcpu);

/* Sends a message as a bus would: icr in x2APIC layout; an xAPIC destination in 8 bits with wide = false. Returns how many
 * vCPUs it went to. sender: NULL for devices. Context: any thread. */
unsigned interrupts_send(struct vm *vm, struct vcpu *sender, uint64_t icr, bool wide);

/* Gives one vCPU a message of this vector and delivery mode, whatever its destination says; false: it takes none such now.
 * Context: any thread. */
bool interrupts_deliver(struct vcpu *target, uint64_t icr);

/* A device's message: SDM Vol. 3A, "Message Signalled Interrupts". */
unsigned interrupts_send_msi(struct vm *vm, uint64_t address, uint32_t data);

/* Tells senders where this vCPU is to be found. */
void interrupts_publish_route(struct vcpu *vcpu);

/* TMR for vectors 32 i to 32 i + 31 that were accepted, as bits: level for those whose EOI the VMM wants to know, its IOAPIC's
 * level-triggered ones. SDM Vol. 3A, "Interrupt Acceptance for Fixed Interrupts". Context: the vCPU's own thread. */
void interrupts_note_level(struct vcpu *vcpu, unsigned i, uint32_t accepted);

/* vector has ended in service: the VMM hears of it where it wants to. Context: the vCPU's own thread. */
void interrupts_end(struct vcpu *vcpu, uint8_t vector);

/* Takes the NMIs that were sent: a CPU delivers one and keeps one more; those beyond are lost. SDM Vol. 3A, "Handling Multiple
 * NMIs". Context: the vCPU's own thread. */
void interrupts_take_nmis(struct vcpu *vcpu);

/* Before an entry: takes what was posted, injects the one event that has priority, opens windows for the rest. True: the VMM
 * must first supply an ExtINT vector. */
bool interrupts_before_entry(struct vcpu *vcpu);

/* Something would end a HLT now. */
bool interrupts_wake(struct vcpu *vcpu);
