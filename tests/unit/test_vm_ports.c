/* manager/vm_ports.c: channels of further ports, where the VMM and the console see them, and their names. */
#include "manager/layout.h"
#include "manager/vm_ports.h"
#include "tests/unit/unit.h"
#include "user/calls.h"

static const struct manifest_vm with_two = {.name = "web", .port_count = 2, .ports = {"log", "data"}};
static const struct manifest_vm plain = {.name = "db"};
static const struct manifest_vm with_hvc = {.name = "db", .hvc = true};
static handle_t next_handle;
static enum status create_status;
static struct {
	handle_t memory;
	uint64_t address;
} maps[8];
static unsigned map_count, open_count;
static struct console_vm_terminal opened[4];
static char opened_names[4][CONSOLE_NAME_BYTES];

static uint64_t made_bytes;

enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *memory)
{
	assert_int_equal(pool, MANAGER_HANDLE_POOL);
	assert_true(len_bytes == TERMINAL_TO_CONSOLE_BYTES || len_bytes == TERMINAL_TO_VM_BYTES);
	if (create_status == OK)
		*memory = next_handle++;
	made_bytes += len_bytes;
	return create_status;
}

enum status space_map_all(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	assert_int_equal(space, 77);
	assert_int_equal(offset, 0);
	assert_true(len_bytes <= VMM_PORT_HALF_BYTES);
	assert_int_equal(rights, RIGHT_READ | RIGHT_WRITE);
	maps[map_count].memory = memory;
	maps[map_count++].address = address;
	return OK;
}

enum status console_open_terminal(struct console_link *link, const struct console_vm_terminal *terminal)
{
	(void)link;
	opened[open_count] = *terminal;
	strcpy(opened_names[open_count++], terminal->name);
	return OK;
}

static int reset(void **state)
{
	(void)state;
	next_handle = 20;
	create_status = OK;
	map_count = open_count = 0;
	return 0;
}

static void test_vm_ports_make_and_map_channels(void **state)
{
	struct vm_entry entry = {.wanted = &with_two, .space = 77};
	struct vmm_spec spec = {.port_count = 0};

	(void)state;
	made_bytes = 0;
	assert_int_equal(vm_ports_make(&entry), OK);
	assert_int_equal(next_handle, 24);
	assert_int_equal(vm_ports_bytes(&with_two), made_bytes);
	assert_int_equal(vm_ports_map(&entry), OK);
	vm_ports_describe(&with_two, &spec);
	assert_int_equal(spec.port_count, 3);
	assert_string_equal(spec.ports[0].name, "");
	assert_int_equal(spec.ports[0].channels.to_console_address, 0);
	for (unsigned i = 0; i < 2; i++) {
		const struct vmm_console *channels = &spec.ports[i + 1].channels;

		assert_string_equal(spec.ports[i + 1].name, with_two.ports[i]);
		assert_int_equal(maps[2 * i].memory, entry.ports[i].to_console);
		assert_int_equal(maps[2 * i].address, channels->to_console_address);
		assert_int_equal(maps[2 * i + 1].memory, entry.ports[i].to_vm);
		assert_int_equal(maps[2 * i + 1].address, channels->from_console_address);
		assert_int_equal(channels->to_console_bytes, TERMINAL_TO_CONSOLE_BYTES);
		assert_int_equal(channels->from_console_bytes, TERMINAL_TO_VM_BYTES);
	}
}

static void test_vm_ports_fail_with_memory(void **state)
{
	struct vm_entry entry = {.wanted = &with_two};

	(void)state;
	create_status = ERR_NO_MEMORY;
	assert_int_equal(vm_ports_make(&entry), ERR_NO_MEMORY);
}

static void test_vm_ports_describe_the_first_port_alone(void **state)
{
	struct vmm_spec spec = {.port_count = 0};

	(void)state;
	vm_ports_describe(&plain, &spec);
	assert_int_equal(spec.port_count, 0);
	vm_ports_describe(&with_hvc, &spec);
	assert_int_equal(spec.port_count, 1);
}

/* No two terminals share a window of the console, and none has that of a VM. */
static void test_vm_ports_open_terminals(void **state)
{
	const struct vm_entry entry = {.wanted = &with_two, .slot = 63, .event = 9, .ports = {{1, 2}, {3, 4}}};
	const struct vm_entry first = {.wanted = &with_two, .slot = 0, .event = 8};
	const struct vm_surroundings around = {.console = NULL};

	(void)state;
	assert_int_equal(vm_ports_open(&entry, &around), OK);
	assert_int_equal(vm_ports_open(&first, &around), OK);
	assert_int_equal(open_count, 4);
	assert_string_equal(opened_names[0], "web.log");
	assert_string_equal(opened_names[1], "web.data");
	assert_int_equal(opened[1].to_console, 3);
	assert_int_equal(opened[1].to_vm, 4);
	assert_int_equal(opened[1].vmm_event, 9);
	assert_int_equal(opened[1].vmm_event_bits, VMM_EVENT_CONSOLE);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(opened[i].slot >= MANIFEST_VMS_MAX);
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(opened[i].slot, opened[j].slot);
	}
}

static void test_vm_ports_are_listed(void **state)
{
	char line[200];
	size_t len_bytes = vm_list_ports(&with_two, line, sizeof(line));

	(void)state;
	assert_int_equal(len_bytes, strlen(line));
	assert_string_equal(line, "  terminals of its ports: web.log web.data\n");
	assert_int_equal(vm_list_ports(&plain, line, sizeof(line)), 0);
	assert_string_equal(line, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_vm_ports_make_and_map_channels, reset),
		cmocka_unit_test_setup(test_vm_ports_fail_with_memory, reset),
		cmocka_unit_test_setup(test_vm_ports_describe_the_first_port_alone, reset),
		cmocka_unit_test_setup(test_vm_ports_open_terminals, reset),
		cmocka_unit_test_setup(test_vm_ports_are_listed, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
