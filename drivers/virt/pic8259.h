/* The PC's pair of Intel 8259A interrupt controllers, the slave on the master's input 2, with the chipset's
 * edge/level control registers.
 *
 * Registers (offset of the device): 0-1 master (ports 20h, 21h), 2-3 slave (A0h, A1h), 4-5 ELCR (4D0h, 4D1h).
 * The output is the level of the master's INT pin; the vector is asked for when the processor acknowledges.
 *
 * One difference from the data sheet: an edge stays requested until it is acknowledged even if its line falls before.
 * The data sheet would then deliver the default vector (IR7); but a guest that is not running cannot acknowledge in
 * time, and would lose the interrupt. Level-triggered requests do follow their line.
 *
 * ICW1's LTIM, level-triggered mode of a whole chip, is ignored as in the ICH9, whose ELCR says it for each input.
 *
 * Source: Intel, "8259A Programmable Interrupt Controller"; Intel ICH9 data sheet, "Interrupt Controller I/O
 * Registers". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"

#define PIC8259_MASTER 0
#define PIC8259_SLAVE  2
#define PIC8259_ELCR   4
#define PIC8259_LINES  16

struct pic8259_chip {
	uint8_t lines;    /* input levels */
	uint8_t edges;    /* rising edges that were not yet acknowledged */
	uint8_t elcr;     /* 1: this input is level-triggered */
	uint8_t imr, isr; /* interrupt mask, in-service */
	uint8_t vector_base;
	uint8_t lowest;   /* the input of lowest priority */
	uint8_t icw_next; /* initialization command word that is expected, 2 to 4; 0: initialized */
	bool needs_icw4;
	bool single; /* no cascade: ICW3 is not sent */
	bool auto_eoi;
	bool rotate_in_auto_eoi;
	bool special_fully_nested;
	bool special_mask;
	bool polled; /* the next read acknowledges */
	bool reads_isr;
};

struct pic8259_state {
	struct pic8259_chip master;
	struct pic8259_chip slave;
	bool output;
};

struct pic8259_wires {
	struct irq_line output; /* INT of the master: an ExtINT is requested */
};

struct pic8259 {
	struct pic8259_state state;
	struct pic8259_wires wires;
};

extern const struct device_ops pic8259_ops;

/* Power-on state: nothing passes until the guest initializes both chips. */
void pic8259_init(struct pic8259 *pic, const struct pic8259_wires *wires);

/* Level of an input. line: 0 to 15, others and 2 (the cascade) are ignored. */
void pic8259_set_line(struct pic8259 *pic, unsigned line, bool level);

/* The processor's interrupt acknowledge: the vector, the input is now in service. Where nothing is requested any more:
 * the spurious vector (input 7 of the chip). */
uint8_t pic8259_acknowledge(struct pic8259 *pic);
