/* manager/power, over a model of the PM1 registers at ports 600h (event), 604h (control), 608h (PM1b control). */
#include "tests/unit/unit.h"

#include "manager/power.h"

struct machine {
	uint16_t status, enable, control_a, control_b;
	uint8_t sleep_control;
	uint8_t gpe[4];
	unsigned acpi_after_ms; /* SCI_EN comes so long after the SMI command */
	bool smi_seen;
	uint64_t waited_ms;
	unsigned sleep_writes;
	char order[8]; /* of writes to the control registers: a or b; upper case: with SLP_EN */
	bool is_off;
	uint16_t status_then, enable_then; /* when the PC was to go off */
};

static uint32_t read_port(void *context, uint16_t port, unsigned width_bytes)
{
	const struct machine *machine = context;
	bool acpi = machine->smi_seen && machine->waited_ms >= machine->acpi_after_ms;

	(void)width_bytes;
	switch (port) {
	case 0x600:
		return machine->status;
	case 0x604:
		return machine->control_a | (acpi ? 1 : 0);
	case 0x608:
		return machine->control_b;
	case 0x610:
		return machine->sleep_control;
	}
	fail();
	return 0;
}

static void note_order(struct machine *machine, char name, uint32_t value)
{
	size_t used = strlen(machine->order);

	assert_true(used + 1 < sizeof(machine->order));
	machine->order[used] = (value & 0x2000) != 0 ? (char)(name - 'a' + 'A') : name;
}

static void write_port(void *context, uint16_t port, unsigned width_bytes, uint32_t value)
{
	struct machine *machine = context;

	if (port == 0xb2) {
		assert_int_equal(width_bytes, 1);
		assert_int_equal(value, 0xa0);
		machine->smi_seen = true;
	} else if (port == 0x600) {
		machine->status &= (uint16_t)~value;
	} else if (port == 0x602) {
		machine->enable = (uint16_t)value;
	} else if (port == 0x604) {
		machine->control_a = (uint16_t)value;
		note_order(machine, 'a', value);
		machine->sleep_writes++;
		if ((value & 0x2000) != 0) {
			machine->status_then = machine->status;
			machine->enable_then = machine->enable;
		}
		machine->is_off |= (value & 0x3c00) == (0x2000 | 5 << 10);
	} else if (port == 0x608) {
		machine->control_b = (uint16_t)value;
		note_order(machine, 'b', value);
	} else if (port == 0x610) {
		machine->sleep_control = (uint8_t)value;
	} else if (port >= 0x620 && port < 0x624) {
		machine->gpe[port - 0x620] = (uint8_t)value;
	} else {
		fail();
	}
}

static void wait_ms(void *context, uint64_t ms)
{
	struct machine *machine = context;

	machine->waited_ms += ms;
}

static struct acpi_block block(uint64_t port, uint8_t length_bytes)
{
	return (struct acpi_block){.at = {.address = port, .space = ACPI_GAS_PORT}, .length_bytes = length_bytes};
}

/* Points into itself: made in place. */
static void make_power(struct power *power, struct ports *ports, struct machine *machine)
{
	*ports = (struct ports){.read = read_port, .write = write_port, .context = machine};
	*power = (struct power){
		.ports = ports,
		.has_tables = true,
		.wait_ms = wait_ms,
		.context = machine,
		.tables = {
			.has_s5 = true,
			.s5 = {.sleep_type_a = 5, .sleep_type_b = 3},
			.fadt = {
				.smi_command_port = 0xb2,
				.acpi_enable = 0xa0,
				.pm1a_event = block(0x600, 4),
				.pm1a_control = block(0x604, 2),
				.gpe0 = block(0x620, 4),
			},
		},
	};
}

static void test_power_off_enables_acpi_and_writes_type_then_enable(void **state)
{
	struct machine machine = {.acpi_after_ms = 20, .control_a = 0x1c02};
	struct ports ports;
	struct power power;

	(void)state;
	make_power(&power, &ports, &machine);
	assert_int_equal(power_off_by_acpi(&power), ERR_TIMED_OUT); /* a model does not go away */
	assert_true(machine.smi_seen);
	assert_int_equal(machine.sleep_writes, 2);
	assert_true(machine.is_off);
	assert_int_equal(machine.control_a & 0xffff, 0x2000 | 5 << 10 | 0x2 | 0x1);
}

static void test_power_off_writes_both_blocks(void **state)
{
	struct machine machine = {.smi_seen = true};
	struct ports ports;
	struct power power;

	(void)state;
	make_power(&power, &ports, &machine);
	power.tables.fadt.pm1b_control = block(0x608, 2);
	assert_int_equal(power_off_by_acpi(&power), ERR_TIMED_OUT);
	assert_int_equal(machine.control_b & 0x3c00, 0x2000 | 3 << 10);
	assert_string_equal(machine.order, "abAB");
}

static void test_power_off_leaves_nothing_that_wakes(void **state)
{
	struct machine machine = {
		.smi_seen = true, .status = 0x8100, .status_then = 1, .enable = 0x0100, .enable_then = 1, .gpe = {1, 2, 3, 4}};
	struct ports ports;
	struct power power;

	(void)state;
	make_power(&power, &ports, &machine);
	assert_int_equal(power_off_by_acpi(&power), ERR_TIMED_OUT);
	assert_int_equal(machine.status_then, 0);
	assert_int_equal(machine.enable_then, 0);
	assert_int_equal(machine.gpe[2] | machine.gpe[3], 0);
	assert_int_equal(machine.enable, 0x100); /* it stayed on: the button works again */
}

static void test_power_off_of_hardware_reduced_pcs_uses_sleep_control(void **state)
{
	struct machine machine = {.sleep_control = 0xc0};
	struct ports ports;
	struct power power;

	(void)state;
	make_power(&power, &ports, &machine);
	power.tables.fadt.pm1a_control = (struct acpi_block){0};
	power.tables.fadt.sleep_control = (struct acpi_gas){.address = 0x610, .space = ACPI_GAS_PORT};
	assert_int_equal(power_off_by_acpi(&power), ERR_TIMED_OUT);
	assert_int_equal(machine.sleep_control, 0xc0 | 5 << 2 | 0x20);
}

static void test_power_off_says_when_the_tables_are_useless(void **state)
{
	struct machine machine = {0};
	struct ports ports;
	struct power power;

	(void)state;
	make_power(&power, &ports, &machine);
	power.tables.has_s5 = false;
	assert_int_equal(power_off_by_acpi(&power), ERR_UNSUPPORTED);
	power.tables.has_s5 = true;
	power.has_tables = false;
	assert_int_equal(power_off_by_acpi(&power), ERR_UNSUPPORTED);
	power.has_tables = true;
	power.tables.fadt.pm1a_control.at.space = ACPI_GAS_MEMORY;
	assert_int_equal(power_off_by_acpi(&power), ERR_UNSUPPORTED);
	assert_int_equal(machine.sleep_writes, 0);
}

static void test_power_enable_waits_a_bounded_time(void **state)
{
	struct machine machine = {.acpi_after_ms = 1000000};
	struct ports ports;
	struct power power;

	(void)state;
	make_power(&power, &ports, &machine);
	assert_int_equal(power_enable_acpi(&power), ERR_TIMED_OUT);
	assert_in_range(machine.waited_ms, 1000, 10000);
}

static void test_power_button_is_enabled_alone_and_taken_once(void **state)
{
	struct machine machine = {.smi_seen = true, .status = 0x8101, .gpe = {1, 2, 3, 4}};
	struct ports ports;
	struct power power;

	(void)state;
	make_power(&power, &ports, &machine);
	assert_true(power_has_button(&power));
	power_enable_button(&power);
	assert_int_equal(machine.status, 0);
	assert_int_equal(machine.enable, 0x100);
	assert_int_equal(machine.gpe[0], 1);
	assert_int_equal(machine.gpe[2] | machine.gpe[3], 0);
	assert_false(power_take_button(&power));
	machine.status = 0x100;
	assert_true(power_take_button(&power));
	assert_int_equal(machine.status, 0);
}

static void test_power_button_may_be_absent(void **state)
{
	struct machine machine = {0};
	struct ports ports;
	struct power power;

	(void)state;
	make_power(&power, &ports, &machine);
	power.tables.fadt.flags = FADT_FLAG_PWR_BUTTON;
	assert_false(power_has_button(&power));
	power.tables.fadt.flags = 0;
	power.tables.fadt.pm1a_event.length_bytes = 0;
	assert_false(power_has_button(&power));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_power_off_enables_acpi_and_writes_type_then_enable),
		cmocka_unit_test(test_power_off_writes_both_blocks),
		cmocka_unit_test(test_power_off_leaves_nothing_that_wakes),
		cmocka_unit_test(test_power_off_of_hardware_reduced_pcs_uses_sleep_control),
		cmocka_unit_test(test_power_off_says_when_the_tables_are_useless),
		cmocka_unit_test(test_power_enable_waits_a_bounded_time),
		cmocka_unit_test(test_power_button_is_enabled_alone_and_taken_once),
		cmocka_unit_test(test_power_button_may_be_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
