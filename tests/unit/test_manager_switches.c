/* manager/switches.c: what switches and VMMs get, and what is said where a switch cannot be started or dies. */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "manager/layout.h"
#include "manager/program.h"
#include "manager/switches.h"
#include "tests/fake/program.h"
#include "user/calls.h"

#define SWITCH_SPACE 100U
#define VMM_SPACE    200U

static struct manifest manifest;
static struct switches switches;
static struct space_status end;
static enum status memory_status, create_status;
static unsigned created, closed;
static handle_t next_handle;
static struct {
	handle_t space, handle, there;
	uint32_t rights;
	uint64_t badge;
} grants[64];
static unsigned grant_count;
static struct {
	handle_t space, memory;
	uint64_t address, len_bytes;
	uint32_t rights;
} maps[64];
static unsigned map_count;

enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *memory)
{
	assert_int_equal(pool, MANAGER_HANDLE_POOL);
	assert_true(len_bytes % 4096 == 0);
	*memory = next_handle++;
	return memory_status;
}

enum status space_map_all(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	(void)offset;
	if (space != MANAGER_HANDLE_SPACE) {
		maps[map_count].space = space;
		maps[map_count].memory = memory;
		maps[map_count].address = address;
		maps[map_count].len_bytes = len_bytes;
		maps[map_count++].rights = rights;
		return OK;
	}
	munmap((void *)address, len_bytes);
	return mmap((void *)address, len_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
			       MAP_FAILED
		       ? ERR_NO_MEMORY
		       : OK;
}

enum status sys_event_create(handle_t pool, handle_t *event)
{
	(void)pool;
	*event = next_handle++;
	return OK;
}

enum status sys_handle_grant(handle_t space, handle_t handle, uint32_t rights, uint64_t badge, handle_t *there)
{
	*there = 1000 + grant_count;
	grants[grant_count].space = space;
	grants[grant_count].handle = handle;
	grants[grant_count].rights = rights;
	grants[grant_count].there = *there;
	grants[grant_count++].badge = badge;
	return OK;
}

void sys_handle_close(handle_t handle)
{
	assert_int_equal(handle, SWITCH_SPACE);
	closed++;
}

enum status sys_space_status(handle_t space, struct space_status *status)
{
	assert_int_equal(space, SWITCH_SPACE);
	*status = end;
	return OK;
}

enum status program_create(const struct host *host, const struct program_request *request, struct program *program,
			   struct program_problem *problem)
{
	(void)host;
	assert_string_equal(request->path, "system/switch");
	assert_int_equal(request->end_bits, 0x20);
	created++;
	program->space = SWITCH_SPACE;
	if (create_status != OK)
		problem->what = "is missing";
	return create_status;
}

enum status program_run(const struct program *program, const char *name, uint64_t argument)
{
	assert_int_equal(program->space, SWITCH_SPACE);
	assert_string_equal(name, "lan");
	assert_int_equal(argument, SWITCH_WINDOW_SPEC);
	return OK;
}

static void start(void)
{
	const struct switch_surroundings around = {.manifest = &manifest, .manager_event = 9, .end_bits = 0x20};

	switches_start(&switches, &around);
}

/* VM 0 has two cards on the switch, VM 1 is refused, VM 2 has one. */
static int reset(void **state)
{
	(void)state;
	fake_program_start();
	memset(&manifest, 0, sizeof(manifest));
	memset(&switches, 0, sizeof(switches));
	manifest.vm_count = 3;
	manifest.switch_count = 1;
	strcpy(manifest.switches[0].name, "lan");
	manifest.switches[0].port_count = 4;
	strcpy(manifest.vms[0].name, "web");
	strcpy(manifest.vms[2].name, "db");
	manifest.vms[0].net_count = 2;
	manifest.vms[0].nets[0] = (struct manifest_net){.queue_pairs = 2, .mac = {2, 0, 0, 0, 0, 1}, .mac_filter = true};
	manifest.vms[0].nets[1] =
		(struct manifest_net){.queue_pairs = 1, .mac = {2, 0, 0, 0, 0, 2}, .isolated = true, .rate_bytes = 65536};
	manifest.vms[1].net_count = 1;
	manifest.vms[1].refused = true;
	manifest.vms[2].net_count = 1;
	manifest.vms[2].nets[0] = manifest.vms[0].nets[0];
	end = (struct space_status){.state = SPACE_RUNNING};
	memory_status = create_status = OK;
	created = closed = grant_count = map_count = 0;
	next_handle = 20;
	return 0;
}

static void test_manager_switches_equip_programs(void **state)
{
	const struct switch_spec *spec;

	(void)state;
	start();
	assert_string_equal(fake_program_log, "");
	spec = switches.entries[0].spec;
	assert_int_equal(spec->magic, SWITCH_SPEC_MAGIC);
	assert_int_equal(spec->port_count, 3);
	assert_int_equal(spec->ports[0].flags, SWITCH_PORT_MAC_FILTER);
	assert_int_equal(spec->ports[1].flags, SWITCH_PORT_ISOLATED);
	assert_int_equal(spec->ports[1].rate_bytes, 65536);
	assert_int_equal(spec->ports[1].mac[5], 2);
	assert_string_equal(spec->ports[2].vm_name, "db");
	assert_int_equal(spec->ports[2].to_switch_address, SWITCH_WINDOW_PORTS + 2 * VMM_LINK_WINDOW_BYTES);
	/* The switch may signal each device with that one bit, and wait for its own event. */
	assert_int_equal(grant_count, 4);
	assert_int_equal(grants[0].rights, RIGHT_WAIT | RIGHT_SIGNAL);
	for (unsigned i = 1; i < 4; i++) {
		assert_int_equal(grants[i].rights, RIGHT_SIGNAL);
		assert_true(grants[i].badge == 1ULL << 62);
		assert_int_equal(spec->ports[i - 1].peer_event, grants[i].there);
	}
	/* Its spec is read-only. */
	assert_int_equal(maps[0].address, SWITCH_WINDOW_SPEC);
	assert_int_equal(maps[0].rights, RIGHT_READ);
}

static void test_manager_switches_give_links_to_their_vm(void **state)
{
	static struct vmm_spec spec;
	unsigned grants_before, maps_before;

	(void)state;
	memset(&spec, 0, sizeof(spec));
	start();
	grants_before = grant_count;
	maps_before = map_count;
	assert_int_equal(switches_give_links(&switches, 1, VMM_SPACE, &spec), OK);
	assert_int_equal(spec.link_count, 0);
	assert_int_equal(switches_give_links(&switches, 0, VMM_SPACE, &spec), OK);
	assert_int_equal(spec.link_count, 2);
	assert_int_equal(spec.links[0].kind, VMM_LINK_NET);
	assert_int_equal(spec.links[0].queue_pairs, 2);
	assert_int_equal(spec.links[0].switch_bits, 1);
	assert_int_equal(spec.links[1].switch_bits, 2);
	assert_int_equal(spec.links[1].mac[5], 2);
	assert_int_equal(map_count, maps_before + 4);
	for (unsigned i = maps_before; i < map_count; i++)
		assert_int_equal(maps[i].space, VMM_SPACE);
	assert_int_equal(maps[maps_before].memory, switches.entries[0].ports[0].to_switch);
	assert_int_equal(maps[maps_before + 3].address, spec.links[1].from_switch_address);
	/* Of the switch's event, a VMM has its own port's bit and may not wait on it. */
	assert_int_equal(grant_count, grants_before + 4);
	assert_int_equal(grants[grants_before + 2].handle, switches.entries[0].event);
	assert_int_equal(grants[grants_before + 2].rights, RIGHT_SIGNAL);
	assert_int_equal(grants[grants_before + 2].badge, 2);
	assert_int_equal(spec.links[1].switch_event, grants[grants_before + 2].there);
	assert_int_equal(spec.links[1].event, grants[grants_before + 3].there);
}

static void test_manager_switches_start_again(void **state)
{
	(void)state;
	start();
	assert_false(switches_look(&switches));
	end = (struct space_status){.state = SPACE_FAULTED, .exception = 14, .rip = 0x400123, .fault_address = 8};
	for (unsigned i = 0; i < SWITCH_RESTARTS_MAX + 1; i++)
		assert_true(switches_look(&switches));
	assert_false(switches_look(&switches));
	assert_int_equal(created, 1 + SWITCH_RESTARTS_MAX);
	assert_int_equal(closed, 1 + SWITCH_RESTARTS_MAX);
	assert_non_null(strstr(fake_program_log, "E640 switch lan: stopped by exception 14 at 0x400123, address 0x8; VMs go on\n"));
	assert_non_null(strstr(fake_program_log, "E640 switch lan: stopped 4 times and stays off: cards on it reach nobody; report "
						 "it with the output of `log`\n"));
}

static void test_manager_switches_that_cannot_start(void **state)
{
	static struct vmm_spec spec;

	(void)state;
	create_status = ERR_NOT_FOUND;
	start();
	assert_non_null(strstr(fake_program_log, "E640 switch lan: bulkhead/system/switch is missing (error "));
	assert_non_null(strstr(fake_program_log, "): cards on it reach nobody; copy the folder system from the release again\n"));
	assert_int_equal(switches_give_links(&switches, 0, VMM_SPACE, &spec), OK); /* a cable to nobody */
	reset(NULL);
	memory_status = ERR_NO_MEMORY;
	start();
	assert_non_null(strstr(fake_program_log, "E640 switch lan: no memory for its ports: cards on it reach nobody; lower the "
						 "memory of VMs in bulkhead.toml\n"));
	assert_int_equal(switches_give_links(&switches, 0, VMM_SPACE, &spec), ERR_NO_MEMORY);
	reset(NULL);
	start();
	end = (struct space_status){.state = SPACE_EXITED, .exit_code = 1};
	assert_true(switches_look(&switches));
	assert_non_null(strstr(fake_program_log, "E640 switch lan: ended by itself, exit code 1; VMs go on\n"));
}

static void test_manager_switches_are_listed(void **state)
{
	char line[SWITCH_LINE_BYTES];

	(void)state;
	start();
	*(struct switch_report *)(uintptr_t)switches.entries[0].report =
		(struct switch_report){.passed = 7, .dropped_full = 6, .dropped_filter = 5, .dropped_other = 4};
	switch_list_line(&switches, 0, line, sizeof(line));
	assert_string_equal(line, "switch lan: running, 3 ports, 7 passed on, dropped: 6 for lack of room, 5 with a wrong "
				  "source, 4 others\n");
	assert_true(switches_memory_bytes(&manifest) > 4 * (LINK_TO_SWITCH_BYTES + LINK_FROM_SWITCH_BYTES));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_manager_switches_equip_programs, reset),
		cmocka_unit_test_setup(test_manager_switches_give_links_to_their_vm, reset),
		cmocka_unit_test_setup(test_manager_switches_start_again, reset),
		cmocka_unit_test_setup(test_manager_switches_that_cannot_start, reset),
		cmocka_unit_test_setup(test_manager_switches_are_listed, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
