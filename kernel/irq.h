/* Device interrupts of this PC, delivered to programs as event bits. IOAPIC only; the 8259 pair is masked. */
#pragma once
#include <stdint.h>

#include "abi/status.h"

struct event;
struct boot_pc;
struct object;
struct pool;

void irq_init(const struct boot_pc *pc);
/* A vector from VECTOR_DEVICE_FIRST .. LAST arrived: masks its line until the program acknowledges, and signals. */
void irq_dispatch(uint32_t vector);

/* Routes an interrupt line to the boot CPU's APIC and to event. flags: IRQ_ISA or 0 (abi/syscall.h). Takes references to pool and
 * event on OK. ERR_NOT_FOUND: no IOAPIC serves it; ERR_BUSY: taken; ERR_NO_SPACE; ERR_OUT_OF_RANGE: no ISA interrupt;
 * ERR_UNSUPPORTED: the boot CPU's APIC ID has more than the 8 bits that an IOAPIC knows. */
MUST_CHECK enum status irq_create(struct pool *pool, uint32_t number, uint32_t flags, struct event *event, uint64_t bits,
				  struct object **out);
/* Unmasks the line again. */
void irq_acknowledge(struct object *irq);
