/* Loads the manager's ELF image into memory objects, as the manager itself does for all other programs. */
#include "kernel/first_program.h"

#include <stddef.h>

#include "abi/boot_info.h"
#include "abi/syscall.h"
#include "kernel/chunks.h"
#include "kernel/config.h"
#include "kernel/hypervisor.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/memory_internal.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/report.h"
#include "kernel/space_internal.h"
#include "kernel/thread_internal.h"
#include "lib/base/string.h"
#include "lib/elf/elf.h"

#define MANAGER_PATH        "system/manager"
#define MANAGER_STACK_TOP   0x00007ffffe000000ULL
#define MANAGER_STACK_BYTES 0x10000ULL
#define FILES_MAX           (HANDLES_MAX / 2) /* each takes a handle of the manager */

static struct object host_object = {.references = 1, .kind = OBJECT_HOST};
static struct object ports_object = {.references = 1, .kind = OBJECT_PORTS};

static const struct boot_file *files_of(const struct boot_info *boot)
{
	return (const struct boot_file *)(uintptr_t)boot->files_virtual;
}

/* Files beyond FILES_MAX would find no handle: they are not shown. */
static uint32_t file_count(const struct boot_info *boot)
{
	return boot->file_count < FILES_MAX ? boot->file_count : FILES_MAX;
}

/* Grows a new object to size_bytes (rounded up to pages). */
static enum status create_filled(uint64_t size_bytes, struct memory **out)
{
	uint64_t target = (size_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
	uint64_t reached = 0;
	enum status status = memory_create(root_pool, out);

	while (status == OK && reached < target)
		status = memory_grow(*out, target, &reached);
	return status;
}

/* Copies into an object, page by page. */
static enum status fill(struct memory *memory, uint64_t offset, const void *src, uint64_t len_bytes)
{
	const uint8_t *from = src;

	while (len_bytes > 0) {
		uint64_t in_page = PAGE_SIZE_BYTES - offset % PAGE_SIZE_BYTES;
		uint64_t piece = len_bytes < in_page ? len_bytes : in_page;
		struct memory_run run;
		enum status status = memory_run_at(memory, offset & ~(PAGE_SIZE_BYTES - 1), &run);

		if (status != OK)
			return status;
		frame_write(run.physical + offset % PAGE_SIZE_BYTES, from, piece);
		from += piece;
		offset += piece;
		len_bytes -= piece;
	}
	return OK;
}

static enum status map_all(struct space *space, struct memory *memory, uint64_t address, unsigned rights)
{
	uint64_t done = 0, at = 0;
	enum status status = OK;

	for (; status == OK && at < memory_size_bytes(memory); at += done)
		status = space_map(space, memory, address + at, at, memory_size_bytes(memory) - at, rights, &done);
	return status;
}

/* A new object, filled and mapped; the view keeps it alive. */
static enum status map_copy(struct space *space, uint64_t address, uint64_t size_bytes, const void *src, uint64_t src_bytes,
			    unsigned rights)
{
	struct memory *memory;
	enum status status = create_filled(size_bytes, &memory);

	if (status == OK)
		status = fill(memory, 0, src, src_bytes);
	if (status == OK)
		status = map_all(space, memory, address, rights);
	if (status == OK)
		object_put(memory_object(memory));
	return status;
}

static enum status load_image(struct space *space, const struct boot_file *file, uint64_t *entry)
{
	static struct elf_image image;
	struct elf_problem problem = {0};
	const uint8_t *bytes = kernel_map_device(file->base_physical, file->size_bytes, DEVICE_WRITE_BACK, false);
	enum status status = bytes != NULL ? elf_parse(bytes, file->size_bytes, &image, &problem) : ERR_NO_MEMORY;

	if (status != OK) {
		log_error("E606 bulkhead/%s: %s (%lu); copy the file from the same release again", MANAGER_PATH,
			  problem.what != NULL ? problem.what : "cannot be mapped", problem.number);
		return status;
	}
	for (unsigned i = 0; status == OK && i < image.segment_count; i++) {
		const struct elf_segment *s = &image.segments[i];
		unsigned rights = RIGHT_READ | (s->writable ? RIGHT_WRITE : 0) | (s->executable ? RIGHT_EXECUTE : 0);

		status = map_copy(space, s->virtual_address, s->memory_bytes, bytes + s->file_offset, s->file_bytes, rights);
	}
	*entry = image.entry;
	return status;
}

/* struct host_info, the file list, command line and framebuffer, one behind the other. */
static enum status make_host_info(const struct boot_info *boot, struct memory **out)
{
	const char *command_line = (const char *)(uintptr_t)boot->command_line_virtual;
	uint64_t files_bytes = file_count(boot) * sizeof(struct boot_file);
	uint64_t command_line_bytes = strlen(command_line) + 1;
	struct host_info info = {
		.magic = HOST_INFO_MAGIC,
		.version = 1,
		.memory_bytes = chunks_total_bytes(),
		.rsdp_physical = boot->rsdp_physical,
		.cpu_count = percpu_count,
		.cpu_failed_count = report_failed_count(),
		.file_count = file_count(boot),
		.framebuffer_offset = sizeof(info),
		.files_offset = sizeof(info) + sizeof(struct boot_framebuffer),
		.command_line_offset = (uint32_t)(sizeof(info) + sizeof(struct boot_framebuffer) + files_bytes),
		.vmx_usable = hypervisor_usable(),
		.loader = boot->loader,
	};
	enum status status;

	info.size_bytes = (uint32_t)(info.command_line_offset + command_line_bytes);
	status = create_filled(info.size_bytes, out);
	if (status == OK)
		status = fill(*out, 0, &info, sizeof(info));
	if (status == OK)
		status = fill(*out, info.framebuffer_offset, &boot->framebuffer, sizeof(boot->framebuffer));
	if (status == OK)
		status = fill(*out, info.files_offset, files_of(boot), files_bytes);
	if (status == OK)
		status = fill(*out, info.command_line_offset, command_line, command_line_bytes);
	return status;
}

static enum status give_file(struct space *space, const struct boot_file *file, handle_t at)
{
	uint64_t len_bytes = (file->size_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
	struct memory *memory;
	enum status status;

	if (file->state != BOOT_FILE_LOADED)
		return OK;
	status = memory_wrap(root_pool, file->base_physical, len_bytes, MEMORY_KIND_BOOT_FILE, &memory);
	if (status != OK)
		return status;
	return handle_add_at(space, memory_object(memory), RIGHT_READ, at) != HANDLE_NONE ? OK : ERR_NO_SPACE;
}

static enum status give_handles(struct space *space, const struct boot_info *boot)
{
	struct memory *host_info = NULL;
	enum status status = make_host_info(boot, &host_info);

	if (status == OK)
		status = map_all(space, host_info, HOST_INFO_FIXED, RIGHT_READ);
	if (status != OK)
		return status;
	object_get(space_object(space));
	object_get(pool_object(root_pool));
	if (handle_add_at(space, space_object(space), RIGHT_ALL, MANAGER_HANDLE_SPACE) == HANDLE_NONE ||
	    handle_add_at(space, pool_object(root_pool), RIGHT_ALL, MANAGER_HANDLE_POOL) == HANDLE_NONE ||
	    handle_add_at(space, &host_object, RIGHT_ALL, MANAGER_HANDLE_HOST) == HANDLE_NONE ||
	    handle_add_at(space, &ports_object, RIGHT_ALL, MANAGER_HANDLE_PORTS) == HANDLE_NONE ||
	    handle_add_at(space, memory_object(host_info), RIGHT_READ, MANAGER_HANDLE_HOST_INFO) == HANDLE_NONE)
		return ERR_NO_SPACE;
	if (boot->file_count > FILES_MAX)
		log_warn("bulkhead/ holds %u files; only the first %u are used", boot->file_count, file_count(boot));
	for (uint32_t i = 0; status == OK && i < file_count(boot); i++)
		status = give_file(space, &files_of(boot)[i], MANAGER_HANDLE_FIRST_FILE + i);
	return status;
}

static const struct boot_file *find_manager(const struct boot_info *boot)
{
	for (uint32_t i = 0; i < boot->file_count; i++) {
		const struct boot_file *file = &files_of(boot)[i];

		if (strcmp(file->path, MANAGER_PATH) == 0 && file->state == BOOT_FILE_LOADED)
			return file;
	}
	log_error("E607 bulkhead/%s is missing on the boot volume; copy the folder bulkhead/system from the release again",
		  MANAGER_PATH);
	return NULL;
}

enum status first_program_start(const struct boot_info *boot)
{
	struct thread_config config = {.stack_top = MANAGER_STACK_TOP, .name = "manager"};
	const struct boot_file *file = find_manager(boot);
	struct thread *thread;
	struct space *space;
	enum status status;

	if (file == NULL)
		return ERR_NOT_FOUND;
	status = space_create(root_pool, NULL, &space);
	if (status == OK)
		status = load_image(space, file, &config.entry);
	if (status == OK)
		status = map_copy(space, MANAGER_STACK_TOP - MANAGER_STACK_BYTES, MANAGER_STACK_BYTES, NULL, 0,
				  RIGHT_READ | RIGHT_WRITE);
	if (status == OK)
		status = give_handles(space, boot);
	if (status == OK)
		status = thread_create(root_pool, space, &config, percpus[0], &thread);
	if (status == OK)
		space_add_thread(space, thread);
	return status;
}
