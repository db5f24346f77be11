/* Lines that several devices share. */
#include "vmm/lines.h"
#include "tests/unit/unit.h"

static struct lines lines;
static unsigned numbers[2];
static bool levels[2];

static int setup(void **state)
{
	(void)state;
	lines = (struct lines){0};
	return 0;
}

static void expect_one(unsigned source, bool level, unsigned line, bool line_level)
{
	assert_int_equal(lines_set(&lines, source, level, numbers, levels), 1);
	assert_int_equal(numbers[0], line);
	assert_int_equal(levels[0], line_level);
}

static void test_lines_first_devices_drive_the_line_of_their_number(void **state)
{
	(void)state;
	for (unsigned line = 0; line < LINE_COUNT; line++) {
		expect_one(line, true, line, true);
		expect_one(line, false, line, false);
	}
	assert_int_equal(lines_set(&lines, SOURCE_COUNT, true, numbers, levels), 0);
	assert_int_equal(lines_set(&lines, 1000, true, numbers, levels), 0);
}

static void test_lines_of_com_ports_are_ored(void **state)
{
	(void)state;
	expect_one(SOURCE_COM1, true, 4, true);
	expect_one(SOURCE_COM3, true, 4, true);
	expect_one(SOURCE_COM1, false, 4, true);
	expect_one(SOURCE_COM2, true, 3, true);
	expect_one(SOURCE_COM4, false, 3, true);
	expect_one(SOURCE_COM3, false, 4, false);
	expect_one(SOURCE_COM2, false, 3, false);
	expect_one(SOURCE_COM4, true, 3, true);
}

/* Pin A of device d arrives at 16 + d % 4, as the DSDT says; the first source is device 2's. */
static void test_lines_of_pci_devices_are_ored(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LINES_PCI_DEVICES; i++) {
		expect_one(SOURCE_PCI + i, true, 16 + (i + 2) % 4, true);
		expect_one(SOURCE_PCI + i, false, 16 + (i + 2) % 4, false);
	}
	expect_one(SOURCE_PCI, true, 18, true);
	expect_one(SOURCE_PCI + 24, true, 18, true);
	expect_one(SOURCE_PCI + 1, true, 19, true);
	expect_one(SOURCE_PCI, false, 18, true);
	expect_one(SOURCE_PCI + 24, false, 18, false);
	expect_one(18, true, 18, true);
	expect_one(SOURCE_PCI + 4, true, 18, true);
	expect_one(SOURCE_PCI + 4, false, 18, true);
	assert_int_equal(lines_set(&lines, SOURCE_PCI + LINES_PCI_DEVICES, true, numbers, levels), 0);
}

static void expect_two(unsigned count, unsigned first, bool first_level, unsigned second, bool second_level)
{
	assert_int_equal(count, 2);
	assert_true(numbers[0] == first && levels[0] == first_level);
	assert_true(numbers[1] == second && levels[1] == second_level);
}

/* Device 2 is the first one and has PIRQ C, device 4 PIRQ A. */
static void test_lines_of_pci_devices_drive_a_routed_one_too(void **state)
{
	(void)state;
	assert_int_equal(lines_route(&lines, 2, 10, numbers, levels), 1);
	assert_true(numbers[0] == 10 && !levels[0]);
	expect_two(lines_set(&lines, SOURCE_PCI, true, numbers, levels), 18, true, 10, true);
	expect_one(SOURCE_PCI + 1, true, 19, true);
	expect_one(10, true, 10, true);
	expect_two(lines_set(&lines, SOURCE_PCI, false, numbers, levels), 18, false, 10, true);
	expect_one(10, false, 10, false);
	/* Two on one line. */
	assert_int_equal(lines_route(&lines, 0, 10, numbers, levels), 1);
	expect_two(lines_set(&lines, SOURCE_PCI + 2, true, numbers, levels), 16, true, 10, true);
	expect_two(lines_set(&lines, SOURCE_PCI, true, numbers, levels), 18, true, 10, true);
	expect_two(lines_set(&lines, SOURCE_PCI, false, numbers, levels), 18, false, 10, true);
	/* A route moves while its line is asserted. */
	expect_two(lines_route(&lines, 0, 5, numbers, levels), 10, false, 5, true);
	assert_int_equal(lines_route(&lines, 0, 0, numbers, levels), 1);
	assert_true(numbers[0] == 5 && !levels[0]);
	expect_one(SOURCE_PCI + 2, false, 16, false);
}

static void test_lines_routes_that_there_are_not_change_nothing(void **state)
{
	(void)state;
	assert_int_equal(lines_route(&lines, 4, 10, numbers, levels), 0);
	assert_int_equal(lines_route(&lines, 0, 16, numbers, levels), 0);
	assert_int_equal(lines_route(&lines, 0, 0, numbers, levels), 0);
	assert_int_equal(lines_set(&lines, SOURCE_ROUTES, true, numbers, levels), 0);
}

/* "LEG_RT_CNF: timer 0 interrupts IRQ0, timer 1 IRQ8", and the 8254 and the RTC do not. */
static void test_lines_hpet_takes_over_timer_and_rtc(void **state)
{
	(void)state;
	expect_one(SOURCE_PIT, true, 0, true);
	expect_one(SOURCE_HPET_0, true, 0, true);
	expect_one(SOURCE_HPET_0, false, 0, true);
	assert_int_equal(lines_set(&lines, SOURCE_HPET_LEGACY, true, numbers, levels), 2);
	assert_true(numbers[0] == 0 && !levels[0]);
	assert_true(numbers[1] == 8 && !levels[1]);
	expect_one(SOURCE_PIT, false, 0, false);
	expect_one(SOURCE_RTC, true, 8, false);
	expect_one(SOURCE_HPET_0, true, 0, true);
	expect_one(SOURCE_HPET_1, true, 8, true);
	expect_one(SOURCE_HPET_1, false, 8, false);
	assert_int_equal(lines_set(&lines, SOURCE_HPET_LEGACY, false, numbers, levels), 2);
	assert_true(numbers[0] == 0 && !levels[0]);
	assert_true(numbers[1] == 8 && levels[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_lines_first_devices_drive_the_line_of_their_number, setup),
		cmocka_unit_test_setup(test_lines_of_com_ports_are_ored, setup),
		cmocka_unit_test_setup(test_lines_of_pci_devices_are_ored, setup),
		cmocka_unit_test_setup(test_lines_of_pci_devices_drive_a_routed_one_too, setup),
		cmocka_unit_test_setup(test_lines_routes_that_there_are_not_change_nothing, setup),
		cmocka_unit_test_setup(test_lines_hpet_takes_over_timer_and_rtc, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
