/* The loader's commands, carried out as firmware does, must give the tables that the builder makes for that address. */
#include "lib/acpi/table.h"
#include "tests/unit/unit.h"
#include "vmm/acpi/loader.h"
#include "vmm/acpi/tables.h"

#define BASE         0x7ff00000U
#define BUFFER_BYTES 0x8000U

static uint8_t tables[BUFFER_BYTES], placed[BUFFER_BYTES];
static struct acpi_loader loader;

static struct guest_acpi_layout build(uint8_t *buffer, uint64_t physical)
{
	const struct guest_acpi_config config = {
		.physical = physical,
		.vcpu_count = 3,
		.features = GUEST_ACPI_COMS | GUEST_ACPI_RTC | GUEST_ACPI_PCI | GUEST_ACPI_ECAM,
	};
	struct guest_acpi_layout layout;

	memset(buffer, 0, BUFFER_BYTES);
	assert_int_equal(guest_acpi_build(&config, buffer, BUFFER_BYTES, &layout), OK);
	return layout;
}

static struct guest_acpi_layout make(void)
{
	struct guest_acpi_layout layout = build(tables, 0);

	assert_int_equal(acpi_loader_make(tables, layout.used_bytes, layout.rsdp_physical, &loader), OK);
	return layout;
}

static uint8_t *file_named(const uint8_t *name)
{
	if (strcmp((const char *)name, "etc/acpi/rsdp") == 0)
		return loader.rsdp;
	assert_string_equal((const char *)name, "etc/acpi/tables");
	return tables;
}

static void add_pointer(const uint8_t *command)
{
	uint8_t *field = file_named(command + 4) + acpi_load32(command + 116);
	uint64_t value = 0;

	assert_ptr_equal(file_named(command + 60), tables);
	assert_true(command[120] == 4 || command[120] == 8);
	memcpy(&value, field, command[120]);
	value += BASE;
	memcpy(field, &value, command[120]);
}

static void carry_out(const uint8_t *command)
{
	uint8_t *file = file_named(command + 4);

	switch (acpi_load32(command)) {
	case 1:
		assert_int_equal(command[64], file == tables ? 1 : 2);
		assert_int_equal(acpi_load32(command + 60) % 16, 0);
		return;
	case 2:
		add_pointer(command);
		return;
	case 3:
		assert_int_equal(file[acpi_load32(command + 60)], 0);
		file[acpi_load32(command + 60)] =
			(uint8_t)(0U - acpi_sum(file + acpi_load32(command + 64), acpi_load32(command + 68)));
		return;
	default:
		fail();
	}
}

static void test_acpi_loader_gives_what_the_builder_gives(void **state)
{
	struct guest_acpi_layout layout = make();
	size_t rsdp_at = layout.rsdp_physical;

	(void)state;
	for (uint32_t i = 0; i < loader.command_count; i++)
		carry_out(loader.commands[i]);
	layout = build(placed, BASE);
	assert_int_equal(layout.rsdp_physical, BASE + rsdp_at);
	assert_memory_equal(loader.rsdp, placed + rsdp_at, sizeof(loader.rsdp));
	memset(placed + rsdp_at, 0, sizeof(loader.rsdp));
	assert_memory_equal(tables, placed, layout.used_bytes);
}

static void test_acpi_loader_places_files_before_it_uses_them(void **state)
{
	(void)state;
	(void)make();
	assert_int_equal(acpi_load32(loader.commands[0]), 1);
	assert_int_equal(acpi_load32(loader.commands[1]), 1);
	for (uint32_t i = 2; i < loader.command_count; i++)
		assert_in_range(acpi_load32(loader.commands[i]), 2, 3);
	assert_in_range(loader.command_count, 15, ACPI_LOADER_COMMANDS_MAX);
}

static void test_acpi_loader_refuses_what_are_no_tables(void **state)
{
	struct guest_acpi_layout layout = build(tables, 0);

	(void)state;
	assert_int_equal(acpi_loader_make(tables, layout.used_bytes, layout.rsdp_physical + 1, &loader), ERR_BAD_FORMAT);
	assert_int_equal(acpi_loader_make(tables, layout.rsdp_physical + 35, layout.rsdp_physical, &loader), ERR_BAD_FORMAT);
	assert_int_equal(acpi_loader_make(tables, 64, layout.rsdp_physical, &loader), ERR_BAD_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acpi_loader_gives_what_the_builder_gives),
		cmocka_unit_test(test_acpi_loader_places_files_before_it_uses_them),
		cmocka_unit_test(test_acpi_loader_refuses_what_are_no_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
