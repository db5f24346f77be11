/* Doorbells: ports whose OUT signals an event while the guest goes on, without a visit to the VMM. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/vcpu.h"
#include "kernel/spinlock.h"

struct event;
struct vm;

struct doorbell {
	_Atomic(struct event *) event; /* holds one reference; NULL: not in use, the rest means nothing */
	uint16_t first, count;         /* ports */
	uint8_t first_bit;
};

/* A running vCPU looks into this without a lock. What it found stays valid until it has taken a reference of its own: whoever
 * removes a doorbell waits, before the place or the event is used for anything else, until each CPU that may have been in such a
 * look has left it (vcpus_must_forget()). Ring 0 runs with interrupts off and a look waits for no lock, so such a CPU answers
 * only after it. */
struct doorbells {
	_Atomic uint32_t span; /* lowest port | count up to the highest << 16; 0: no doorbell */
	struct spinlock lock;  /* who changes anything */
	struct doorbell entries[VM_DOORBELLS_MAX];
};

/* Whether there may be a doorbell: what every OUT is asked. */
static inline bool doorbells_may_have(const struct doorbells *doorbells, uint16_t port)
{
	uint32_t span = atomic_load_explicit(&doorbells->span, memory_order_relaxed);

	return (uint16_t)(port - span) < span >> 16;
}

void doorbells_init(struct doorbells *doorbells);
/* The VM is gone: drops the references. */
void doorbells_destroy(struct doorbells *doorbells);

/* Signals the event of the doorbell at that port; false: there is none. Context: a vCPU's thread, in the loop, no lock held. */
bool doorbells_ring(struct doorbells *doorbells, uint16_t port);
