/* The small runtime of flat guest programs (docs/guest-flat.md): start, serial port, exceptions, local APIC timer, power off.
 * A program defines guest_main(). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/guest_flat.h"

#define FLAT_TIMER_VECTOR 0x20U

/* The program; returning powers the VM off. */
void guest_main(const struct guest_flat_info *info);

/* COM1: waits until the transmitter takes each byte. print_number writes decimal digits, print_hex sixteen digits. */
void print(const char *text);
void print_number(uint64_t value);
void print_hex(uint64_t value);

/* The text behind the first occurrence of word, or NULL. */
const char *flat_find(const char *text, const char *word);
/* The decimal number behind the first occurrence of word, as in "rounds=12". */
uint64_t flat_number(const char *text, const char *word, uint64_t otherwise);

/* Handlers for the 32 exceptions, which print vector, error code and RIP and power off, and for FLAT_TIMER_VECTOR. */
void exceptions_install(void);
/* The same handlers on another processor. */
void exceptions_load(void);

/* While go_on_at is not 0, an exception is noted here and the program goes on there; RAX is lost. After exceptions_install(). */
struct flat_catch {
	uint64_t go_on_at;
	uint64_t vector, error_code, rip;
	uint64_t without_iret; /* 1: NMIs stay blocked */
	uint64_t rflags;
};
extern struct flat_catch flat_catch;
#define NO_EXCEPTION 256U

/* The local APIC's timer in TSC-deadline mode; by MSRs or, with as_xapic, by its page. After exceptions_install(). */
void timer_init(bool as_xapic);
/* Sleeps in HLT until the TSC has reached deadline. Interrupts are off before and after. */
void timer_sleep_until(uint64_t deadline_tsc);

/* Ticks of the TSC a second, by CPUID leaf 15H; 0 where it does not say. */
uint64_t flat_tsc_hz(void);

/* ACPI S5. */
_Noreturn void flat_power_off(void);
