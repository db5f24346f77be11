/* What every device model is: a struct plus const ops. A device sees an offset into its own registers, a width, a value
 * and the guest's time; it sees no addresses, vCPUs or guest memory.
 *
 * Each model keeps all that a saved machine needs in one struct without pointers (`state`) and what connects it to its
 * machine (lines, callbacks) in another (`wires`), so that a machine is saved by copying the states.
 *
 * Context of all functions of a model: one thread at a time per device; the caller holds the device's lock. Callbacks
 * and lines are called under that lock. So what a machine hangs on a line must not enter another device: it notes the
 * change and passes it on after unlock (irq_relay.h). Each call of a line counts, in order: a fall and a rise in one
 * access are an edge, although the level is what it was. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define NO_EVENT_NS UINT64_MAX

/* A wire that leaves a device. level = true: asserted, whatever its electrical polarity. */
struct irq_line {
	void (*set)(void *ctx, bool level);
	void *ctx;
};

/* dev: the model's struct. offset: from the start of the device's registers (a model with several regions numbers them
 * on; its header says how). width: 1, 2, 4 or 8 bytes, at most width_max. now_ns: the guest's time, never going back.
 * Only read and write must be there. */
struct device_ops {
	const char *name;
	unsigned width_max; /* wider accesses reach the device as several, lowest offset first */
	bool uses_time;     /* false: read and write ignore now_ns, and the caller may pass 0 */
	uint64_t (*read)(void *dev, uint64_t offset, unsigned width, uint64_t now_ns);
	void (*write)(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns);
	/* When tick() is due next; NO_EVENT_NS: not before the next access. Ask again after each access and tick. */
	uint64_t (*next_event_ns)(const void *dev);
	/* Brings the device, above all its lines, up to now_ns. Early, late and repeated calls do no harm. */
	void (*tick)(void *dev, uint64_t now_ns);
	/* Power-on state; wires stay. */
	void (*reset)(void *dev);
};
