/* Registers and interrupts of the HPET. Nothing runs between accesses: look() finds the matches since it last looked. */
#include "drivers/virt/hpet.h"

#include <stddef.h>

#include "drivers/virt/hpet_registers.h"

#define FS_PER_NS 1000000ULL
#define NO_OUTPUT HPET_OUTPUT_COUNT
#define NO_MATCH  UINT64_MAX

static bool is_counting(const struct hpet_state *state)
{
	return (state->config & CONFIG_ENABLE) != 0;
}

/* What the timer compares: all bits of the counter, or the lower 32. */
static uint64_t size_mask(const struct hpet_timer *timer)
{
	return timer->config & TIMER_32_BITS ? UINT32_MAX : UINT64_MAX;
}

static unsigned output_of(const struct hpet_state *state, unsigned index)
{
	unsigned route = (state->timers[index].config & TIMER_ROUTE) >> TIMER_ROUTE_SHIFT;

	if ((state->config & CONFIG_LEGACY) && index < 2)
		return HPET_OUTPUT_LEGACY_0 + index;
	return route < HPET_FIRST_PIN || route - HPET_FIRST_PIN >= HPET_PIN_COUNT ? NO_OUTPUT : route - HPET_FIRST_PIN;
}

static void set_output(struct hpet *hpet, unsigned output, bool level)
{
	uint8_t bit = (uint8_t)(1U << output);
	const struct irq_line *line = &hpet->wires.outputs[output];

	if (level == ((hpet->state.outputs & bit) != 0))
		return;
	hpet->state.outputs ^= bit;
	if (line->set != NULL)
		line->set(line->ctx, level);
}

/* Outputs between edges: asserted by level-triggered timers whose status is set. */
static void update_outputs(struct hpet *hpet)
{
	const struct hpet_state *state = &hpet->state;
	uint32_t levels = 0;

	for (unsigned i = 0; i < HPET_TIMER_COUNT; i++) {
		uint32_t config = state->timers[i].config;

		if ((config & TIMER_LEVEL) && (config & TIMER_ENABLE) && (state->status & 1U << i))
			levels |= 1U << output_of(state, i);
	}
	for (unsigned output = 0; output < HPET_OUTPUT_COUNT; output++)
		set_output(hpet, output, (levels >> output & 1) != 0);
}

/* Ticks from the counter's value to the next match, 1 to 2^32 or 2^64 - 1; NO_MATCH: a whole round of 2^64. */
static uint64_t ticks_to_match(const struct hpet_state *state, const struct hpet_timer *timer)
{
	uint64_t distance = (timer->comparator - state->counter) & size_mask(timer);

	if (distance == 0)
		return timer->config & TIMER_32_BITS ? UINT32_MAX + 1ULL : NO_MATCH;
	return distance;
}

/* "When the main counter equals the comparator, ... the value in the comparator is increased by the value last written to
 * it": for every match in the `ticks` that passed. */
static void repeat(struct hpet_timer *timer, uint64_t first_match, uint64_t ticks)
{
	if ((timer->config & TIMER_PERIODIC) && timer->period != 0)
		timer->comparator += ((ticks - first_match) / timer->period + 1) * timer->period;
	timer->comparator &= size_mask(timer);
}

static void time_out(struct hpet *hpet, unsigned index)
{
	struct hpet_state *state = &hpet->state;
	unsigned output = output_of(state, index);
	uint32_t config = state->timers[index].config;

	if (config & TIMER_LEVEL) {
		state->status |= (uint8_t)(1U << index);
	} else if ((config & TIMER_ENABLE) && output != NO_OUTPUT) {
		set_output(hpet, output, true);
		update_outputs(hpet);
	}
}

/* Finds the matches up to now. Time never goes back. */
static void look(struct hpet *hpet, uint64_t now_ns)
{
	struct hpet_state *state = &hpet->state;
	uint64_t now_ticks = now_ns / HPET_TICK_NS;
	uint64_t passed = now_ticks < state->seen_ticks ? 0 : now_ticks - state->seen_ticks;
	uint32_t matched = 0;

	state->seen_ticks += passed;
	if (!is_counting(state))
		return;
	for (unsigned i = 0; i < HPET_TIMER_COUNT; i++) {
		uint64_t to_match = ticks_to_match(state, &state->timers[i]);

		if (to_match > passed)
			continue;
		repeat(&state->timers[i], to_match, passed);
		matched |= 1U << i;
	}
	state->counter += passed;
	for (unsigned i = 0; i < HPET_TIMER_COUNT; i++) {
		if (matched & 1U << i)
			time_out(hpet, i);
	}
	update_outputs(hpet);
}

static uint64_t read_timer(const struct hpet_timer *timer, unsigned reg)
{
	const uint64_t routes = ((1ULL << HPET_PIN_COUNT) - 1) << HPET_FIRST_PIN;

	if (reg == HPET_TIMER_CONFIG)
		return routes << TIMER_ROUTES_SHIFT | TIMER_CAN_REPEAT | TIMER_CAN_64_BITS | timer->config;
	return reg == HPET_TIMER_COMPARATOR ? timer->comparator : 0;
}

/* The 64-bit register that begins at reg. */
static uint64_t read_register(const struct hpet_state *state, unsigned reg)
{
	switch ((enum hpet_register)reg) {
	case HPET_REG_CAPABILITIES:
		return HPET_TICK_NS * FS_PER_NS << CAPABILITY_PERIOD_SHIFT | HPET_CAPABILITIES;
	case HPET_REG_CONFIG:
		return state->config;
	case HPET_REG_STATUS:
		return state->status;
	case HPET_REG_COUNTER:
		return state->counter;
	default:
		if (reg < HPET_REG_TIMERS || (reg - HPET_REG_TIMERS) / HPET_TIMER_STEP >= HPET_TIMER_COUNT)
			return 0;
		return read_timer(&state->timers[(reg - HPET_REG_TIMERS) / HPET_TIMER_STEP], reg % HPET_TIMER_STEP);
	}
}

static bool can_route_to(uint32_t config)
{
	unsigned route = (config & TIMER_ROUTE) >> TIMER_ROUTE_SHIFT;

	return route >= HPET_FIRST_PIN && route < HPET_FIRST_PIN + HPET_PIN_COUNT;
}

/* A route that the timer does not have leaves the old one; an edge-triggered timer has no status. */
static void write_timer_config(struct hpet_state *state, unsigned index, uint32_t value)
{
	struct hpet_timer *timer = &state->timers[index];
	uint32_t route = can_route_to(value) ? value & TIMER_ROUTE : timer->config & TIMER_ROUTE;

	timer->config = (value & TIMER_WRITABLE) | route;
	if (!(timer->config & TIMER_LEVEL))
		state->status &= (uint8_t)~(1U << index);
	if (!(timer->config & TIMER_PERIODIC))
		timer->config &= ~TIMER_VALUE_SET;
	timer->comparator &= size_mask(timer);
	timer->period &= size_mask(timer);
}

/* In periodic mode what is written is the period; with VAL_SET, which this clears, it is the comparator too. mask: the bits
 * that were written; the others keep the value that they had. */
static void write_comparator(struct hpet_timer *timer, uint64_t value, uint64_t mask)
{
	bool periodic = (timer->config & TIMER_PERIODIC) != 0;

	if (!periodic || (timer->config & TIMER_VALUE_SET))
		timer->comparator = ((timer->comparator & ~mask) | (value & mask)) & size_mask(timer);
	if (periodic)
		timer->period = ((timer->period & ~mask) | (value & mask)) & size_mask(timer);
	timer->config &= ~TIMER_VALUE_SET;
}

static void write_config(struct hpet *hpet, uint8_t value)
{
	struct hpet_state *state = &hpet->state;
	bool switched = ((state->config ^ value) & CONFIG_LEGACY) != 0;

	state->config = value & CONFIG_WRITABLE;
	if (switched && hpet->wires.legacy.set != NULL)
		hpet->wires.legacy.set(hpet->wires.legacy.ctx, (value & CONFIG_LEGACY) != 0);
}

/* value: the whole register as it shall be; mask: the bits that the access covered. */
static void write_register(struct hpet *hpet, unsigned reg, uint64_t value, uint64_t mask)
{
	struct hpet_state *state = &hpet->state;
	unsigned index = (reg - HPET_REG_TIMERS) / HPET_TIMER_STEP;

	if (reg == HPET_REG_CONFIG) {
		write_config(hpet, (uint8_t)value);
	} else if (reg == HPET_REG_STATUS) {
		state->status &= (uint8_t)~(value & mask);
	} else if (reg == HPET_REG_COUNTER) {
		if (!is_counting(state))
			state->counter = value;
	} else if (reg >= HPET_REG_TIMERS && index < HPET_TIMER_COUNT) {
		if (reg % HPET_TIMER_STEP == HPET_TIMER_CONFIG)
			write_timer_config(state, index, (uint32_t)value);
		else if (reg % HPET_TIMER_STEP == HPET_TIMER_COMPARATOR)
			write_comparator(&state->timers[index], value, mask);
	}
}

static uint64_t hpet_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	struct hpet *hpet = dev;

	(void)width;
	look(hpet, now_ns);
	return read_register(&hpet->state, (unsigned)(offset & ~7ULL)) >> (offset & 7) * 8;
}

/* Bytes beyond the register's end, which only an unaligned access has, are lost. */
static void hpet_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct hpet *hpet = dev;
	unsigned reg = (unsigned)(offset & ~7ULL);
	unsigned shift = (unsigned)(offset & 7) * 8;
	uint64_t mask = (width < 8 ? (1ULL << width * 8) - 1 : UINT64_MAX) << shift;

	look(hpet, now_ns);
	value = (read_register(&hpet->state, reg) & ~mask) | (value << shift & mask);
	write_register(hpet, reg, value, mask);
	update_outputs(hpet);
}

/* Only timers that interrupt, and do not already, need to be woken for. */
static uint64_t hpet_next_event_ns(const void *dev)
{
	const struct hpet_state *state = &((const struct hpet *)dev)->state;
	uint64_t event_ns = NO_EVENT_NS;

	for (unsigned i = 0; i < HPET_TIMER_COUNT && is_counting(state); i++) {
		const struct hpet_timer *timer = &state->timers[i];
		uint64_t ticks = ticks_to_match(state, timer);
		uint64_t due_ns;

		if (!(timer->config & TIMER_ENABLE) || ((timer->config & TIMER_LEVEL) && (state->status & 1U << i)))
			continue;
		if (ticks >= UINT64_MAX / HPET_TICK_NS - state->seen_ticks)
			continue;
		if ((timer->config & TIMER_PERIODIC) && ticks < HPET_LEAST_WAIT_NS / HPET_TICK_NS)
			ticks = HPET_LEAST_WAIT_NS / HPET_TICK_NS;
		due_ns = (state->seen_ticks + ticks) * HPET_TICK_NS;
		event_ns = due_ns < event_ns ? due_ns : event_ns;
	}
	return event_ns;
}

static void hpet_tick(void *dev, uint64_t now_ns)
{
	look(dev, now_ns);
}

static void hpet_reset(void *dev)
{
	struct hpet *hpet = dev;
	uint64_t seen_ticks = hpet->state.seen_ticks;
	uint8_t outputs = hpet->state.outputs;

	write_config(hpet, 0);
	hpet->state = (struct hpet_state){.seen_ticks = seen_ticks, .outputs = outputs};
	for (unsigned i = 0; i < HPET_TIMER_COUNT; i++)
		hpet->state.timers[i].comparator = UINT64_MAX;
	update_outputs(hpet);
}

void hpet_init(struct hpet *hpet, const struct hpet_wires *wires)
{
	*hpet = (struct hpet){.wires = *wires};
	hpet_reset(hpet);
}

const struct device_ops hpet_ops = {
	.name = "hpet",
	.width_max = 8,
	.uses_time = true,
	.read = hpet_read,
	.write = hpet_write,
	.next_event_ns = hpet_next_event_ns,
	.tick = hpet_tick,
	.reset = hpet_reset,
};
