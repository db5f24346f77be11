/* A word per line, changed by its device and taken by whoever drains. A device sets the word before the line's bit in
 * `changed`; who drains clears the bit before it takes the word: no change stays behind unseen. */
#include "drivers/virt/irq_relay.h"

#define LEVEL    1U
#define ONE_RISE 2U

void irq_relay_init(struct irq_relay *relay)
{
	atomic_init(&relay->changed, 0);
	for (unsigned number = 0; number < IRQ_RELAY_INPUTS; number++) {
		relay->inputs[number].relay = relay;
		relay->inputs[number].number = number;
		atomic_init(&relay->inputs[number].rises_and_level, 0);
	}
}

/* A test device may move a line that has a device of its own: both keep the word whole. */
static void input_set(void *ctx, bool level)
{
	struct irq_relay_input *input = ctx;
	uint32_t word = atomic_load(&input->rises_and_level), changed;

	do {
		if (level == ((word & LEVEL) != 0))
			return;
		changed = level ? word + (ONE_RISE | LEVEL) : word & ~LEVEL;
	} while (!atomic_compare_exchange_weak(&input->rises_and_level, &word, changed));
	atomic_fetch_or(&input->relay->changed, 1ULL << input->number);
}

struct irq_line irq_relay_line(struct irq_relay *relay, unsigned number)
{
	return (struct irq_line){.set = input_set, .ctx = &relay->inputs[number]};
}

bool irq_relay_has_changes(struct irq_relay *relay)
{
	return atomic_load(&relay->changed) != 0;
}

void irq_relay_drain(struct irq_relay *relay, void (*apply)(void *ctx, unsigned number, bool level), void *ctx)
{
	uint64_t changed = atomic_exchange(&relay->changed, 0);

	for (; changed != 0; changed &= changed - 1) {
		unsigned number = (unsigned)__builtin_ctzll(changed);
		uint32_t word = atomic_fetch_and(&relay->inputs[number].rises_and_level, LEVEL);

		if (word >= ONE_RISE) {
			apply(ctx, number, false);
			apply(ctx, number, true);
		}
		if (word < ONE_RISE || !(word & LEVEL))
			apply(ctx, number, (word & LEVEL) != 0);
	}
}
