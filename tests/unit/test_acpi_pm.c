/* Expected values: ACPI specification, "PM1 Event Grouping", "PM1 Control Grouping", "Power Management Timer". */
#include "drivers/virt/acpi_pm.h"
#include "drivers/virt/clock.h"
#include "tests/unit/unit.h"

static struct acpi_pm pm;
static bool sci;
static unsigned power_offs;

static void set_sci(void *ctx, bool level)
{
	(void)ctx;
	assert_int_not_equal(level, sci);
	sci = level;
}

static void count_power_off(void *ctx)
{
	(void)ctx;
	power_offs++;
}

static void start(bool timer_is_32_bit)
{
	sci = false;
	power_offs = 0;
	acpi_pm_init(&pm, &(struct acpi_pm_wires){{set_sci, NULL}, count_power_off, NULL}, timer_is_32_bit);
}

static int setup(void **state)
{
	(void)state;
	start(false);
	return 0;
}

static uint64_t in(uint64_t offset, unsigned width)
{
	return acpi_pm_ops.read(&pm, offset, width, 0) & (width < 8 ? (1ULL << width * 8) - 1 : UINT64_MAX);
}

static void out(uint64_t offset, unsigned width, uint64_t value)
{
	acpi_pm_ops.write(&pm, offset, width, value, 0);
}

static void test_acpi_pm_power_button_raises_sci(void **state)
{
	(void)state;
	assert_false(acpi_pm_press_power_button(&pm));
	assert_false(sci);
	out(2, 2, 0x0100);
	assert_true(sci);
	assert_int_equal(in(0, 2), 0x0100);
	assert_int_equal(in(0, 4), 0x01000100);
	out(0, 2, 0x0001); /* another bit */
	assert_true(sci);
	out(1, 1, 0x01); /* a byte of the register */
	assert_false(sci);
	assert_true(acpi_pm_press_power_button(&pm));
	assert_true(sci);
	acpi_pm_ops.reset(&pm);
	assert_false(sci);
}

static void test_acpi_pm_s5_powers_off(void **state)
{
	(void)state;
	assert_int_equal(in(4, 2), 0x0001); /* SCI_EN */
	out(4, 2, ACPI_PM_SLP_TYP_S5 << 10);
	assert_int_equal(power_offs, 0);
	assert_int_equal(in(4, 2), ACPI_PM_SLP_TYP_S5 << 10 | 1);
	out(5, 1, 2 << 2 | 0x20); /* not offered */
	assert_int_equal(power_offs, 0);
	out(4, 2, ACPI_PM_SLP_TYP_S5 << 10 | 0x2000);
	assert_int_equal(power_offs, 1);
	assert_int_equal(in(4, 2) & 0x2000, 0);
	out(2, 4, (uint64_t)(ACPI_PM_SLP_TYP_S5 << 10 | 0x2000) << 16); /* enable and control in one */
	assert_int_equal(power_offs, 2);
	assert_int_equal(in(2, 2), 0);
	out(0, 2, 0xffff);
	out(2, 2, 0xffff);
	assert_int_equal(in(2, 2), 0x0721);
	assert_int_equal(power_offs, 2);
	out(4, 2, 0x2000); /* as programs do that know QEMU only */
	assert_int_equal(power_offs, 3);
}

static void test_acpi_pm_s3_ends_by_an_enabled_event(void **state)
{
	(void)state;
	assert_false(acpi_pm_try_wake(&pm, true)); /* awake */
	assert_int_equal(in(0, 2), 0);
	out(4, 2, 0x0400); /* the type alone */
	assert_false(acpi_pm_asks_for_s3(&pm));
	out(4, 2, 0x2400);
	assert_true(acpi_pm_asks_for_s3(&pm));
	assert_int_equal(power_offs, 0);
	assert_false(acpi_pm_try_wake(&pm, false));
	assert_false(acpi_pm_try_wake(&pm, true)); /* not enabled */
	assert_int_equal(in(0, 2), 0x0400);
	out(0, 4, 0x0400 | 0x0400 << 16); /* enabled, its status clear; other registers do not end it */
	assert_false(acpi_pm_try_wake(&pm, false));
	assert_true(acpi_pm_asks_for_s3(&pm));
	assert_true(acpi_pm_try_wake(&pm, true));
	assert_int_equal(in(0, 2), 0x8400);
	assert_false(acpi_pm_asks_for_s3(&pm));
	assert_true(sci);
	out(0, 4, 0x8400 | 0x0100 << 16);
	assert_int_equal(in(0, 2), 0);
	assert_false(sci);
	out(5, 1, 0x24); /* the byte that has both */
	assert_false(acpi_pm_try_wake(&pm, false));
	assert_true(acpi_pm_press_power_button(&pm));
	assert_true(acpi_pm_try_wake(&pm, false));
	assert_int_equal(in(0, 2), 0x8100);
	out(4, 2, 0x2400);
	acpi_pm_ops.reset(&pm);
	assert_false(acpi_pm_asks_for_s3(&pm));
}

static void test_acpi_pm_timer_counts_3579545_hz(void **state)
{
	uint64_t second = NS_PER_SECOND;

	(void)state;
	assert_int_equal(acpi_pm_ops.read(&pm, 8, 4, second), 3579545);
	assert_int_equal(acpi_pm_ops.read(&pm, 9, 2, second) & 0xffff, 3579545 >> 8);
	assert_int_equal(acpi_pm_ops.read(&pm, 8, 4, 3600 * second), 3600ULL * 3579545 & 0xffffff);
	assert_int_equal(acpi_pm_ops.read(&pm, 8, 4, 0), 3600ULL * 3579545 & 0xffffff); /* never goes back */
	start(true);
	assert_int_equal(acpi_pm_ops.read(&pm, 8, 4, 3600 * second), 3600ULL * 3579545 & 0xffffffff);
	out(8, 4, 0);
	assert_int_equal(acpi_pm_ops.read(&pm, 12, 4, 3600 * second), 0);
}

static void test_acpi_pm_timer_reports_each_half_cycle(void **state)
{
	uint64_t event_ns;

	(void)state;
	assert_int_equal(acpi_pm_ops.next_event_ns(&pm), NO_EVENT_NS);
	out(2, 2, 0x0001);
	event_ns = acpi_pm_ops.next_event_ns(&pm);
	assert_int_equal(event_ns, clock_ns(1 << 23, ACPI_PM_TIMER_HZ));
	acpi_pm_ops.tick(&pm, event_ns - 1);
	assert_false(sci);
	acpi_pm_ops.tick(&pm, event_ns);
	assert_true(sci);
	assert_int_equal(acpi_pm_ops.next_event_ns(&pm), NO_EVENT_NS);
	acpi_pm_ops.write(&pm, 0, 2, 1, event_ns);
	assert_false(sci);
	assert_int_equal(acpi_pm_ops.next_event_ns(&pm), clock_ns(2 << 23, ACPI_PM_TIMER_HZ));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_acpi_pm_power_button_raises_sci, setup),
		cmocka_unit_test_setup(test_acpi_pm_s5_powers_off, setup),
		cmocka_unit_test_setup(test_acpi_pm_s3_ends_by_an_enabled_event, setup),
		cmocka_unit_test_setup(test_acpi_pm_timer_counts_3579545_hz, setup),
		cmocka_unit_test_setup(test_acpi_pm_timer_reports_each_half_cycle, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
