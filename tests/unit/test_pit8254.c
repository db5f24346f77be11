/* Expected values: Intel 82C54 data sheet, "Mode Definitions" (the waveforms), "Read-Back Command". */
#include "drivers/virt/pit8254.h"
#include "drivers/virt/clock.h"
#include "tests/unit/unit.h"

enum { CH0 = 0, CH1 = 1, CH2 = 2, CONTROL = 3, PORT61 = 4 };

static struct pit8254 pit;
static bool line;
static unsigned rises;
static uint64_t now_tick;

static void set_line(void *ctx, bool level)
{
	(void)ctx;
	assert_int_not_equal(level, line);
	rises += level;
	line = level;
}

static int setup(void **state)
{
	(void)state;
	line = false;
	now_tick = 1000;
	pit8254_init(&pit, &(struct pit8254_wires){.irq0 = {set_line, NULL}});
	rises = 0;
	return 0;
}

static uint64_t now_ns(void)
{
	return clock_ns(now_tick, PIT8254_HZ);
}

static void out(uint64_t offset, uint8_t value)
{
	pit8254_ops.write(&pit, offset, 1, value, now_ns());
}

static uint8_t in(uint64_t offset)
{
	return (uint8_t)pit8254_ops.read(&pit, offset, 1, now_ns());
}

static void program(uint64_t channel, uint8_t mode, uint16_t count)
{
	out(CONTROL, (uint8_t)((unsigned)channel << 6 | 0x30U | (unsigned)mode << 1));
	out(channel, (uint8_t)count);
	out(channel, (uint8_t)(count >> 8));
}

static uint16_t latched(uint64_t channel)
{
	uint8_t low;

	out(CONTROL, (uint8_t)(channel << 6));
	low = in(channel);
	return (uint16_t)(in(channel) << 8 | low);
}

static bool out2(void)
{
	return (in(PORT61) & 0x20) != 0;
}

static void run_to_event(void)
{
	uint64_t event_ns = pit8254_ops.next_event_ns(&pit);

	assert_int_not_equal(event_ns, NO_EVENT_NS);
	now_tick = clock_ticks(event_ns, PIT8254_HZ);
	assert_int_equal(now_ns(), event_ns);
	pit8254_ops.tick(&pit, event_ns);
}

static void test_pit_mode2_interrupts_each_period_without_drift(void **state)
{
	(void)state;
	assert_int_equal(pit8254_ops.next_event_ns(&pit), NO_EVENT_NS);
	program(CH0, 2, 11932);
	for (unsigned i = 1; i <= 1000; i++) {
		run_to_event();
		assert_int_equal(now_tick, 1001 + i * 11932ULL);
		assert_int_equal(rises, i);
	}
	now_tick += 5 * 11932 + 3; /* late: told once */
	pit8254_ops.tick(&pit, now_ns());
	assert_int_equal(rises, 1001);
	pit8254_ops.tick(&pit, now_ns());
	pit8254_ops.tick(&pit, 0); /* time that goes back is no time */
	assert_int_equal(rises, 1001);
	assert_int_equal(latched(CH0), 11932 - 3);
}

static void test_pit_mode2_takes_new_count_at_period_end(void **state)
{
	(void)state;
	program(CH0, 2, 100);
	now_tick += 51; /* 50 counted */
	out(CH0, 20);
	out(CH0, 0);
	assert_int_equal(latched(CH0), 50);
	run_to_event();
	assert_int_equal(now_tick, 1101);
	assert_int_equal(latched(CH0), 20);
	run_to_event();
	assert_int_equal(now_tick, 1121);
}

static void test_pit_mode0_interrupts_once(void **state)
{
	(void)state;
	program(CH0, 0, 5);
	assert_false(line);
	run_to_event();
	assert_int_equal(now_tick, 1006); /* N + 1 pulses after the write */
	assert_true(line);
	assert_int_equal(pit8254_ops.next_event_ns(&pit), NO_EVENT_NS);
	now_tick += 2;
	assert_int_equal(latched(CH0), 0xfffe); /* wraps and counts on */
	out(CH0, 9);
	assert_false(line); /* the first byte stops it */
	assert_int_equal(pit8254_ops.next_event_ns(&pit), NO_EVENT_NS);
	out(CH0, 0);
	run_to_event();
	assert_int_equal(rises, 2);
}

static void test_pit_mode3_is_a_square_wave(void **state)
{
	static const uint16_t even[] = {4, 2, 4, 2, 4};
	static const uint16_t odd[] = {4, 2, 0, 4, 2, 4};
	static const bool odd_out[] = {true, true, true, false, false, true};

	(void)state;
	out(PORT61, 1);
	program(CH2, 3, 4);
	now_tick++;
	for (unsigned i = 0; i < 5; i++, now_tick++) {
		assert_int_equal(latched(CH2), even[i]);
		assert_int_equal(out2(), i % 4 < 2);
	}
	program(CH2, 7, 5);
	now_tick++;
	for (unsigned i = 0; i < 6; i++, now_tick++) {
		assert_int_equal(latched(CH2), odd[i]);
		assert_int_equal(out2(), odd_out[i]);
	}
}

/* "New counts are loaded at the end of the current half-cycle." */
static void test_pit_mode3_takes_new_count_at_half_cycle_end(void **state)
{
	(void)state;
	program(CH0, 3, 100); /* high for the ticks 1001 to 1050 */
	now_tick += 11;
	out(CH0, 21);
	out(CH0, 0);
	assert_int_equal(latched(CH0), 80);
	run_to_event(); /* low for 10 from 1051 on */
	assert_int_equal(now_tick, 1061);
	assert_int_equal(rises, 1);
	now_tick += 10;
	pit8254_ops.tick(&pit, now_ns());
	assert_true(line);
	now_tick += 1; /* high for 11 */
	pit8254_ops.tick(&pit, now_ns());
	assert_false(line);
	out(CH0, 200);
	out(CH0, 0); /* in the lower half: from its end on */
	run_to_event();
	assert_int_equal(now_tick, 1061 + 21);
	now_tick += 99;
	pit8254_ops.tick(&pit, now_ns());
	assert_true(line);
	now_tick += 1;
	pit8254_ops.tick(&pit, now_ns());
	assert_false(line);
	assert_int_equal(rises, 2);
}

static void test_pit_gate_pauses_and_retriggers(void **state)
{
	(void)state;
	out(PORT61, 0);
	program(CH2, 0, 100); /* as Linux calibrates */
	now_tick += 1000;
	assert_int_equal(latched(CH2), 100);
	assert_false(out2());
	out(PORT61, 1);
	now_tick += 40;
	assert_int_equal(latched(CH2), 60);
	out(PORT61, 0);
	now_tick += 40;
	assert_int_equal(latched(CH2), 60);
	out(PORT61, 1);
	now_tick += 59;
	assert_false(out2());
	now_tick += 1;
	assert_true(out2());
	program(CH2, 2, 10);
	now_tick += 5;
	out(PORT61, 0);
	assert_true(out2());
	now_tick += 100;
	out(PORT61, 1);
	now_tick += 1;
	assert_int_equal(latched(CH2), 10); /* from the start */
}

static void test_pit_one_shot_and_strobes(void **state)
{
	(void)state;
	program(CH2, 1, 3);
	now_tick += 10;
	assert_true(out2());
	out(PORT61, 1);
	now_tick += 1;
	assert_false(out2());
	now_tick += 2;
	assert_false(out2());
	now_tick += 1;
	assert_true(out2());
	program(CH2, 4, 3); /* software triggered strobe */
	now_tick += 3;
	assert_true(out2());
	now_tick += 1;
	assert_false(out2());
	now_tick += 1;
	assert_true(out2());
	out(PORT61, 0);
	program(CH2, 5, 2); /* hardware triggered strobe */
	now_tick += 10;
	assert_true(out2());
	out(PORT61, 1);
	now_tick += 3;
	assert_false(out2());
	now_tick += 1;
	assert_true(out2());
}

static void test_pit_read_back_latches_status_and_count(void **state)
{
	(void)state;
	program(CH0, 2, 1000);
	out(CONTROL, 0xe2); /* status of counter 0 */
	assert_int_equal(in(CH0), 0xf4); /* OUT high, null count, both bytes, mode 2 */
	now_tick += 101;
	out(CONTROL, 0xc2); /* both */
	now_tick += 200;
	out(CONTROL, 0xc2); /* ignored: not read yet */
	assert_int_equal(in(CH0), 0xb4);
	assert_int_equal(in(CH0), 900 & 0xff);
	assert_int_equal(in(CH0), 900 >> 8);
	assert_int_equal(in(CH0), 700 & 0xff);
	assert_int_equal(in(CH0), 700 >> 8);
	assert_int_equal(in(CONTROL), 0xff);
}

static uint8_t status(unsigned channel)
{
	out(CONTROL, (uint8_t)(0xe0 | 2U << channel));
	return in(channel);
}

/* "Null Count": from the write of a count, be it the same, until it is in the counting element. */
static void test_pit_null_count_until_the_count_is_loaded(void **state)
{
	(void)state;
	program(CH0, 2, 1000);
	now_tick += 2;
	assert_int_equal(status(CH0), 0xb4);
	out(CH0, 1000 & 0xff);
	out(CH0, 1000 >> 8);
	now_tick += 900;
	assert_int_equal(status(CH0), 0xf4);
	now_tick += 100;
	assert_int_equal(status(CH0), 0xb4);
	program(CH2, 1, 50);
	now_tick += 10;
	assert_int_equal(status(CH2), 0xf2); /* until the gate rises */
	out(PORT61, 1);
	now_tick += 2;
	assert_int_equal(status(CH2), 0x32);
	out(CH2, 50);
	out(CH2, 0);
	assert_int_equal(status(CH2), 0x72);
	out(PORT61, 0);
	out(PORT61, 1);
	now_tick += 2;
	assert_int_equal(status(CH2), 0x32);
}

static void test_pit_bcd_and_single_byte_access(void **state)
{
	(void)state;
	out(CONTROL, 0x35); /* counter 0, both, mode 2, BCD */
	out(CH0, 0x00);
	out(CH0, 0x00);
	now_tick += 2;
	assert_int_equal(latched(CH0), 0x9999);
	out(CONTROL, 0x14); /* low byte only */
	out(CH0, 0x20);
	now_tick += 2;
	assert_int_equal(in(CH0), 0x1f);
	assert_int_equal(in(CH0), 0x1f);
	out(CONTROL, 0x24); /* high byte only */
	out(CH0, 0x20);
	now_tick += 2;
	assert_int_equal(in(CH0), 0x1f);
}

static void test_pit_count_of_one_is_bounded(void **state)
{
	(void)state;
	program(CH0, 2, 1);
	run_to_event();
	assert_int_equal(now_tick, 1003);
	program(CH0, 3, 1);
	run_to_event();
	run_to_event();
}

static void test_pit_port61_keeps_its_bits(void **state)
{
	(void)state;
	out(PORT61, 0xff);
	assert_int_equal(in(PORT61) & ~0x30, 0x0f);
	out(PORT61, 0);
	assert_int_equal(pit8254_ops.read(&pit, PORT61, 1, 15084) & 0x10, 0);
	assert_int_equal(pit8254_ops.read(&pit, PORT61, 1, 15085) & 0x10, 0x10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pit_mode2_interrupts_each_period_without_drift, setup),
		cmocka_unit_test_setup(test_pit_mode2_takes_new_count_at_period_end, setup),
		cmocka_unit_test_setup(test_pit_mode0_interrupts_once, setup),
		cmocka_unit_test_setup(test_pit_mode3_is_a_square_wave, setup),
		cmocka_unit_test_setup(test_pit_mode3_takes_new_count_at_half_cycle_end, setup),
		cmocka_unit_test_setup(test_pit_gate_pauses_and_retriggers, setup),
		cmocka_unit_test_setup(test_pit_one_shot_and_strobes, setup),
		cmocka_unit_test_setup(test_pit_read_back_latches_status_and_count, setup),
		cmocka_unit_test_setup(test_pit_null_count_until_the_count_is_loaded, setup),
		cmocka_unit_test_setup(test_pit_bcd_and_single_byte_access, setup),
		cmocka_unit_test_setup(test_pit_count_of_one_is_bounded, setup),
		cmocka_unit_test_setup(test_pit_port61_keeps_its_bits, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
