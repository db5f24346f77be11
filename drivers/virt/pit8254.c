/* The ports of the 82C54 and the line of counter 0. What a counter does is in pit_counter.c. */
#include "drivers/virt/pit8254.h"

#include <stddef.h>

#include "drivers/virt/clock.h"

#define CONTROL_PORT 3
/* Control word */
#define CONTROL_SELECT_SHIFT 6
#define CONTROL_READ_BACK    3U
#define CONTROL_ACCESS       0x30 /* 0: counter latch command */
#define READ_BACK_NO_COUNT   0x20
#define READ_BACK_NO_STATUS  0x10
/* Port 61h */
#define PORT61_GATE2         0x01
#define PORT61_WRITABLE      0x0f /* gate, speaker, and the two error enables */
#define PORT61_REFRESH       0x10
#define PORT61_OUT2          0x20
#define REFRESH_TOGGLE_NS    15085U

static void set_line(struct pit8254 *pit, bool level)
{
	if (level != pit->state.line_level && pit->wires.irq0.set != NULL)
		pit->wires.irq0.set(pit->wires.irq0.ctx, level);
	pit->state.line_level = level;
}

/* Tells IRQ 0 what happened since the last call, and brings the counters up to tick. Time never goes back. */
static uint64_t advance(struct pit8254 *pit, uint64_t now_ns)
{
	struct pit8254_state *state = &pit->state;
	uint64_t tick = clock_ticks(now_ns, PIT8254_HZ) + PIT_FIRST_TICK;

	if (tick < state->last_tick)
		tick = state->last_tick;
	if (pit_counter_next_rise(&state->counters[0], state->last_tick) <= tick) {
		set_line(pit, false);
		set_line(pit, true);
	}
	for (unsigned i = 0; i < PIT8254_COUNTER_COUNT; i++)
		pit_counter_sync(&state->counters[i], tick);
	set_line(pit, pit_counter_output(&state->counters[0], tick));
	state->last_tick = tick;
	return tick;
}

static void read_back(struct pit8254_state *state, uint8_t word, uint64_t tick)
{
	for (unsigned i = 0; i < PIT8254_COUNTER_COUNT; i++) {
		if (!(word & 2U << i))
			continue;
		if (!(word & READ_BACK_NO_COUNT))
			pit_counter_latch_count(&state->counters[i], tick);
		if (!(word & READ_BACK_NO_STATUS))
			pit_counter_latch_status(&state->counters[i], tick);
	}
}

static void write_control(struct pit8254_state *state, uint8_t word, uint64_t tick)
{
	unsigned select = word >> CONTROL_SELECT_SHIFT;

	if (select == CONTROL_READ_BACK)
		read_back(state, word, tick);
	else if (word & CONTROL_ACCESS)
		pit_counter_control(&state->counters[select], word);
	else
		pit_counter_latch_count(&state->counters[select], tick);
}

static uint8_t read_port61(const struct pit8254_state *state, uint64_t now_ns, uint64_t tick)
{
	return (uint8_t)(state->port61 | (now_ns / REFRESH_TOGGLE_NS & 1 ? PORT61_REFRESH : 0) |
			 (pit_counter_output(&state->counters[2], tick) ? PORT61_OUT2 : 0));
}

static uint64_t pit_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	struct pit8254 *pit = dev;
	uint64_t tick = advance(pit, now_ns);

	(void)width;
	if (offset < PIT8254_COUNTER_COUNT)
		return pit_counter_read(&pit->state.counters[offset], tick);
	if (offset == PIT8254_PORT61)
		return read_port61(&pit->state, now_ns, tick);
	return 0xff; /* the control word cannot be read */
}

static void pit_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct pit8254 *pit = dev;
	struct pit8254_state *state = &pit->state;
	uint64_t tick = advance(pit, now_ns);

	(void)width;
	if (offset < PIT8254_COUNTER_COUNT) {
		pit_counter_write(&state->counters[offset], (uint8_t)value, tick);
	} else if (offset == CONTROL_PORT) {
		write_control(state, (uint8_t)value, tick);
	} else if (offset == PIT8254_PORT61) {
		state->port61 = value & PORT61_WRITABLE;
		pit_counter_set_gate(&state->counters[2], (value & PORT61_GATE2) != 0, tick);
	}
	set_line(pit, pit_counter_output(&state->counters[0], tick));
}

static uint64_t pit_next_event_ns(const void *dev)
{
	const struct pit8254 *pit = dev;
	uint64_t rise = pit_counter_next_rise(&pit->state.counters[0], pit->state.last_tick);

	return rise == PIT_NO_TICK ? NO_EVENT_NS : clock_ns(rise - PIT_FIRST_TICK, PIT8254_HZ);
}

static void pit_tick(void *dev, uint64_t now_ns)
{
	(void)advance(dev, now_ns);
}

static void pit_reset(void *dev)
{
	struct pit8254 *pit = dev;
	/* "Prior to initialization, the mode, count, and output of all Counters is undefined": silent, and high. */
	struct pit_counter blank = {.mode = 3, .access = PIT_ACCESS_BOTH, .gate = true};
	struct pit8254_state *state = &pit->state;

	if (state->last_tick < PIT_FIRST_TICK)
		state->last_tick = PIT_FIRST_TICK;
	for (unsigned i = 0; i < PIT8254_COUNTER_COUNT; i++)
		state->counters[i] = blank;
	state->counters[2].gate = false;
	state->port61 = 0;
	set_line(pit, true);
}

void pit8254_init(struct pit8254 *pit, const struct pit8254_wires *wires)
{
	*pit = (struct pit8254){.wires = *wires};
	pit_reset(pit);
}

const struct device_ops pit8254_ops = {
	.name = "8254",
	.width_max = 1,
	.uses_time = true,
	.read = pit_read,
	.write = pit_write,
	.next_event_ns = pit_next_event_ns,
	.tick = pit_tick,
	.reset = pit_reset,
};
