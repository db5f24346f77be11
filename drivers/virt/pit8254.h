/* Intel 82C54 programmable interval timer of a PC, with system control port B (61h): counter 0 is IRQ 0, counter 1 the
 * memory refresh of old, counter 2 the speaker, with its gate and output in port 61h.
 *
 * Registers (offset of the device): 0-3 counters and control word (ports 40h-43h), 4 port 61h.
 *
 * Source: Intel, "82C54 CHMOS Programmable Interval Timer"; Intel ICH9 data sheet, "NMI Status and Control
 * Register". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"
#include "drivers/virt/pit_counter.h"

#define PIT8254_COUNTERS      0
#define PIT8254_PORT61        4
#define PIT8254_HZ            1193182U
#define PIT8254_COUNTER_COUNT 3

struct pit8254_state {
	struct pit_counter counters[PIT8254_COUNTER_COUNT];
	uint64_t last_tick; /* IRQ 0 is told up to here */
	uint8_t port61;     /* its writable bits */
	bool line_level;
};

struct pit8254_wires {
	struct irq_line irq0; /* OUT of counter 0; edges that passed unseen between two calls are told as one */
};

struct pit8254 {
	struct pit8254_state state;
	struct pit8254_wires wires;
};

extern const struct device_ops pit8254_ops;

/* No counter is programmed, the speaker is off. */
void pit8254_init(struct pit8254 *pit, const struct pit8254_wires *wires);
