/* Interrupts of this CPU: the one dispatcher behind the IDT and behind VM exits that acknowledged an interrupt. */
#pragma once
#include <stdint.h>

/* Handles vector (32 .. 255), including the local APIC's EOI. Context: ring 0, interrupts off. */
void interrupt_dispatch(uint32_t vector);

/* Sends a fixed interrupt to a CPU, by APIC ID. Context: any. */
void interrupt_send(uint32_t apic_id, uint32_t vector);

/* A non-maskable interrupt reached this CPU, by the IDT or by a VM exit: stops it for good when another CPU panicked,
 * else is logged. The caller lets IRET unblock NMIs. */
void kernel_nmi(void);
