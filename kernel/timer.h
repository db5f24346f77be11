/* Timers of one CPU: a heap of absolute TSC deadlines behind the CPU's one hardware deadline. No periodic tick. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct percpu;

/* Embedded in what it serves. Armed, disarmed and expired on one CPU only. */
struct timer {
	uint64_t deadline_tsc;
	void (*expired)(struct timer *timer); /* in ring 0, interrupts off; disarmed before the call */
	struct timer *child, *sibling, *parent; /* pairing heap */
	bool armed;
};

/* Arms (or moves) on the current CPU. O(log n). */
void timer_arm(struct timer *timer, uint64_t deadline_tsc);
void timer_disarm(struct timer *timer);

/* The running vCPU's own deadline: a field beside the heap, so that setting it costs no heap operation.
 * UINT64_MAX: none. Reaching it makes the CPU leave the guest; whoever set it looks at the clock. */
void timer_set_guest_deadline(uint64_t deadline_tsc);

extern uint64_t tsc_hz; /* of boot_info, constant after boot */
uint64_t tsc_from_us(uint64_t us);
void timer_wait_us(uint64_t us); /* spins */
