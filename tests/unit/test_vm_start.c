/* manager/vm_start.c: a VM that cannot be put together is refused with the step, the reason and what to do. */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "manager/layout.h"
#include "manager/program.h"
#include "manager/vm_start.h"
#include "user/calls.h"

#define PLANNED_CPUS 0x5U
#define LASTING      100U
#define CHANGES      0x5000U

static const struct manifest_vm wanted = {
	.name = "web",
	.memory_bytes = 16 << 20,
	.vcpu_count = 1,
	.module_count = 2,
	.modules = {"env/cpus 1 2", "root.img"},
};
static const struct boot_file boot_files[] = {{.size_bytes = 100}, {.size_bytes = 0}};
static uint64_t mapped[2];
static struct vm_entry entry;
static enum status pool_status, vm_status, program_status, schedule_status;
static const char *program_problem_words;
static unsigned closed, closed_lasting;

/* The manager's own objects, in the order of their making; each has a handle of its own. */
static unsigned lasting_count, lasting_limit;

enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *memory)
{
	(void)len_bytes;
	*memory = 10;
	if (pool != MANAGER_HANDLE_POOL)
		return OK;
	if (lasting_count == lasting_limit)
		return ERR_NO_MEMORY;
	*memory = LASTING + lasting_count++;
	return OK;
}

static handle_t mapped_changes;

/* The only mapping that these tests look into is the manager's of spec and report. */
enum status space_map_all(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	(void)offset;
	(void)rights;
	if (len_bytes == CHANGES)
		mapped_changes = memory;
	if (space != MANAGER_HANDLE_SPACE)
		return OK;
	return mmap((void *)address, len_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
			       MAP_FAILED
		       ? ERR_NO_MEMORY
		       : OK;
}

static enum status link_status;

enum status regions_give(const struct regions *regions, const struct manifest_vm *vm, handle_t space, struct vmm_spec *spec)
{
	(void)regions;
	(void)vm;
	(void)space;
	(void)spec;
	return OK;
}

uint64_t regions_pool_bytes(const struct manifest_vm *vm)
{
	(void)vm;
	return 0;
}

enum status switches_give_links(const struct switches *switches, uint32_t vm, handle_t space, struct vmm_spec *spec)
{
	(void)switches;
	assert_int_equal(vm, entry.slot);
	assert_int_equal(space, 14);
	spec->link_count = 1;
	return link_status;
}

enum status sys_event_create(handle_t pool, handle_t *event)
{
	(void)pool;
	*event = 11;
	return OK;
}

enum status sys_pool_create(handle_t parent, uint64_t guaranteed_bytes, uint64_t limit_bytes, handle_t *pool)
{
	(void)parent;
	assert_true(guaranteed_bytes == limit_bytes && limit_bytes >= wanted.memory_bytes);
	*pool = 12;
	return pool_status;
}

enum status sys_vm_create(handle_t host, handle_t pool, const struct vm_config *config, handle_t *vm)
{
	(void)host;
	(void)pool;
	assert_string_equal(config->name, "web");
	*vm = 13;
	return vm_status;
}

enum status program_create(const struct host *host, const struct program_request *request, struct program *program,
			   struct program_problem *problem)
{
	(void)host;
	assert_true(request->cpu_mask[0] == PLANNED_CPUS && request->cpu_mask[1] == 0);
	program->space = 14;
	problem->what = program_problem_words;
	return program_status;
}

enum status program_run(const struct program *program, const char *name, uint64_t argument)
{
	(void)program;
	(void)name;
	(void)argument;
	return OK;
}

enum status host_find_file(const struct host *host, const char *path, uint32_t *index)
{
	(void)host;
	*index = strcmp(path, "env/cpus") == 0 ? 0 : 1;
	return *index == 0 || strcmp(path, "root.img") == 0 ? OK : ERR_NOT_FOUND;
}

static uint64_t file_span_bytes = 4 << 20;

uint64_t host_file_span_bytes(const struct host *host, uint32_t index)
{
	(void)host;
	return index == 0 ? file_span_bytes : 0;
}

enum status host_show_file(const struct host *host, uint32_t index, const uint8_t **bytes, size_t *size_bytes)
{
	(void)host;
	(void)index;
	*bytes = NULL;
	*size_bytes = 0;
	return OK;
}

void host_close_file(void)
{
}

enum status host_map_file(const struct host *host, uint32_t index, handle_t space, uint64_t address)
{
	(void)host;
	(void)space;
	mapped[index] = address;
	return OK;
}

enum status sys_handle_grant(handle_t space, handle_t handle, uint32_t rights, uint64_t badge, handle_t *there)
{
	(void)space;
	(void)handle;
	(void)rights;
	(void)badge;
	*there = 1;
	return OK;
}

enum status schedule_apply_space(const struct schedule *schedule, uint32_t vm_index, handle_t space)
{
	(void)schedule;
	(void)vm_index;
	(void)space;
	return schedule_status;
}

void sys_handle_close(handle_t handle)
{
	closed++;
	closed_lasting += handle >= LASTING;
}

enum status console_open_terminal(struct console_link *link, const struct console_vm_terminal *terminal)
{
	(void)link;
	(void)terminal;
	return OK;
}

static int start(void **state)
{
	(void)state;
	if (entry.event == HANDLE_NONE)
		entry = (struct vm_entry){.wanted = &wanted};
	pool_status = vm_status = program_status = schedule_status = OK;
	program_problem_words = NULL;
	closed = closed_lasting = 0;
	lasting_limit = UINT32_MAX;
	return 0;
}

static void expect_refused(const char *words)
{
	static struct console_link console;
	static struct schedule schedule;
	static const struct host host = {.files = boot_files};
	const struct vm_surroundings around = {.host = &host, .console = &console, .schedule = &schedule};
	char message[256];

	schedule.plan.vms[entry.slot].cpus[0] = PLANNED_CPUS;
	assert_int_not_equal(vm_assemble(&entry, &around, message, sizeof(message)), OK);
	assert_string_equal(message, words);
	assert_true(entry.pool == HANDLE_NONE && entry.vm == HANDLE_NONE && entry.guest_memory == HANDLE_NONE);
}

static void test_vm_start_names_what_cannot_be_made(void **state)
{
	(void)state;
	pool_status = ERR_NO_MEMORY;
	expect_refused("E630 web: not started: its memory cannot be made: not enough memory; lower the memory of VMs in "
		       "bulkhead.toml");
	pool_status = OK;
	vm_status = ERR_NO_SPACE;
	expect_refused("E630 web: not started: its virtual machine cannot be made: a table is full; report it with the output of "
		       "`log`");
	assert_true(closed > 2);
}

static void test_vm_start_refuses_a_vm_without_its_guarantee(void **state)
{
	(void)state;
	schedule_status = ERR_UNSUPPORTED;
	expect_refused("E630 web: not started: its share of CPU time cannot be made: this PC cannot do it; report it with the "
			"output "
		       "of `log`");
	assert_true(entry.spec->cpu_mask[0] == PLANNED_CPUS);
}

/* The start that fails in its last step has written the whole specification. */
static void test_vm_start_hands_over_modules(void **state)
{
	const struct vmm_module *modules;

	(void)state;
	schedule_status = ERR_UNSUPPORTED;
	expect_refused("E630 web: not started: its share of CPU time cannot be made: this PC cannot do it; report it with the "
		       "output of `log`");
	modules = entry.spec->modules;
	assert_int_equal(entry.spec->module_count, 2);
	assert_string_equal(modules[0].text, "env/cpus 1 2");
	assert_int_equal(modules[0].size_bytes, 100);
	assert_true(modules[0].address != 0 && modules[0].address == mapped[0]);
	assert_string_equal(modules[1].text, "root.img");
	assert_int_equal(modules[1].size_bytes, 0);
	assert_int_equal(mapped[1], 0);
	assert_int_equal(modules[2].address, 0);
}

static void test_vm_start_names_the_program_that_is_missing(void **state)
{
	(void)state;
	program_status = ERR_NOT_FOUND;
	program_problem_words = "is missing";
	expect_refused("E631 web: not started: bulkhead/system/vmm: is missing; copy the folder system from the release again");
	program_status = ERR_NO_MEMORY;
	expect_refused("E630 web: not started: its VMM cannot be made: not enough memory; lower the memory of VMs in "
		"bulkhead.toml");
}

/* The first start makes the memory of a disk's changes, the VMMs of later ones find the same. */
static void test_vm_start_keeps_changes_of_disks_over_restarts(void **state)
{
	static const char refused[] = "E630 web: not started: its share of CPU time cannot be made: this PC cannot do it; "
				      "report it with the output of `log`";
	static const char poor[] = "E630 web: not started: its terminal, its flash, or memory for changes of its disks, cannot "
				   "be made: not enough memory; lower the memory of VMs in bulkhead.toml";
	static struct manifest_vm vm;
	handle_t first;
	unsigned made;

	(void)state;
	vm = wanted;
	vm.disk_count = 2;
	vm.disks[0] = vm.disks[1] = (struct manifest_disk){.size_bytes = 4096, .changes_bytes = CHANGES};
	entry = (struct vm_entry){.wanted = &vm, .slot = 1};
	/* No memory for the second disk: nothing is kept but spec and report, as often as it is tried. */
	for (unsigned i = 0; i < 3; i++) {
		closed_lasting = 0;
		lasting_limit = lasting_count + (i == 0 ? 4 : 3);
		expect_refused(poor);
		assert_int_equal(closed_lasting, 3);
		assert_true(entry.event == HANDLE_NONE && entry.to_console == HANDLE_NONE && entry.disk_changes[0] == HANDLE_NONE);
		assert_true(entry.pages != HANDLE_NONE);
	}
	lasting_limit = UINT32_MAX;
	schedule_status = ERR_UNSUPPORTED;
	expect_refused(refused);
	first = entry.disk_changes[1];
	made = lasting_count;
	closed_lasting = 0;
	mapped_changes = HANDLE_NONE;
	expect_refused(refused);
	assert_int_equal(lasting_count, made);
	assert_int_equal(closed_lasting, 0);
	assert_true(first != HANDLE_NONE && entry.disk_changes[1] == first && mapped_changes == first);
	assert_int_equal(entry.spec->disks[1].changes_bytes, CHANGES);
}

static void test_vm_start_pays_for_each_vcpu(void **state)
{
	/* vCPU, VMCS, VMX half, 4 pages of the slot, rounding; thread, 3 pages of kernel stack, 8 of stack in the VMM. */
	const uint64_t vcpu_bytes = (9 + 1 + 3 + 8) * 4096ULL, unit = 2 << 20;
	struct manifest_vm vm = wanted;
	uint64_t with_one;

	(void)state;
	vm.vcpu_count = 1;
	with_one = vm_pool_bytes(NULL, &vm);
	vm.vcpu_count = 64;
	assert_true(vm_pool_bytes(NULL, &vm) + unit > with_one + 63 * vcpu_bytes);
	assert_int_equal(vm_pool_bytes(NULL, &vm) % unit, 0);
	assert_true(with_one - vm.memory_bytes <= 10 * unit);
}

/* What maps a disk's file: 8 bytes for 4 KiB. */
static void test_vm_start_pays_for_tables_of_files(void **state)
{
	const uint64_t unit = 2 << 20;
	struct manifest_vm vm = wanted;
	uint64_t without;

	(void)state;
	file_span_bytes = 1ULL << 30;
	without = vm_pool_bytes(NULL, &vm);
	vm.disk_count = 2;
	strcpy(vm.disks[1].file, "env/cpus");
	assert_true(vm_pool_bytes(NULL, &vm) >= without + unit);
	strcpy(vm.initrd, "env/cpus");
	assert_true(vm_pool_bytes(NULL, &vm) >= without + 2 * unit);
	file_span_bytes = 4 << 20;
}

/* A socket device's link is as large as a card's. */
static void test_vm_start_pays_for_links(void **state)
{
	struct manifest_vm cards = wanted, sockets = wanted;
	bool is_paid = false;

	(void)state;
	strcpy(sockets.vsock.switch_name, "lan");
	for (uint32_t count = 0; count < 64; count++) {
		sockets.net_count = count;
		cards.net_count = count + 1;
		assert_int_equal(vm_pool_bytes(NULL, &sockets), vm_pool_bytes(NULL, &cards));
		cards.net_count = count;
		is_paid |= vm_pool_bytes(NULL, &sockets) > vm_pool_bytes(NULL, &cards);
	}
	assert_true(is_paid);
}

static void test_vm_start_pays_for_a_copy_of_the_firmware(void **state)
{
	struct manifest_vm vm = wanted;
	uint64_t without = vm_pool_bytes(NULL, &vm);

	(void)state;
	strcpy(vm.firmware, "env/cpus");
	assert_int_equal(vm_pool_bytes(NULL, &vm), without + (4 << 20));
	strcpy(vm.firmware, "not there"); /* its start fails anyway */
	assert_int_equal(vm_pool_bytes(NULL, &vm), without);
	vm.firmware[0] = '\0';
	strcpy(vm.kernel, "env/cpus"); /* may be a ROM */
	assert_int_equal(vm_pool_bytes(NULL, &vm), without + (4 << 20));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_vm_start_names_what_cannot_be_made, start),
		cmocka_unit_test_setup(test_vm_start_refuses_a_vm_without_its_guarantee, start),
		cmocka_unit_test_setup(test_vm_start_hands_over_modules, start),
		cmocka_unit_test_setup(test_vm_start_pays_for_a_copy_of_the_firmware, start),
		cmocka_unit_test_setup(test_vm_start_names_the_program_that_is_missing, start),
		cmocka_unit_test_setup(test_vm_start_keeps_changes_of_disks_over_restarts, start),
		cmocka_unit_test(test_vm_start_pays_for_each_vcpu),
		cmocka_unit_test(test_vm_start_pays_for_tables_of_files),
		cmocka_unit_test(test_vm_start_pays_for_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
