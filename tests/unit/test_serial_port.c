/* manager/serial_port: what SPCR may say, and when COM1 is taken all the same. */
#include "tests/unit/unit.h"

#include "manager/serial_port.h"

static struct acpi_serial at_port(uint64_t port, uint32_t gsi)
{
	return (struct acpi_serial){
		.kind = ACPI_SERIAL_16550, .at = {.space = ACPI_GAS_PORT, .address = port, .bit_width = 8}, .gsi = gsi};
}

static void test_serial_port_is_com1_without_a_table(void **state)
{
	struct serial_port port = serial_port_choose(NULL);

	(void)state;
	assert_int_equal(port.base_port, 0x3f8);
	assert_true(port.has_irq && port.irq_is_isa);
	assert_int_equal(port.irq, 4);
}

static void test_serial_port_follows_the_firmware(void **state)
{
	struct acpi_serial com2 = at_port(0x2f8, 0);
	struct acpi_serial pci = at_port(0x3060, 19);
	struct acpi_serial silent = at_port(0x3060, 0);
	struct serial_port port;

	(void)state;
	port = serial_port_choose(&com2);
	assert_int_equal(port.base_port, 0x2f8);
	assert_int_equal(port.irq, 3);
	assert_true(port.has_irq && port.irq_is_isa);
	port = serial_port_choose(&pci);
	assert_int_equal(port.base_port, 0x3060);
	assert_int_equal(port.irq, 19);
	assert_true(port.has_irq && !port.irq_is_isa);
	port = serial_port_choose(&silent);
	assert_int_equal(port.base_port, 0x3060);
	assert_false(port.has_irq);
}

static void test_serial_port_takes_no_port_that_it_cannot_drive(void **state)
{
	struct acpi_serial cases[] = {at_port(0x2f8, 3), at_port(0x2f8, 3), at_port(0, 3), at_port(0x10000, 3), at_port(0xfff9, 3),
				      at_port(0x2f8, 3)};

	(void)state;
	cases[0].kind = ACPI_SERIAL_OTHER;
	cases[1].at.space = 0; /* memory */
	cases[5].at.bit_width = 32;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(serial_port_choose(&cases[i]).base_port, 0x3f8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serial_port_is_com1_without_a_table),
		cmocka_unit_test(test_serial_port_follows_the_firmware),
		cmocka_unit_test(test_serial_port_takes_no_port_that_it_cannot_drive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
