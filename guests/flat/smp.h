/* Starting the machine's other processors. Linked into programs that use it: guests/guests.mk. */
#pragma once
#include <stdbool.h>

#define SMP_PROCESSORS_MAX 64U

/* What a processor runs; number: apic_number(). Interrupts are off, the local APIC is on as in apic_enable(), the IDT is that of
 * exceptions_install(). Where it returns the processor halts for good. */
typedef void smp_function(unsigned number);

/* How many processors CPUID leaf 0BH counts. */
unsigned smp_count(void);

/* Starts all other processors with one INIT and, at once, one SIPI to each, numbers 1 to smp_count() - 1; returns how many
 * arrived within five seconds. After exceptions_install() and apic_enable(), once, by the bootstrap processor. */
unsigned smp_start(smp_function *function);

/* Sends INIT, SIPI to one processor, which then runs the function anew. */
void smp_restart(unsigned number);

/* How often the processor has begun. */
unsigned smp_starts(unsigned number);

/* The vector of the SIPI that leads to the function. */
unsigned smp_sipi_vector(void);
