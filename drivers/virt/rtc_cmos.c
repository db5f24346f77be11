/* Registers, flags and the interrupt of the MC146818A. Nothing runs between accesses: look() sets the flags for what
 * happened since it last looked. */
#include "drivers/virt/rtc_cmos.h"

#include <stddef.h>

#include "drivers/virt/clock.h"
#include "drivers/virt/rtc_calendar.h"
#include "drivers/virt/rtc_cmos_registers.h"

#define OSCILLATOR_HZ   32768U
#define UPDATE_WARNS_NS 244000U
#define HALF_SECOND_NS  (NS_PER_SECOND / 2)

static bool divider_is_reset(const struct rtc_cmos_state *state)
{
	return (state->bytes[RTC_A] & A_DIVIDER_RESET) == A_DIVIDER_RESET;
}

static bool is_stopped(const struct rtc_cmos_state *state)
{
	return (state->bytes[RTC_B] & B_SET) || divider_is_reset(state);
}

static uint8_t encode(const struct rtc_cmos_state *state, unsigned value)
{
	return (uint8_t)(state->bytes[RTC_B] & B_BINARY ? value : value / 10 % 10 << 4 | value % 10);
}

static unsigned decode(const struct rtc_cmos_state *state, uint8_t byte)
{
	return state->bytes[RTC_B] & B_BINARY ? byte : (byte >> 4) * 10U + (byte & 15);
}

static uint8_t encode_hour(const struct rtc_cmos_state *state, unsigned hour)
{
	if (state->bytes[RTC_B] & B_24_HOURS)
		return encode(state, hour);
	return encode(state, hour % 12 == 0 ? 12 : hour % 12) | (hour >= 12 ? HOURS_PM : 0);
}

static unsigned decode_hour(const struct rtc_cmos_state *state, uint8_t byte)
{
	if (state->bytes[RTC_B] & B_24_HOURS)
		return decode(state, byte);
	return decode(state, byte & (uint8_t)~HOURS_PM) % 12 + (byte & HOURS_PM ? 12 : 0);
}

/* Time since zero_ns. It may lie a little ahead, after the divider's reset: then nothing has passed. */
static uint64_t running_ns(const struct rtc_cmos_state *state, uint64_t now_ns)
{
	uint64_t ns = now_ns - state->zero_ns;

	return ns > INT64_MAX ? 0 : ns;
}

static int64_t seconds_at(const struct rtc_cmos_state *state, uint64_t now_ns)
{
	return state->base_seconds + (int64_t)(running_ns(state, now_ns) / NS_PER_SECOND);
}

/* The time registers for this moment. */
static void show_time(struct rtc_cmos_state *state, uint64_t now_ns)
{
	struct rtc_time time = rtc_time_of(seconds_at(state, now_ns));

	state->bytes[RTC_SECONDS] = encode(state, time.second);
	state->bytes[RTC_MINUTES] = encode(state, time.minute);
	state->bytes[RTC_HOURS] = encode_hour(state, time.hour);
	state->bytes[RTC_WEEKDAY] = encode(state, time.weekday);
	state->bytes[RTC_DAY] = encode(state, time.day);
	state->bytes[RTC_MONTH] = encode(state, time.month);
	state->bytes[RTC_YEAR] = encode(state, time.year % 100);
	state->bytes[RTC_CMOS_CENTURY] = encode(state, time.year / 100);
}

/* The time registers say what time it is; the second goes on from where it was. */
static void take_time(struct rtc_cmos_state *state, uint64_t now_ns)
{
	struct rtc_time time = {
		.year = decode(state, state->bytes[RTC_CMOS_CENTURY]) * 100 + decode(state, state->bytes[RTC_YEAR]),
		.month = decode(state, state->bytes[RTC_MONTH]),
		.day = decode(state, state->bytes[RTC_DAY]),
		.hour = decode_hour(state, state->bytes[RTC_HOURS]),
		.minute = decode(state, state->bytes[RTC_MINUTES]),
		.second = decode(state, state->bytes[RTC_SECONDS]),
	};

	state->zero_ns = now_ns - running_ns(state, now_ns) % NS_PER_SECOND;
	state->base_seconds = rtc_seconds(&time);
}

/* Whether an alarm register lets this value pass. */
static bool alarm_matches(const struct rtc_cmos_state *state, enum rtc_register reg, unsigned value)
{
	uint8_t alarm = state->bytes[reg];

	if ((alarm & ALARM_ANY) == ALARM_ANY)
		return true;
	return (reg == RTC_HOURS_ALARM ? decode_hour(state, alarm) : decode(state, alarm)) == value;
}

/* The first value from `from` on, below limit, that an alarm register lets pass; limit for none. */
static unsigned first_match(const struct rtc_cmos_state *state, enum rtc_register reg, unsigned from, unsigned limit)
{
	while (from < limit && !alarm_matches(state, reg, from))
		from++;
	return from;
}

/* The first second of the day from `from` (0 to 86399) on at which the alarm goes; SECONDS_PER_DAY for none. */
static unsigned alarm_in_day(const struct rtc_cmos_state *state, unsigned from)
{
	unsigned hour = first_match(state, RTC_HOURS_ALARM, from / 3600, 24);
	unsigned minute = first_match(state, RTC_MINUTES_ALARM, hour == from / 3600 ? from / 60 % 60 : 0, 60);
	unsigned second =
		first_match(state, RTC_SECONDS_ALARM, hour * 60 + minute == from / 60 ? from % 60 : 0, 60);

	if (second == 60 && minute < 60) {
		minute = first_match(state, RTC_MINUTES_ALARM, minute + 1, 60);
		second = first_match(state, RTC_SECONDS_ALARM, 0, 60);
	}
	if (minute == 60) {
		hour = first_match(state, RTC_HOURS_ALARM, hour + 1, 24);
		minute = first_match(state, RTC_MINUTES_ALARM, 0, 60);
		second = first_match(state, RTC_SECONDS_ALARM, 0, 60);
	}
	if (hour >= 24 || minute == 60 || second == 60)
		return SECONDS_PER_DAY;
	return hour * 3600 + minute * 60 + second;
}

/* Seconds until the alarm goes, 1 to 86400, counted from the second that begins at `seconds`; 0: it never does. */
static unsigned seconds_to_alarm(const struct rtc_cmos_state *state, int64_t seconds)
{
	unsigned of_day = (unsigned)((seconds % SECONDS_PER_DAY + SECONDS_PER_DAY) % SECONDS_PER_DAY);
	unsigned next = (of_day + 1) % SECONDS_PER_DAY;
	unsigned at = alarm_in_day(state, next);

	if (at == SECONDS_PER_DAY)
		at = alarm_in_day(state, 0);
	if (at == SECONDS_PER_DAY)
		return 0;
	return (at + SECONDS_PER_DAY - next) % SECONDS_PER_DAY + 1;
}

/* Periods of the periodic interrupt are 2^shift ticks of the oscillator; 0: off. Rates 1 and 2 are those of 8 and 9. */
static unsigned periodic_shift(const struct rtc_cmos_state *state)
{
	unsigned rate = state->bytes[RTC_A] & A_RATE;

	if (rate == 0 || divider_is_reset(state))
		return 0;
	return rate < 3 ? rate + 6 : rate - 1;
}

static uint64_t periods_at(const struct rtc_cmos_state *state, uint64_t now_ns)
{
	return clock_ticks(running_ns(state, now_ns), OSCILLATOR_HZ) >> periodic_shift(state);
}

static void update_line(struct rtc_cmos *rtc)
{
	struct rtc_cmos_state *state = &rtc->state;
	bool level = (state->bytes[RTC_B] & state->bytes[RTC_C] & C_FLAGS) != 0;

	state->bytes[RTC_C] = (uint8_t)((state->bytes[RTC_C] & C_FLAGS) | (level ? C_IRQ : 0));
	if (level != state->irq_level && rtc->wires.irq.set != NULL)
		rtc->wires.irq.set(rtc->wires.irq.ctx, level);
	state->irq_level = level;
}

/* Sets the flags of what happened after seen_ns, up to now. Returns the time it then is, which never goes back. */
static uint64_t look(struct rtc_cmos *rtc, uint64_t now_ns)
{
	struct rtc_cmos_state *state = &rtc->state;
	int64_t before = seconds_at(state, state->seen_ns);
	int64_t passed;

	if (now_ns < state->seen_ns)
		now_ns = state->seen_ns;
	passed = seconds_at(state, now_ns) - before;
	if (periodic_shift(state) != 0 && periods_at(state, now_ns) != periods_at(state, state->seen_ns))
		state->bytes[RTC_C] |= C_PERIODIC;
	state->seen_ns = now_ns;
	if (passed > 0 && !is_stopped(state)) {
		unsigned to_alarm = seconds_to_alarm(state, before);

		state->bytes[RTC_C] |= C_UPDATE;
		state->bytes[RTC_C] |= to_alarm != 0 && to_alarm <= passed ? C_ALARM : 0;
	}
	update_line(rtc);
	return now_ns;
}

/* "Update in progress": less than 244 us to the next update. */
static uint8_t read_a(const struct rtc_cmos_state *state, uint64_t now_ns)
{
	uint64_t left_ns = NS_PER_SECOND - running_ns(state, now_ns) % NS_PER_SECOND;
	bool warns = !is_stopped(state) && left_ns <= UPDATE_WARNS_NS;

	return (uint8_t)(state->bytes[RTC_A] | (warns ? A_UPDATE_IN_PROGRESS : 0));
}

/* Reading register C clears it. */
static uint8_t read_c(struct rtc_cmos *rtc)
{
	uint8_t flags = rtc->state.bytes[RTC_C];

	rtc->state.bytes[RTC_C] = 0;
	update_line(rtc);
	return flags;
}

static bool is_time_register(uint8_t index)
{
	return index == RTC_SECONDS || index == RTC_MINUTES || index == RTC_HOURS || index == RTC_CMOS_CENTURY ||
	       (index >= RTC_WEEKDAY && index <= RTC_YEAR);
}

/* Registers A and B can stop and start the clock. "When the divider is changed from reset to an operating time base,
 * the first update cycle is one-half second later." */
static void write_mode(struct rtc_cmos_state *state, enum rtc_register reg, uint8_t value, uint64_t now_ns)
{
	bool was_stopped = is_stopped(state);
	bool was_in_reset = divider_is_reset(state);

	if (!was_stopped)
		show_time(state, now_ns);
	state->bytes[reg] = value;
	if (is_stopped(state) || !was_stopped)
		return;
	if (was_in_reset)
		state->zero_ns = now_ns - HALF_SECOND_NS;
	take_time(state, now_ns);
}

static void write_register(struct rtc_cmos *rtc, uint8_t index, uint8_t value, uint64_t now_ns)
{
	struct rtc_cmos_state *state = &rtc->state;

	switch (index) {
	case RTC_A:
		write_mode(state, RTC_A, value & (A_DIVIDER | A_RATE), now_ns);
		return;
	case RTC_B:
		/* "SET ... UIE is cleared" */
		write_mode(state, RTC_B, value & B_SET ? value & (uint8_t)~C_UPDATE : value, now_ns);
		update_line(rtc);
		return;
	case RTC_C:
	case RTC_D:
		return;
	default:
		break;
	}
	if (!is_time_register(index) || is_stopped(state)) {
		state->bytes[index] = value;
		return;
	}
	show_time(state, now_ns);
	state->bytes[index] = value;
	take_time(state, now_ns);
}

static uint64_t rtc_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	struct rtc_cmos *rtc = dev;
	struct rtc_cmos_state *state = &rtc->state;

	(void)width;
	if (offset == 0)
		return 0xff; /* the index cannot be read */
	now_ns = look(rtc, now_ns);
	if (state->index == RTC_A)
		return read_a(state, now_ns);
	if (state->index == RTC_C)
		return read_c(rtc);
	if (is_time_register(state->index) && !is_stopped(state))
		show_time(state, now_ns);
	return state->bytes[state->index];
}

static void rtc_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct rtc_cmos *rtc = dev;

	(void)width;
	if (offset == 0)
		rtc->state.index = value & INDEX_MASK;
	else
		write_register(rtc, rtc->state.index, (uint8_t)value, look(rtc, now_ns));
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* While the line is asserted nothing more can happen: reading register C is an access. */
static uint64_t rtc_next_event_ns(const void *dev)
{
	const struct rtc_cmos_state *state = &((const struct rtc_cmos *)dev)->state;
	uint8_t enabled = state->bytes[RTC_B];
	uint64_t passed_ns = running_ns(state, state->seen_ns);
	uint64_t second_ns = passed_ns - passed_ns % NS_PER_SECOND + state->zero_ns;
	unsigned shift = periodic_shift(state);
	uint64_t event_ns = NO_EVENT_NS;

	if (state->irq_level)
		return NO_EVENT_NS;
	if ((enabled & C_PERIODIC) && shift != 0)
		event_ns = clock_ns((periods_at(state, state->seen_ns) + 1) << shift, OSCILLATOR_HZ) + state->zero_ns;
	if (is_stopped(state))
		return event_ns;
	if (enabled & C_UPDATE)
		event_ns = earlier(event_ns, second_ns + NS_PER_SECOND);
	if (enabled & C_ALARM) {
		unsigned to_alarm = seconds_to_alarm(state, seconds_at(state, state->seen_ns));

		if (to_alarm != 0)
			event_ns = earlier(event_ns, second_ns + to_alarm * NS_PER_SECOND);
	}
	return event_ns;
}

static void rtc_tick(void *dev, uint64_t now_ns)
{
	(void)look(dev, now_ns);
}

/* The RESET pin clears enables and flags; time and RAM are kept by the battery. */
static void rtc_reset(void *dev)
{
	struct rtc_cmos *rtc = dev;

	rtc->state.bytes[RTC_B] &= (uint8_t)~C_FLAGS;
	rtc->state.bytes[RTC_C] = 0;
	rtc->state.index = 0;
	update_line(rtc);
}

void rtc_cmos_init(struct rtc_cmos *rtc, const struct rtc_cmos_wires *wires, int64_t seconds, uint64_t now_ns)
{
	*rtc = (struct rtc_cmos){
		.state = {.base_seconds = seconds, .zero_ns = now_ns, .seen_ns = now_ns,
			  .bytes = {[RTC_A] = A_POWER_ON, [RTC_B] = B_24_HOURS, [RTC_D] = D_VALID}},
		.wires = *wires,
	};
}

void rtc_cmos_preset(struct rtc_cmos *rtc, uint8_t index, uint8_t value)
{
	if (index >= RTC_RAM && index < RTC_CMOS_BYTES && index != RTC_CMOS_CENTURY)
		rtc->state.bytes[index] = value;
}

const struct device_ops rtc_cmos_ops = {
	.name = "rtc",
	.width_max = 1,
	.uses_time = true,
	.read = rtc_read,
	.write = rtc_write,
	.next_event_ns = rtc_next_event_ns,
	.tick = rtc_tick,
	.reset = rtc_reset,
};
