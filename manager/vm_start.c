/* Puts together what a VM needs. A VMM gets all it will ever have before its first instruction; each part is its own VM's. */
#include "manager/vm_start.h"

#include "abi/features.h"
#include "lib/base/format.h"
#include "lib/base/string.h"
#include "manager/layout.h"
#include "manager/program.h"
#include "manager/vm_disks.h"
#include "manager/vm_flash.h"
#include "manager/vm_ports.h"
#include "user/calls.h"

#define VMM_PATH         "system/vmm"
#define REPORT_OFFSET    ((uint64_t)VMM_SPEC_ROOM_BYTES)
#define PAGES_BYTES      (REPORT_OFFSET + 0x1000ULL) /* spec, report */
#define POOL_UNIT        0x200000ULL
#define POOL_OWN_BYTES   (8 * POOL_UNIT) /* VMM, kernel objects, the first vCPU, and a unit begun of each of a pool's two parts */
#define POOL_VCPU_BYTES  0x18000ULL      /* a further vCPU: 10 pages; its thread: 12 of stacks and one for the object */
#define MEMORY_PER_TABLE 256ULL    /* page tables and EPT of 4 KiB pages, twice: 8 bytes for 4096, and as much again */
#define FILE_PER_TABLE   512ULL    /* page tables of 4 KiB pages */
#define FILE_TABLES_BEGUN 0x3000ULL
#define ROM_MAX_BYTES    0x1000000ULL
#define ROM_UNIT_BYTES   0x10000ULL
#define READ_WRITE       (RIGHT_READ | RIGHT_WRITE)
#define MASK_BYTES       (MANIFEST_CPUS_MAX / 8)

/* Firmware, or a kernel that may be one by its size (vmm/firmware.h): the VM has a copy of its own. */
static uint64_t rom_bytes(const struct host *host, const struct manifest_vm *wanted)
{
	bool is_named = wanted->firmware[0] != '\0';
	uint64_t bytes;
	uint32_t index;

	if (host_find_file(host, is_named ? wanted->firmware : wanted->kernel, &index) != OK)
		return 0;
	bytes = host_file_span_bytes(host, index);
	return is_named || (bytes <= ROM_MAX_BYTES && bytes % ROM_UNIT_BYTES == 0) ? bytes : 0;
}

/* Page tables for what the VMM sees of boot files, which are mapped by 4 KiB pages: 8 bytes for each, and a table begun. */
static uint64_t file_table_bytes(const struct host *host, const char *path)
{
	uint32_t index;

	if (path[0] == '\0' || host_find_file(host, path, &index) != OK)
		return 0;
	return host_file_span_bytes(host, index) / FILE_PER_TABLE + FILE_TABLES_BEGUN;
}

static uint64_t files_table_bytes(const struct host *host, const struct manifest_vm *wanted)
{
	uint64_t bytes = file_table_bytes(host, wanted->firmware) + file_table_bytes(host, wanted->kernel) +
			 file_table_bytes(host, wanted->initrd);

	for (uint32_t i = 0; i < wanted->module_count; i++) {
		char path[BOOT_FILE_PATH_BYTES];

		manifest_module_path(wanted->modules[i], path);
		bytes += file_table_bytes(host, path);
	}
	for (uint32_t i = 0; i < wanted->disk_count; i++)
		bytes += file_table_bytes(host, wanted->disks[i].file);
	return bytes;
}

uint64_t vm_pool_bytes(const struct host *host, const struct manifest_vm *wanted)
{
	uint64_t bytes = wanted->memory_bytes + wanted->memory_bytes / MEMORY_PER_TABLE + POOL_OWN_BYTES;

	bytes += rom_bytes(host, wanted) + files_table_bytes(host, wanted);
	bytes += (wanted->vcpu_count - 1) * POOL_VCPU_BYTES + switches_link_count(wanted) * (uint64_t)VM_POOL_LINK_BYTES;
	bytes += regions_pool_bytes(wanted);
	return (bytes + POOL_UNIT - 1) & ~(POOL_UNIT - 1);
}

static void let_go(handle_t *handle)
{
	if (*handle != HANDLE_NONE)
		sys_handle_close(*handle);
	*handle = HANDLE_NONE;
}

/* The manager sees them in its window of this VM, from then on for good. */
static enum status make_pages(struct vm_entry *entry)
{
	uint64_t window = MANAGER_WINDOW_VMS + entry->slot * MANAGER_VM_WINDOW_BYTES;
	enum status status;

	if (entry->pages != HANDLE_NONE)
		return OK;
	status = memory_create_filled(MANAGER_HANDLE_POOL, PAGES_BYTES, &entry->pages);
	if (status == OK)
		status = space_map_all(MANAGER_HANDLE_SPACE, entry->pages, window, 0, PAGES_BYTES, READ_WRITE);
	if (status != OK)
		let_go(&entry->pages);
	entry->spec = (struct vmm_spec *)window;
	entry->report = (struct vmm_report *)(window + REPORT_OFFSET);
	return status;
}

/* A VM that never ran keeps no memory: others may have it, and another try begins anew. */
static void forget_lasting_parts(struct vm_entry *entry)
{
	let_go(&entry->to_console);
	let_go(&entry->to_vm);
	let_go(&entry->flash);
	for (uint32_t i = 0; i < MANIFEST_PORTS_MAX; i++) {
		let_go(&entry->ports[i].to_console);
		let_go(&entry->ports[i].to_vm);
	}
	for (uint32_t i = 0; i < MANIFEST_DISKS_MAX; i++)
		let_go(&entry->disk_changes[i]);
}

/* What stays over restarts is paid by the manager. */
static enum status make_lasting_parts(struct vm_entry *entry, const struct host *host)
{
	enum status status;

	if (entry->event != HANDLE_NONE)
		return OK;
	status = make_pages(entry);
	if (status == OK)
		status = memory_create_filled(MANAGER_HANDLE_POOL, TERMINAL_TO_CONSOLE_BYTES, &entry->to_console);
	if (status == OK)
		status = memory_create_filled(MANAGER_HANDLE_POOL, TERMINAL_TO_VM_BYTES, &entry->to_vm);
	if (status == OK)
		status = vm_ports_make(entry);
	if (status == OK)
		status = vm_flash_make(entry, host);
	if (status == OK)
		status = vm_disks_make(entry);
	if (status == OK)
		status = sys_event_create(MANAGER_HANDLE_POOL, &entry->event);
	if (status != OK)
		forget_lasting_parts(entry);
	return status;
}

static enum status make_vm(struct vm_entry *entry, const struct vm_surroundings *around)
{
	struct vm_config config = {
		.disabled_features = around->disabled_features,
		.vcpu_limit = entry->wanted->vcpu_count,
	};

	memcpy(config.name, entry->wanted->name, strnlen(entry->wanted->name, sizeof(config.name) - 1));
	return sys_vm_create(MANAGER_HANDLE_HOST, entry->pool, &config, &entry->vm);
}

static const uint64_t *planned_cpus(const struct vm_entry *entry, const struct vm_surroundings *around)
{
	return around->schedule->plan.vms[entry->slot].cpus;
}

static enum status make_vmm(struct vm_entry *entry, const struct vm_surroundings *around, struct program *vmm,
			    struct program_problem *problem)
{
	uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64] = {0};
	const struct program_request request = {
		.path = VMM_PATH,
		.pool = entry->pool,
		.vm = entry->vm,
		.end_event = around->manager_event,
		.end_bits = around->end_bits,
		.cpu_mask = cpu_mask,
	};
	enum status status;

	memcpy(cpu_mask, planned_cpus(entry, around), MASK_BYTES);
	status = program_create(around->host, &request, vmm, problem);
	if (status == OK)
		entry->space = vmm->space;
	return status;
}

enum status vm_give_file(const struct vm_entry *entry, const struct host *host, const char *path, uint64_t address,
			 struct vmm_file *file)
{
	uint32_t index;
	enum status status;

	if (path[0] == '\0')
		return OK;
	status = host_find_file(host, path, &index);
	if (status != OK)
		return status;
	memcpy(file->path, path, strnlen(path, sizeof(file->path) - 1));
	file->address = address;
	file->size_bytes = host->files[index].size_bytes;
	return file->size_bytes == 0 ? OK : host_map_file(host, index, entry->space, address);
}

static enum status give_modules(const struct vm_entry *entry, const struct host *host, struct vmm_spec *spec)
{
	const struct manifest_vm *wanted = entry->wanted;
	enum status status = OK;

	for (uint32_t i = 0; status == OK && i < wanted->module_count; i++) {
		struct vmm_file file = {.address = 0};
		char path[BOOT_FILE_PATH_BYTES];

		manifest_module_path(wanted->modules[i], path);
		status = vm_give_file(entry, host, path, VMM_WINDOW_MODULES + i * VMM_MODULE_WINDOW_BYTES, &file);
		spec->modules[i] = (struct vmm_module){.address = file.address, .size_bytes = file.size_bytes};
		memcpy(spec->modules[i].text, wanted->modules[i], sizeof(spec->modules[i].text));
	}
	spec->module_count = wanted->module_count;
	return status;
}

static enum status map_parts(const struct vm_entry *entry)
{
	enum status status = space_map_all(entry->space, entry->pages, VMM_WINDOW_SPEC, 0, REPORT_OFFSET, RIGHT_READ);

	if (status == OK)
		status = space_map_all(entry->space, entry->pages, VMM_WINDOW_REPORT, REPORT_OFFSET,
				       PAGES_BYTES - REPORT_OFFSET, READ_WRITE);
	if (status == OK)
		status = space_map_all(entry->space, entry->to_console, VMM_WINDOW_TO_CONSOLE, 0, TERMINAL_TO_CONSOLE_BYTES,
				       READ_WRITE);
	if (status == OK)
		status = space_map_all(entry->space, entry->to_vm, VMM_WINDOW_FROM_CONSOLE, 0, TERMINAL_TO_VM_BYTES,
				       READ_WRITE);
	if (status == OK)
		status = vm_ports_map(entry);
	if (status == OK)
		status = space_map_all(entry->space, entry->guest_memory, VMM_WINDOW_MEMORY, 0, entry->wanted->memory_bytes,
				       READ_WRITE);
	return status;
}

static enum status grant_handles(const struct vm_entry *entry, const struct vm_surroundings *around,
				 struct vmm_handles *handles)
{
	const struct {
		handle_t mine;
		uint32_t rights;
		uint64_t badge;
		handle_t *theirs;
	} grants[] = {
		{entry->space, RIGHT_ALL, UINT64_MAX, &handles->space},
		{entry->pool, RIGHT_ALL, UINT64_MAX, &handles->pool},
		{entry->vm, RIGHT_READ | RIGHT_WRITE, UINT64_MAX, &handles->vm},
		{entry->guest_memory, RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE, UINT64_MAX, &handles->guest_memory},
		{entry->event, RIGHT_WAIT | RIGHT_SIGNAL, UINT64_MAX, &handles->event},
		{around->manager_event, RIGHT_SIGNAL, around->state_bits, &handles->manager_event},
		{around->console->event, RIGHT_SIGNAL, CONSOLE_EVENT_TERMINAL, &handles->console_event},
	};
	enum status status = OK;

	for (size_t i = 0; status == OK && i < sizeof(grants) / sizeof(grants[0]); i++) {
		if (grants[i].mine != HANDLE_NONE)
			status = sys_handle_grant(entry->space, grants[i].mine, grants[i].rights, grants[i].badge,
						  grants[i].theirs);
	}
	return status;
}

static uint32_t options_of(const struct manifest_vm *wanted)
{
	return (wanted->testdev ? VMM_OPTION_TESTDEV : 0) | (wanted->hpet ? VMM_OPTION_HPET : 0) |
	       (wanted->rng ? VMM_OPTION_RNG : 0) | (wanted->balloon ? VMM_OPTION_BALLOON : 0);
}

static enum status write_spec(const struct vm_entry *entry, const struct vm_surroundings *around)
{
	const struct manifest_vm *wanted = entry->wanted;
	struct vmm_spec *spec = entry->spec;
	enum status status;

	memset(spec, 0, sizeof(*spec));
	spec->magic = VMM_SPEC_MAGIC;
	spec->version = VMM_SPEC_VERSION;
	spec->size_bytes = sizeof(*spec);
	memcpy(spec->name, wanted->name, sizeof(spec->name));
	memcpy(spec->command_line, wanted->cmdline, sizeof(spec->command_line));
	spec->memory_bytes = wanted->memory_bytes;
	spec->guest_memory_address = VMM_WINDOW_MEMORY;
	spec->disabled_features = around->disabled_features;
	memcpy(spec->cpu_mask, planned_cpus(entry, around), MASK_BYTES);
	spec->vcpu_count = wanted->vcpu_count;
	spec->options = options_of(wanted);
	spec->report_address = VMM_WINDOW_REPORT;
	spec->console = (struct vmm_console){
		.to_console_address = VMM_WINDOW_TO_CONSOLE,
		.to_console_bytes = TERMINAL_TO_CONSOLE_BYTES,
		.from_console_address = VMM_WINDOW_FROM_CONSOLE,
		.from_console_bytes = TERMINAL_TO_VM_BYTES,
		.event_bits = CONSOLE_EVENT_TERMINAL,
	};
	vm_ports_describe(wanted, spec);
	status = vm_give_file(entry, around->host, wanted->firmware, VMM_WINDOW_FIRMWARE, &spec->firmware);
	if (status == OK)
		status = vm_give_file(entry, around->host, wanted->kernel, VMM_WINDOW_KERNEL, &spec->kernel);
	if (status == OK)
		status = vm_give_file(entry, around->host, wanted->initrd, VMM_WINDOW_INITRD, &spec->initrd);
	if (status == OK)
		status = give_modules(entry, around->host, spec);
	if (status == OK)
		status = switches_give_links(around->switches, entry->slot, entry->space, spec);
	if (status == OK)
		status = regions_give(around->regions, wanted, entry->space, spec);
	if (status == OK)
		status = vm_flash_give(entry, spec);
	if (status == OK)
		status = vm_disks_give(entry, around->host, spec);
	return status == OK ? grant_handles(entry, around, &spec->handles) : status;
}

_Static_assert(MASK_BYTES <= sizeof(((struct vmm_spec *)0)->cpu_mask), "CPU masks");
_Static_assert(MANIFEST_NAME_BYTES == VMM_NAME_BYTES && MANIFEST_CMDLINE_BYTES == VMM_CMDLINE_BYTES, "texts");

/* The steps, and what the user reads where one fails for lack of something. */
static enum status assemble(struct vm_entry *entry, const struct vm_surroundings *around, const char **step,
			    struct program_problem *problem)
{
	uint64_t pool_bytes;
	struct program vmm;
	enum status status;

	*step = "its terminal, its flash, or memory for changes of its disks,";
	status = make_lasting_parts(entry, around->host);
	if (status != OK)
		return status;
	memset(entry->report, 0, sizeof(*entry->report));
	*step = "its memory";
	pool_bytes = vm_pool_bytes(around->host, entry->wanted) - (entry->flash_bytes & ~(POOL_UNIT - 1)); /* that is paid */
	status = sys_pool_create(MANAGER_HANDLE_POOL, pool_bytes, pool_bytes, &entry->pool);
	if (status == OK)
		status = memory_create_filled(entry->pool, entry->wanted->memory_bytes, &entry->guest_memory);
	if (status != OK)
		return status;
	*step = "its virtual machine";
	status = make_vm(entry, around);
	if (status != OK)
		return status;
	*step = "its VMM";
	status = make_vmm(entry, around, &vmm, problem);
	if (status == OK)
		status = map_parts(entry);
	if (status == OK)
		status = write_spec(entry, around);
	if (status != OK)
		return status;
	*step = "its share of CPU time";
	status = schedule_apply_space(around->schedule, entry->slot, entry->space);
	return status == OK ? program_run(&vmm, entry->wanted->name, VMM_WINDOW_SPEC) : status;
}

enum status vm_assemble(struct vm_entry *entry, const struct vm_surroundings *around, char *message, size_t message_bytes)
{
	struct program_problem problem = {.what = NULL};
	const char *name = entry->wanted->name;
	const char *step = "";
	enum status status = assemble(entry, around, &step, &problem);

	if (status == OK)
		return OK;
	if (problem.what != NULL && status != ERR_NO_MEMORY)
		format_text(message, message_bytes, "E631 %s: not started: bulkhead/%s: %s; copy the folder system from the "
			    "release again", name, VMM_PATH, problem.what);
	else
		format_text(message, message_bytes, "E630 %s: not started: %s cannot be made: %s; %s", name, step,
			    status_words(status), status == ERR_NO_MEMORY
							  ? "lower the memory of VMs in bulkhead.toml"
							  : "report it with the output of `log`");
	vm_dismantle(entry);
	return status;
}

void vm_dismantle(struct vm_entry *entry)
{
	handle_t *const handles[] = {&entry->space, &entry->guest_memory, &entry->vm, &entry->pool};

	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
		let_go(handles[i]);
}
