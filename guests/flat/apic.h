/* The local APIC, as MSRs or as a page, and interrupts of one's own. SDM Vol. 3A, "Advanced Programmable Interrupt Controller
 * (APIC)". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define APIC_ID        0x020U
#define APIC_TPR       0x080U
#define APIC_EOI       0x0b0U
#define APIC_LDR       0x0d0U
#define APIC_DFR       0x0e0U
#define APIC_SVR       0x0f0U
#define APIC_ICR_LOW   0x300U
#define APIC_ICR_HIGH  0x310U
#define APIC_LVT_TIMER 0x320U
#define APIC_SELF_IPI  0x3f0U

/* The timer by the TSC: "TSC-Deadline Mode". */
#define MSR_TSC_DEADLINE 0x6e0U
#define LVT_TSC_DEADLINE 0x40000U

/* Bits of the interrupt command register. */
#define ICR_LOWEST     0x100U
#define ICR_NMI        0x400U
#define ICR_INIT       0x500U
#define ICR_STARTUP    0x600U
#define ICR_LOGICAL    0x800U
#define ICR_ASSERT     0x4000U
#define ICR_SELF       0x40000U
#define ICR_ALL        0x80000U
#define ICR_OTHERS     0xc0000U

/* Enables this processor's local APIC, spurious vector FFh. as_xapic: by its page, like all others of this program. */
void apic_enable(bool as_xapic);
bool apic_in_x2apic(void);

uint32_t apic_read(uint32_t offset);
void apic_write(uint32_t offset, uint32_t value);

/* This processor's number: its APIC ID as CPUID leaf 0BH has it. */
uint32_t apic_number(void);

/* Sends an interprocessor interrupt. destination: an xAPIC's has 8 bits. command: ICR_*, vector. */
void apic_send(uint32_t destination, uint32_t command);

/* Handlers made by the compiler: void name(struct interrupt_frame *) with this attribute. For a vector that brings no error code;
 * exceptions_install() comes before, and other processors use the same IDT. */
#define INTERRUPT_HANDLER __attribute__((interrupt))
struct interrupt_frame;
typedef void interrupt_handler(struct interrupt_frame *frame);
void interrupt_handle(uint8_t vector, interrupt_handler *handler);
