/* manager/pci_quiesce, over a model of configuration mechanism 1 with a handful of functions. */
#include "tests/unit/unit.h"

#include "manager/pci_quiesce.h"

struct function {
	uint32_t address; /* bus << 16 | device << 11 | function << 8 */
	uint32_t class_code;
	uint32_t header_type;
	uint32_t command;
	uint32_t status;
	bool stubborn;
};

struct bus {
	uint32_t address_register;
	unsigned command_writes;
	struct function functions[8];
	unsigned function_count;
};

static struct function *selected(struct bus *bus)
{
	for (unsigned i = 0; i < bus->function_count; i++) {
		if (bus->functions[i].address == (bus->address_register & 0xffff00))
			return &bus->functions[i];
	}
	return NULL;
}

static uint32_t read_port(void *context, uint16_t port, unsigned width_bytes)
{
	struct bus *bus = context;
	const struct function *function = selected(bus);

	assert_int_equal(port, 0xcfc);
	assert_int_equal(width_bytes, 4);
	assert_true(bus->address_register & 0x80000000);
	if (function == NULL)
		return UINT32_MAX;
	switch (bus->address_register & 0xff) {
	case 0x00:
		return 0x12348086;
	case 0x04:
		return function->status << 16 | function->command;
	case 0x08:
		return function->class_code << 24;
	case 0x0c:
		return function->header_type << 16;
	}
	fail();
	return 0;
}

static void write_port(void *context, uint16_t port, unsigned width_bytes, uint32_t value)
{
	struct bus *bus = context;
	struct function *function = selected(bus);

	if (port == 0xcf8) {
		bus->address_register = value;
		return;
	}
	assert_int_equal(port, 0xcfc);
	assert_int_equal(width_bytes, 2); /* the status register is not touched */
	assert_int_equal(bus->address_register & 0xff, 0x04);
	assert_non_null(function);
	bus->command_writes++;
	if (!function->stubborn)
		function->command = value;
}

static struct pci_quiesce_result run(struct bus *bus)
{
	const struct ports ports = {.read = read_port, .write = write_port, .context = bus};

	return pci_quiesce(&ports);
}

static void test_pci_quiesce_stops_devices_on_all_buses(void **state)
{
	struct bus bus = {
		.function_count = 3,
		.functions = {
			{.address = 0x000000, .class_code = 0x06, .command = 0x7},
			{.address = 0x00f800, .class_code = 0x02, .command = 0x407, .status = 0xffff},
			{.address = 0xff1800, .class_code = 0x01, .command = 0x4},
		},
	};
	struct pci_quiesce_result result = run(&bus);

	(void)state;
	assert_int_equal(result.function_count, 3);
	assert_int_equal(result.stopped_count, 2);
	assert_int_equal(result.stubborn_count, 0);
	assert_int_equal(bus.functions[0].command, 0x7);
	assert_int_equal(bus.functions[1].command, 0x403);
	assert_int_equal(bus.functions[2].command, 0);
}

static void test_pci_quiesce_writes_nothing_where_dma_is_off(void **state)
{
	struct bus bus = {.function_count = 1, .functions = {{.address = 0x001000, .class_code = 0x03, .command = 0x3}}};
	struct pci_quiesce_result result = run(&bus);

	(void)state;
	assert_int_equal(result.stopped_count, 0);
	assert_int_equal(bus.command_writes, 0);
}

static void test_pci_quiesce_looks_at_functions_of_multifunction_devices_only(void **state)
{
	struct bus bus = {
		.function_count = 4,
		.functions = {
			{.address = 0x000800, .class_code = 0x02, .command = 0x4, .header_type = 0x80},
			{.address = 0x000f00, .class_code = 0x02, .command = 0x4},
			{.address = 0x001000, .class_code = 0x02, .command = 0x4},
			{.address = 0x001100, .class_code = 0x02, .command = 0x4}, /* a ghost of 001000h */
		},
	};
	struct pci_quiesce_result result = run(&bus);

	(void)state;
	assert_int_equal(result.stopped_count, 3);
	assert_int_equal(bus.functions[3].command, 0x4);
}

static void test_pci_quiesce_counts_devices_that_go_on(void **state)
{
	struct bus bus = {
		.function_count = 1,
		.functions = {{.address = 0x001000, .class_code = 0x02, .command = 0x4, .stubborn = true}},
	};
	struct pci_quiesce_result result = run(&bus);

	(void)state;
	assert_int_equal(result.stopped_count, 0);
	assert_int_equal(result.stubborn_count, 1);
}

static void test_pci_quiesce_words_name_what_goes_on(void **state)
{
	struct pci_quiesce_result result = {.function_count = 5, .stopped_count = 3};
	char words[160];

	(void)state;
	assert_int_equal(pci_quiesce_words(&result, words, sizeof(words)), 0);
	assert_string_equal(words, "");
	result.stubborn_count = 1;
	(void)pci_quiesce_words(&result, words, sizeof(words));
	assert_string_equal(words, "E634 1 PCI device cannot be kept from writing to memory, perhaps a VM's: switch "
		"it off in the "
				   "firmware's settings");
	result.stubborn_count = 2;
	(void)pci_quiesce_words(&result, words, sizeof(words));
	assert_string_equal(words, "E634 2 PCI devices cannot be kept from writing to memory, perhaps a VM's: switch "
		"them off in the "
				   "firmware's settings");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pci_quiesce_stops_devices_on_all_buses),
		cmocka_unit_test(test_pci_quiesce_writes_nothing_where_dma_is_off),
		cmocka_unit_test(test_pci_quiesce_looks_at_functions_of_multifunction_devices_only),
		cmocka_unit_test(test_pci_quiesce_counts_devices_that_go_on),
		cmocka_unit_test(test_pci_quiesce_words_name_what_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
