/* Expected values: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and Auxiliary Device Controller". */
#include "drivers/virt/i8042.h"
#include "tests/unit/unit.h"

enum { DATA = 0, STATUS = 1, PORT92 = 2 };

static struct i8042 i8042;
static bool keyboard_line;
static unsigned keyboard_rises;
static bool mouse_line;
static unsigned resets;

static void set_keyboard(void *ctx, bool level)
{
	(void)ctx;
	keyboard_rises += level;
	keyboard_line = level;
}

static void set_mouse(void *ctx, bool level)
{
	(void)ctx;
	mouse_line = level;
}

static void count_reset(void *ctx)
{
	(void)ctx;
	resets++;
}

static int setup(void **state)
{
	(void)state;
	resets = keyboard_rises = 0;
	keyboard_line = mouse_line = false;
	i8042_init(&i8042, &(struct i8042_wires){{set_keyboard, NULL}, {set_mouse, NULL}, count_reset, NULL});
	return 0;
}

static uint8_t in(uint64_t offset)
{
	return (uint8_t)i8042_ops.read(&i8042, offset, 1, 0);
}

static void out(uint64_t offset, uint8_t value)
{
	i8042_ops.write(&i8042, offset, 1, value, 0);
}

/* A command's answer; every one is there at once. */
static uint8_t command(uint8_t value)
{
	out(STATUS, value);
	assert_int_equal(in(STATUS) & 3, 1);
	return in(DATA);
}

static void test_i8042_answers_commands_at_once(void **state)
{
	(void)state;
	assert_int_equal(in(STATUS), 0x14);
	assert_int_equal(command(0xaa), 0x55);
	assert_int_equal(command(0xab), 0x00);
	assert_int_equal(command(0xa4), 0xf1);
	assert_int_equal(command(0xc0), 0xb0);
	assert_int_equal(command(0xd0), 0x03);
	out(STATUS, 0x77); /* not a command with an answer: write RAM byte 17h */
	out(DATA, 0xa5);
	assert_int_equal(command(0x37), 0xa5);
	out(STATUS, 0x99);
	assert_int_equal(in(STATUS) & 1, 0);
}

/* The accesses of Linux's i8042_controller_check, _init and i8042_check_aux. */
static void test_i8042_linux_probe_finds_no_mouse(void **state)
{
	uint8_t ctr;

	(void)state;
	ctr = command(0x20);
	assert_int_equal(command(0x20), ctr);
	out(STATUS, 0x60);
	out(DATA, (uint8_t)((ctr | 0x10) & ~1));
	assert_int_equal(command(0x20), 0x34);
	out(STATUS, 0xd3);
	out(DATA, 0x5a);
	assert_int_equal(in(STATUS) & 0x21, 0x01); /* an answer, not from the mouse */
	(void)in(DATA);
	assert_int_equal(command(0xa9), 0x01);
	out(STATUS, 0xa8);
	assert_int_equal(command(0x20) & 0x20, 0);
	out(STATUS, 0xa7);
	assert_int_equal(command(0x20) & 0x20, 0x20);
}

static void test_i8042_absent_keyboard_answers_with_timeout(void **state)
{
	(void)state;
	out(STATUS, 0x60);
	out(DATA, 0x03); /* both interrupts on */
	assert_int_equal(in(STATUS) & 0x04, 0);
	out(DATA, 0xf2);
	assert_true(keyboard_line);
	assert_int_equal(in(STATUS) & 0x61, 0x41);
	out(DATA, 0xff);
	assert_int_equal(keyboard_rises, 2);
	assert_int_equal(in(DATA), 0xfe);
	assert_false(keyboard_line);
	assert_int_equal(in(STATUS) & 0x41, 0);
	out(STATUS, 0xd4);
	out(DATA, 0xf2);
	assert_true(mouse_line);
	assert_int_equal(in(STATUS) & 0x21, 0x21);
	assert_int_equal(in(DATA), 0xfe);
	assert_false(mouse_line);
}

static void test_i8042_resets_in_four_ways(void **state)
{
	(void)state;
	out(STATUS, 0xff); /* pulses nothing */
	out(STATUS, 0xf0 | 0x0d); /* not the reset line */
	assert_int_equal(resets, 0);
	out(STATUS, 0xfe);
	assert_int_equal(resets, 1);
	out(STATUS, 0xf0);
	assert_int_equal(resets, 2);
	out(STATUS, 0xd1);
	out(DATA, 0x02);
	assert_int_equal(resets, 3);
	out(PORT92, 0x03);
	assert_int_equal(resets, 4);
	out(PORT92, 0x01); /* no edge */
	assert_int_equal(resets, 4);
	assert_int_equal(in(PORT92), 0x01);
	i8042_ops.reset(&i8042);
	assert_int_equal(in(PORT92), 0x02);
}

static void test_i8042_a20_reads_back(void **state)
{
	(void)state;
	out(STATUS, 0xd1);
	out(DATA, 0x01);
	assert_int_equal(command(0xd0), 0x01);
	out(STATUS, 0xd1);
	out(DATA, 0xdf);
	assert_int_equal(command(0xd0), 0xcf);
	out(STATUS, 0xdd);
	assert_int_equal(command(0xd0), 0xcd);
	out(STATUS, 0xdf);
	assert_int_equal(command(0xd0), 0xcf);
	out(STATUS, 0xd2);
	out(DATA, 0x1e);
	assert_int_equal(in(DATA), 0x1e);
	assert_int_equal(in(PORT92), 0x02); /* a gate of its own */
	out(PORT92, 0x00);
	assert_int_equal(in(PORT92), 0x00);
	assert_int_equal(command(0xd0), 0xcf);
	assert_int_equal(resets, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_i8042_answers_commands_at_once, setup),
		cmocka_unit_test_setup(test_i8042_linux_probe_finds_no_mouse, setup),
		cmocka_unit_test_setup(test_i8042_absent_keyboard_answers_with_timeout, setup),
		cmocka_unit_test_setup(test_i8042_resets_in_four_ways, setup),
		cmocka_unit_test_setup(test_i8042_a20_reads_back, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
