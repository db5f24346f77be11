/* IA-PC high precision event timer: a main counter of 64 bits at 100 MHz and three timers, all of which can be periodic and
 * count in 32 or 64 bits.
 *
 * Registers: the memory-mapped block of 1 KiB, usually at FED00000h. Accesses of any width mean the bytes that they cover.
 * Interrupts go by lines: inputs 20 to 23 of the I/O APIC, or, in legacy replacement mode, timers 0 and 1 in the places of the
 * 8254 and of the real-time clock. Interrupts by message (FSB) are not offered.
 *
 * A periodic timer whose period is short is served no oftener than every HPET_LEAST_WAIT_NS: periods between are one edge.
 *
 * Source: Intel, "IA-PC HPET (High Precision Event Timers) Specification" 1.0a, "Register Definitions", "Theory of
 * Operation". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"

#define HPET_REGION_SIZE    0x400
#define HPET_TICK_NS        10U
#define HPET_TIMER_COUNT    3
#define HPET_CAPABILITIES   0x8086a201U /* lower half: vendor, legacy routing, 64 bits, three timers, revision 1 */
#define HPET_LEAST_WAIT_NS  20000U
#define HPET_FIRST_PIN      20 /* of the I/O APIC */
#define HPET_PIN_COUNT      4

/* Where a timer's interrupt can go. */
enum hpet_output { HPET_OUTPUT_PIN, HPET_OUTPUT_LEGACY_0 = HPET_PIN_COUNT, HPET_OUTPUT_LEGACY_1, HPET_OUTPUT_COUNT };

struct hpet_timer {
	uint64_t comparator;
	uint64_t period; /* what is added at each match of a periodic timer */
	uint32_t config; /* the bits that can be written */
};

struct hpet_state {
	uint64_t counter;    /* main counter at seen_ticks */
	uint64_t seen_ticks; /* of guest time: matches are known up to here */
	struct hpet_timer timers[HPET_TIMER_COUNT];
	uint8_t config;  /* general configuration */
	uint8_t status;  /* general interrupt status: a bit for each timer */
	uint8_t outputs; /* levels: a bit for each enum hpet_output */
};

struct hpet_wires {
	struct irq_line outputs[HPET_OUTPUT_COUNT];
	/* Legacy replacement is on: outputs LEGACY_0 and _1 take the places of the 8254's and the RTC's line. */
	struct irq_line legacy;
};

struct hpet {
	struct hpet_state state;
	struct hpet_wires wires;
};

extern const struct device_ops hpet_ops;

/* Power-on state: halted at 0, all interrupts off. */
void hpet_init(struct hpet *hpet, const struct hpet_wires *wires);
