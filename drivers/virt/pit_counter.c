/* The six modes of an 82C54 counter. Modes 0 and 4 start when a count is written and pause with the gate, 1 and 5 start
 * with the gate's rise, 2 and 3 repeat and are restarted by it. */
#include "drivers/virt/pit_counter.h"

/* Control word */
#define CONTROL_BCD          0x01
#define CONTROL_MODE_SHIFT   1
#define CONTROL_MODE_MASK    7U
#define CONTROL_ACCESS_SHIFT 4
#define CONTROL_ACCESS_MASK  3U
/* Status byte */
#define STATUS_OUTPUT     0x80
#define STATUS_NULL_COUNT 0x40

static bool is_repeating(const struct pit_counter *counter)
{
	return counter->mode == 2 || counter->mode == 3;
}

static bool is_gate_triggered(const struct pit_counter *counter)
{
	return counter->mode == 1 || counter->mode == 5;
}

static uint32_t modulus(const struct pit_counter *counter)
{
	return counter->bcd ? 10000 : 65536;
}

/* Clock pulses since the count was loaded; loading takes one, so that start_tick may be the next tick. */
static uint64_t elapsed(const struct pit_counter *counter, uint64_t tick)
{
	if (!counter->running)
		return counter->held_ticks;
	return tick < counter->start_tick ? 0 : tick - counter->start_tick;
}

/* Mode 3: how long OUT is high; an odd count's first half is one tick longer. */
static uint32_t high_half(uint32_t count)
{
	return (count + 1) / 2;
}

/* Where the cycle, in mode 3 the half cycle, that runs at `ticks` from its load ends; from the load on. */
static uint64_t end_of_part(const struct pit_counter *counter, uint64_t ticks)
{
	uint64_t begin = ticks / counter->period * counter->period;

	if (counter->mode == 3 && ticks - begin < high_half(counter->period))
		return begin + high_half(counter->period);
	return begin + counter->period;
}

static void load(struct pit_counter *counter, uint64_t tick)
{
	counter->period = counter->reload;
	counter->loaded = true;
	counter->running = counter->gate || is_gate_triggered(counter);
	counter->start_tick = tick + 1;
	counter->held_ticks = 0;
	counter->switch_tick = 0;
}

/* Mode 3: the count that waits begins with the lower half cycle. */
static bool switches_at_half(const struct pit_counter *counter)
{
	return counter->reload != counter->period && (counter->switch_tick - counter->start_tick) % counter->period != 0;
}

void pit_counter_sync(struct pit_counter *counter, uint64_t tick)
{
	if (!is_repeating(counter) || !counter->running || counter->reload == counter->period)
		return;
	if (tick < counter->switch_tick)
		return;
	if (switches_at_half(counter))
		counter->start_tick = counter->switch_tick - high_half(counter->reload);
	else
		counter->start_tick = counter->switch_tick;
	counter->period = counter->reload;
}

void pit_counter_control(struct pit_counter *counter, uint8_t word)
{
	unsigned mode = word >> CONTROL_MODE_SHIFT & CONTROL_MODE_MASK;

	*counter = (struct pit_counter){
		.mode = (uint8_t)(mode > 5 ? mode - 4 : mode), /* modes 2 and 3 do not look at the highest bit */
		.access = word >> CONTROL_ACCESS_SHIFT & CONTROL_ACCESS_MASK,
		.bcd = (word & CONTROL_BCD) != 0,
		.gate = counter->gate,
	};
}

static uint32_t from_bcd(uint16_t value)
{
	return (value >> 12) * 1000U + (value >> 8 & 15) * 100U + (value >> 4 & 15) * 10U + (value & 15);
}

static uint16_t to_bcd(uint32_t value)
{
	return (uint16_t)(value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10);
}

static void write_count(struct pit_counter *counter, uint16_t value, uint64_t tick)
{
	uint32_t count = counter->bcd ? from_bcd(value) % 10000 : value;

	if (count == 0)
		count = modulus(counter);
	if (is_repeating(counter) && count == 1)
		count = 2; /* "a count of 1 is illegal" */
	counter->reload = count;
	counter->switch_tick = PIT_NO_TICK; /* the gate's rise */
	if (is_gate_triggered(counter))
		return;
	if (!is_repeating(counter) || !counter->loaded)
		load(counter, tick);
	else if (counter->running)
		counter->switch_tick = counter->start_tick + end_of_part(counter, elapsed(counter, tick));
}

void pit_counter_write(struct pit_counter *counter, uint8_t byte, uint64_t tick)
{
	if (counter->access == PIT_ACCESS_LOW) {
		write_count(counter, byte, tick);
	} else if (counter->access == PIT_ACCESS_HIGH) {
		write_count(counter, (uint16_t)(byte << 8), tick);
	} else if (counter->write_high_next) {
		counter->write_high_next = false;
		write_count(counter, (uint16_t)(byte << 8 | counter->written_low), tick);
	} else {
		counter->write_high_next = true;
		counter->written_low = byte;
		/* "Writing the first byte disables counting. OUT is set low immediately." */
		if (counter->mode == 0) {
			counter->held_ticks = 0;
			counter->loaded = false;
			counter->running = false;
		}
	}
}

/* The counting element. Mode 3 counts down by two, twice a period. */
static uint16_t present_count(const struct pit_counter *counter, uint64_t tick)
{
	uint64_t ticks = elapsed(counter, tick);
	uint32_t count;

	if (!counter->loaded)
		return 0;
	if (!is_repeating(counter)) {
		count = (uint32_t)((counter->period + modulus(counter) - ticks % modulus(counter)) % modulus(counter));
	} else if (counter->mode == 2) {
		count = counter->period - (uint32_t)(ticks % counter->period);
	} else {
		uint32_t high_ticks = high_half(counter->period);
		uint32_t at = (uint32_t)(ticks % counter->period);

		count = (counter->period & ~1U) - 2 * (at < high_ticks ? at : at - high_ticks);
	}
	return counter->bcd ? to_bcd(count) : (uint16_t)count;
}

uint8_t pit_counter_read(struct pit_counter *counter, uint64_t tick)
{
	uint16_t count = counter->count_latched ? counter->latched_count : present_count(counter, tick);
	bool both = counter->access == PIT_ACCESS_BOTH;
	bool high = both ? counter->read_high_next : counter->access == PIT_ACCESS_HIGH;

	if (counter->status_latched) {
		counter->status_latched = false;
		return counter->latched_status;
	}
	if (both)
		counter->read_high_next = !counter->read_high_next;
	if (!both || high)
		counter->count_latched = false;
	return (uint8_t)(high ? count >> 8 : count);
}

void pit_counter_latch_count(struct pit_counter *counter, uint64_t tick)
{
	if (counter->count_latched)
		return;
	counter->count_latched = true;
	counter->latched_count = present_count(counter, tick);
}

void pit_counter_latch_status(struct pit_counter *counter, uint64_t tick)
{
	bool loading = counter->running && tick < counter->start_tick;
	bool null_count = !counter->loaded || loading || counter->reload != counter->period || tick < counter->switch_tick;

	if (counter->status_latched)
		return;
	counter->status_latched = true;
	counter->latched_status = (uint8_t)((pit_counter_output(counter, tick) ? STATUS_OUTPUT : 0) |
					    (null_count ? STATUS_NULL_COUNT : 0) |
					    counter->access << CONTROL_ACCESS_SHIFT |
					    counter->mode << CONTROL_MODE_SHIFT | (counter->bcd ? CONTROL_BCD : 0));
}

static void gate_rises(struct pit_counter *counter, uint64_t tick)
{
	if (counter->reload == 0)
		return;
	if (is_gate_triggered(counter) || is_repeating(counter)) {
		load(counter, tick);
	} else if (counter->loaded) {
		counter->start_tick = tick - counter->held_ticks;
		counter->running = true;
	}
}

void pit_counter_set_gate(struct pit_counter *counter, bool gate, uint64_t tick)
{
	if (gate == counter->gate)
		return;
	counter->gate = gate;
	if (gate) {
		gate_rises(counter, tick);
	} else if (!is_gate_triggered(counter)) {
		counter->held_ticks = elapsed(counter, tick);
		counter->running = false;
	}
}

bool pit_counter_output(const struct pit_counter *counter, uint64_t tick)
{
	uint64_t ticks = elapsed(counter, tick);

	switch (counter->mode) {
	case 0:
		return counter->loaded && ticks >= counter->period;
	case 1:
		return !counter->loaded || ticks >= counter->period;
	case 2:
		return !counter->running || ticks % counter->period != counter->period - 1;
	case 3:
		return !counter->running || ticks % counter->period < high_half(counter->period);
	default:
		return !counter->loaded || ticks != counter->period;
	}
}

uint64_t pit_counter_next_rise(const struct pit_counter *counter, uint64_t tick)
{
	uint64_t rise = counter->start_tick + counter->period;

	if (!counter->running)
		return PIT_NO_TICK;
	if (counter->mode == 3 && switches_at_half(counter))
		return counter->switch_tick + counter->reload - high_half(counter->reload);
	if (is_repeating(counter))
		return rise + elapsed(counter, tick) / counter->period * counter->period;
	if (counter->mode >= 4)
		rise++;
	return rise > tick ? rise : PIT_NO_TICK;
}
