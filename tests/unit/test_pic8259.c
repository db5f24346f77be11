/* Expected values: Intel 8259A data sheet, "Initialization Command Words", "Operation Command Words". */
#include "drivers/virt/pic8259.h"
#include "tests/unit/unit.h"

enum { M_CMD = 0, M_DATA = 1, S_CMD = 2, S_DATA = 3, ELCR1 = 4, ELCR2 = 5 };

static struct pic8259 pic;
static bool intr;
static unsigned intr_calls;

static void set_intr(void *ctx, bool level)
{
	(void)ctx;
	assert_int_not_equal(intr, level);
	intr = level;
	intr_calls++;
}

static void out(uint64_t offset, uint8_t value)
{
	pic8259_ops.write(&pic, offset, 1, value, 0);
}

static uint8_t in(uint64_t offset)
{
	return (uint8_t)pic8259_ops.read(&pic, offset, 1, 0);
}

static void initialize(uint8_t icw4)
{
	out(M_CMD, 0x11);
	out(M_DATA, 0x30);
	out(M_DATA, 0x04);
	out(M_DATA, icw4);
	out(S_CMD, 0x11);
	out(S_DATA, 0x38);
	out(S_DATA, 0x02);
	out(S_DATA, icw4 & 0x0f);
	out(M_DATA, 0);
	out(S_DATA, 0);
}

static int setup(void **state)
{
	(void)state;
	intr = false;
	intr_calls = 0;
	pic8259_init(&pic, &(struct pic8259_wires){.output = {set_intr, NULL}});
	initialize(0x01);
	return 0;
}

static void pulse(unsigned line)
{
	pic8259_set_line(&pic, line, true);
	pic8259_set_line(&pic, line, false);
}

static void test_pic_is_silent_before_initialization(void **state)
{
	(void)state;
	pic8259_init(&pic, &(struct pic8259_wires){.output = {set_intr, NULL}});
	pulse(0);
	pulse(12);
	assert_false(intr);
	out(M_CMD, 0x11);
	pulse(1);
	assert_false(intr); /* half-way through */
}

static void test_pic_edge_is_delivered_once(void **state)
{
	(void)state;
	pic8259_set_line(&pic, 4, true);
	assert_true(intr);
	assert_int_equal(in(M_CMD), 0x10);
	assert_int_equal(pic8259_acknowledge(&pic), 0x34);
	assert_false(intr);
	out(M_CMD, 0x0b);
	assert_int_equal(in(M_CMD), 0x10); /* in service */
	out(M_CMD, 0x20);
	assert_int_equal(in(M_CMD), 0);
	assert_false(intr); /* still high, but no edge */
	pic8259_set_line(&pic, 4, false);
	pic8259_set_line(&pic, 4, true);
	assert_true(intr);
}

static void test_pic_level_follows_its_line(void **state)
{
	(void)state;
	out(ELCR1, 0xff);
	out(ELCR2, 0xff);
	assert_int_equal(in(ELCR1), 0xf8);
	assert_int_equal(in(ELCR2), 0xde);
	pic8259_set_line(&pic, 11, true);
	assert_int_equal(pic8259_acknowledge(&pic), 0x3b);
	assert_false(intr);
	out(S_CMD, 0x20);
	out(M_CMD, 0x20);
	assert_true(intr); /* still asserted */
	pic8259_set_line(&pic, 11, false);
	assert_false(intr);
	assert_int_equal(pic8259_acknowledge(&pic), 0x37); /* spurious: nothing in service */
	out(M_CMD, 0x0b);
	assert_int_equal(in(M_CMD), 0);
}

static void test_pic_priority_nests(void **state)
{
	(void)state;
	pulse(4);
	assert_int_equal(pic8259_acknowledge(&pic), 0x34);
	pulse(5);
	assert_false(intr);
	pulse(1);
	assert_int_equal(pic8259_acknowledge(&pic), 0x31);
	out(M_CMD, 0x20); /* ends 1, the best */
	assert_false(intr);
	out(M_CMD, 0x64); /* specific, 4 */
	assert_int_equal(pic8259_acknowledge(&pic), 0x35);
}

static void test_pic_slave_behind_master(void **state)
{
	(void)state;
	pulse(8);
	pulse(14);
	assert_int_equal(pic8259_acknowledge(&pic), 0x38);
	assert_false(intr);
	out(S_CMD, 0x60);
	out(M_CMD, 0x62);
	assert_int_equal(pic8259_acknowledge(&pic), 0x3e);
	out(S_CMD, 0x20);
	out(M_CMD, 0x20);
	assert_false(intr);
	out(S_DATA, 0xff);
	pulse(9);
	assert_false(intr);
	out(S_DATA, 0x00);
	assert_true(intr);
	out(S_DATA, 0xff);
	assert_false(intr);
	assert_int_equal(pic8259_acknowledge(&pic), 0x37);
}

static void test_pic_special_fully_nested_lets_slave_nest(void **state)
{
	(void)state;
	initialize(0x11);
	pulse(12);
	assert_int_equal(pic8259_acknowledge(&pic), 0x3c);
	pulse(9);
	assert_true(intr);
	assert_int_equal(pic8259_acknowledge(&pic), 0x39);
}

static void test_pic_auto_eoi_and_rotation(void **state)
{
	(void)state;
	initialize(0x03);
	out(M_CMD, 0x80);
	pulse(3);
	pulse(4);
	assert_int_equal(pic8259_acknowledge(&pic), 0x33);
	pulse(3);
	assert_int_equal(pic8259_acknowledge(&pic), 0x34); /* 3 is lowest now */
	assert_int_equal(pic8259_acknowledge(&pic), 0x33);
	assert_false(intr);
	out(M_CMD, 0x00);
	pulse(9);
	pulse(10);
	assert_int_equal(pic8259_acknowledge(&pic), 0x39);
	assert_int_equal(pic8259_acknowledge(&pic), 0x3a);
	assert_false(intr);
}

static void test_pic_rotates_on_eoi(void **state)
{
	(void)state;
	pulse(0);
	assert_int_equal(pic8259_acknowledge(&pic), 0x30);
	out(M_CMD, 0xa0); /* rotate on non-specific EOI */
	pulse(0);
	pulse(7);
	assert_int_equal(pic8259_acknowledge(&pic), 0x37);
	out(M_CMD, 0xe5); /* rotate on specific EOI 5: 7 still in service, 6 highest */
	pulse(6);
	assert_int_equal(pic8259_acknowledge(&pic), 0x36);
	out(M_CMD, 0xc7); /* set priority: 0 highest */
	assert_true(intr);
	assert_int_equal(pic8259_acknowledge(&pic), 0x30);
}

static void test_pic_special_mask_mode(void **state)
{
	(void)state;
	pulse(3);
	assert_int_equal(pic8259_acknowledge(&pic), 0x33);
	out(M_DATA, 0x08);
	out(M_CMD, 0x68);
	pulse(6);
	assert_int_equal(pic8259_acknowledge(&pic), 0x36);
	out(M_CMD, 0x20); /* ends 6, not the masked 3 */
	out(M_CMD, 0x0b);
	assert_int_equal(in(M_CMD), 0x08);
	out(M_CMD, 0x48);
	pulse(6);
	assert_false(intr);
}

static void test_pic_poll_acknowledges(void **state)
{
	(void)state;
	out(M_CMD, 0x0c);
	assert_int_equal(in(M_CMD), 0);
	pulse(5);
	out(M_CMD, 0x0c);
	assert_int_equal(in(M_CMD), 0x85);
	assert_false(intr);
	assert_int_equal(in(M_CMD), 0x00); /* requests again */
}

static void test_pic_initialization_clears(void **state)
{
	(void)state;
	pic8259_set_line(&pic, 3, true);
	assert_int_equal(pic8259_acknowledge(&pic), 0x33);
	out(M_DATA, 0xff);
	out(M_CMD, 0x12); /* single, no ICW4 */
	out(M_DATA, 0x57);
	assert_int_equal(in(M_DATA), 0);
	assert_false(intr); /* a new edge is needed */
	pic8259_set_line(&pic, 3, false);
	pic8259_set_line(&pic, 3, true);
	assert_int_equal(pic8259_acknowledge(&pic), 0x53);
}

/* ICH9, "ICW1": level-triggered inputs are the ELCR's business. */
static void test_pic_ignores_level_mode_of_a_whole_chip(void **state)
{
	(void)state;
	out(M_CMD, 0x19);
	out(M_DATA, 0x30);
	out(M_DATA, 0x04);
	out(M_DATA, 0x01);
	pic8259_set_line(&pic, 0, true);
	assert_int_equal(pic8259_acknowledge(&pic), 0x30);
	out(M_CMD, 0x20);
	assert_false(intr); /* still high */
}

/* "Poll Command": of the slave too, whose service the master does not know of. */
static void test_pic_slave_is_polled_alone(void **state)
{
	(void)state;
	pulse(14);
	assert_true(intr);
	out(S_CMD, 0x0c);
	assert_int_equal(in(S_DATA), 0x86); /* at either address */
	assert_false(intr);
	out(M_CMD, 0x0b);
	assert_int_equal(in(M_CMD), 0);
	assert_int_equal(pic8259_acknowledge(&pic), 0x37);
	out(S_CMD, 0x0b);
	assert_int_equal(in(S_CMD), 0x40);
	out(S_CMD, 0x66); /* specific EOI */
	assert_int_equal(in(S_CMD), 0);
}

static void test_pic_ignores_lines_that_do_not_exist(void **state)
{
	(void)state;
	pulse(2);
	pulse(16);
	pulse(UINT32_MAX);
	assert_int_equal(intr_calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pic_is_silent_before_initialization, setup),
		cmocka_unit_test_setup(test_pic_edge_is_delivered_once, setup),
		cmocka_unit_test_setup(test_pic_level_follows_its_line, setup),
		cmocka_unit_test_setup(test_pic_priority_nests, setup),
		cmocka_unit_test_setup(test_pic_slave_behind_master, setup),
		cmocka_unit_test_setup(test_pic_special_fully_nested_lets_slave_nest, setup),
		cmocka_unit_test_setup(test_pic_auto_eoi_and_rotation, setup),
		cmocka_unit_test_setup(test_pic_rotates_on_eoi, setup),
		cmocka_unit_test_setup(test_pic_special_mask_mode, setup),
		cmocka_unit_test_setup(test_pic_poll_acknowledges, setup),
		cmocka_unit_test_setup(test_pic_initialization_clears, setup),
		cmocka_unit_test_setup(test_pic_ignores_level_mode_of_a_whole_chip, setup),
		cmocka_unit_test_setup(test_pic_slave_is_polled_alone, setup),
		cmocka_unit_test_setup(test_pic_ignores_lines_that_do_not_exist, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
