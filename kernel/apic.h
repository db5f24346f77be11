/* This PC's local APICs. SDM Vol. 3A, "Advanced Programmable Interrupt Controller (APIC)". Never switched off once on. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Chooses x2APIC where the CPU has it (unless allow_x2apic is false and firmware left xAPIC on) and maps the registers.
 * Boot CPU. */
void apic_init(bool allow_x2apic);
/* Enables this CPU's local APIC, with all local interrupts masked but the timer's. */
void apic_cpu_start(void);
bool apic_is_x2apic(void);
uint32_t apic_id(void);
void apic_eoi(void);
/* For a vector that nobody expects: left in service it would hold back all of its class and below. */
void apic_eoi_if_in_service(uint32_t vector);

/* The one deadline of this CPU, in TSC ticks; UINT64_MAX: none. Past deadlines fire at once. */
void apic_set_deadline(uint64_t deadline_tsc);
/* Without TSC-deadline mode: ticks of the APIC timer for 2^20 TSC ticks. */
void apic_timer_calibrate(void);

void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint8_t page);
void apic_send_nmi_to_others(void);
