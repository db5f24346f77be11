/* Intel 82093AA I/O APIC with 24 inputs; as version 20h with the EOI register of later chipsets.
 *
 * Registers: the memory-mapped window (IOREGSEL 00h, IOWIN 10h, EOI 40h), usually at FEC00000h.
 * Interrupts leave as messages in the format of MSIs; the local APICs' EOIs of level-triggered vectors come back by
 * ioapic_eoi(), for the vectors that ioapic_eoi_vectors() names.
 *
 * A line says "asserted": the polarity bit is kept but, as it describes the wire's voltage, changes nothing.
 *
 * Source: Intel, "82093AA I/O Advanced Programmable Interrupt Controller", "Register Description"; Intel ICH9 data
 * sheet, "APIC Memory-Mapped Registers"; SDM Vol. 3A, "Message Signalled Interrupts". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"

#define IOAPIC_PINS         24
#define IOAPIC_REGION_SIZE  0x1000
#define IOAPIC_VERSION_11   0x11 /* 82093AA: no EOI register */
#define IOAPIC_VERSION_20   0x20
#define IOAPIC_VECTOR_WORDS 4 /* 256 vectors as bits of uint64_t */

struct ioapic_state {
	uint64_t entries[IOAPIC_PINS];              /* the redirection table, as read */
	uint64_t eoi_vectors[IOAPIC_VECTOR_WORDS];  /* as last reported */
	uint32_t lines;                             /* input levels */
	uint8_t select;
	uint8_t id;
	uint8_t arbitration_id;
	uint8_t version;
};

struct ioapic_wires {
	/* An interrupt leaves. address: FEExxxxxh with the destination; data: vector, delivery mode, trigger. */
	void (*send)(void *ctx, uint64_t address, uint32_t data);
	/* What ioapic_eoi_vectors() returns has changed; called before an interrupt of a new vector is sent.
	 * NULL: unused. */
	void (*eoi_vectors_changed)(void *ctx);
	void *ctx;
};

struct ioapic {
	struct ioapic_state state;
	struct ioapic_wires wires;
};

extern const struct device_ops ioapic_ops;

/* Power-on state: all inputs masked. id: 0 to 15, as the MADT says it. version: IOAPIC_VERSION_11 or _20. */
void ioapic_init(struct ioapic *ioapic, const struct ioapic_wires *wires, uint8_t id, uint8_t version);

/* Level of an input. pin: 0 to 23, others are ignored. */
void ioapic_set_line(struct ioapic *ioapic, unsigned pin, bool level);

/* A local APIC ended the service of vector: level-triggered inputs of that vector may send again, and do where still
 * asserted. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

/* Vectors whose EOI must be told by ioapic_eoi(): bit v % 64 of word v / 64. */
void ioapic_eoi_vectors(const struct ioapic *ioapic, uint64_t vectors[IOAPIC_VECTOR_WORDS]);
