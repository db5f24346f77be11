/* The thread of one virtio device: waits for what its event says, and serves queues and back end in turns, each under the device's
 * lock. Between turns vCPUs get to its registers, and interrupts that a turn caused are on their way. */
#include "user/calls.h"
#include "user/clock.h"
#include "vmm/machine.h"

#define BIT(n) (1ULL << (n))

/* One turn. True: there is more of it to do. */
static bool serve_turn(struct virtio_slot *slot, unsigned bit)
{
	struct machine *machine = slot->machine;
	bool has_more;

	lock_acquire(&slot->lock);
	has_more = bit == VIRTIO_EVENT_BACKEND ? virtio_serve_backend(&slot->device) : virtio_serve(&slot->device, bit);
	lock_release(&slot->lock);
	if (irq_relay_has_changes(&machine->relay))
		machine_drain_lines(machine);
	return has_more;
}

/* One turn for each bit; returns those with more to do. Bits that stand for nothing are dropped. */
static uint64_t serve_round(struct virtio_slot *slot, uint64_t bits)
{
	const uint64_t queues = BIT(slot->device.config.queue_count) - 1;
	uint64_t more = 0;

	for (bits &= queues | BIT(VIRTIO_EVENT_BACKEND); bits != 0; bits &= bits - 1) {
		unsigned bit = (unsigned)__builtin_ctzll(bits);

		if (serve_turn(slot, bit))
			more |= BIT(bit);
	}
	return more;
}

/* As a TSC value; 0 where there is work, so that the wait only collects what came meanwhile. */
static uint64_t deadline_of(struct virtio_slot *slot, uint64_t more)
{
	const struct machine *machine = slot->machine;
	uint64_t due_ns;

	if (more != 0)
		return 0;
	lock_acquire(&slot->lock);
	due_ns = slot->due_ns;
	lock_release(&slot->lock);
	if (due_ns == NO_EVENT_NS)
		return DEADLINE_NEVER;
	return machine->start_tsc + time_ticks(due_ns, machine->tsc_hz) + 1;
}

/* What was due is, with this turn; the model sets the next one. */
static void clear_due(struct virtio_slot *slot)
{
	lock_acquire(&slot->lock);
	slot->due_ns = NO_EVENT_NS;
	lock_release(&slot->lock);
}

void virtio_thread(void *argument)
{
	struct virtio_slot *slot = argument;
	uint64_t more = 0;

	for (;;) {
		uint64_t deadline = deadline_of(slot, more);
		uint64_t bits = 0;

		if (sys_event_wait(slot->event, deadline, &bits) != OK && deadline != 0) {
			clear_due(slot);
			bits = BIT(VIRTIO_EVENT_BACKEND);
		}
		more = serve_round(slot, more | bits);
	}
}
