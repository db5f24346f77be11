/* Interrupt lines between devices and interrupt controllers that have locks of their own. A device sets its line under
 * the device's lock; that only notes the change here, without a lock. After unlock the same thread takes the
 * controllers' lock and drains: so no two locks are held at once, and whichever thread drains last applies what is
 * true. Edges that come faster than they are drained become one, as they would in the controller.
 * Which input belongs to which line, and what two devices on one line make of it, is the machine's business. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"

#define IRQ_RELAY_INPUTS 64

struct irq_relay {
	struct irq_relay_input {
		struct irq_relay *relay;
		unsigned number;
		_Atomic uint32_t rises_and_level; /* bit 0: level; above: rising edges that were not drained */
	} inputs[IRQ_RELAY_INPUTS];
	_Atomic uint64_t changed; /* a bit for each input */
};

/* All inputs low. */
void irq_relay_init(struct irq_relay *relay);

/* The end of input `number` (0 to 63) that a device gets; where several have one, the last level counts. */
struct irq_line irq_relay_line(struct irq_relay *relay, unsigned number);

/* Whether there is something to drain. Context: any; after a device's lock was released. */
bool irq_relay_has_changes(struct irq_relay *relay);

/* Calls apply(ctx, number, level) for what changed: for edges first low, then high; the present level last.
 * Context: caller holds the controllers' lock. */
void irq_relay_drain(struct irq_relay *relay, void (*apply)(void *ctx, unsigned number, bool level), void *ctx);
