/* Maps the manager, which the loader has loaded, and gives it its handles. */
#include "kernel/first_program.h"

#include <stddef.h>

#include "abi/boot_info.h"
#include "abi/syscall.h"
#include "kernel/chunks.h"
#include "kernel/config.h"
#include "kernel/hypervisor.h"
#include "kernel/memory_internal.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/smp.h"
#include "kernel/space_internal.h"
#include "kernel/thread_internal.h"

_Static_assert(MANAGER_HANDLE_FIRST_FILE + BOOT_FILES_MAX <= HANDLES_MAX, "a handle for each boot file");

static struct object host_object = {.references = 1, .kind = OBJECT_HOST};
static struct object ports_object = {.references = 1, .kind = OBJECT_PORTS};

/* Maps [physical, + length_bytes) region by region, one behind the other: space_map() checks alignment, rights, bounds, and that
 * no two meet. The views keep the memory alive. */
static enum status map_regions(struct space *space, uint64_t physical, uint64_t length_bytes, const struct boot_region *regions,
			       uint32_t count)
{
	uint64_t offset = 0;
	struct memory *memory;
	enum status status = memory_wrap(root_pool, physical, length_bytes, MEMORY_KIND_BOOT_FILE, &memory);

	for (uint32_t i = 0; status == OK && i < count; i++) {
		const struct boot_region *region = &regions[i];

		for (uint64_t at = 0, done = 0; status == OK && at < region->length_bytes; at += done)
			status = space_map(space, memory, region->virtual_address + at, offset + at, region->length_bytes - at,
					   region->rights, &done);
		offset += region->length_bytes;
	}
	if (status == OK)
		object_put(memory_object(memory));
	return status;
}

static enum status map_program(struct space *space, const struct boot_program *program)
{
	if (program->physical % PAGE_SIZE_BYTES != 0 || program->region_count > BOOT_REGIONS_MAX)
		return ERR_BAD_FORMAT;
	return map_regions(space, program->physical, program->length_bytes, program->regions, program->region_count);
}

/* Completes what the loader wrote and shows it to the program. */
static enum status map_host_info(struct space *space, const struct boot_info *boot)
{
	struct host_info *info = (struct host_info *)(uintptr_t)boot->host_info_virtual;
	const struct boot_region region = {
		.virtual_address = HOST_INFO_FIXED,
		.length_bytes = (info->size_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1),
		.rights = RIGHT_READ,
	};

	info->memory_bytes = chunks_total_bytes();
	info->cpu_count = percpu_count;
	info->cpu_failed_count = smp_failed_count;
	info->vmx_usable = hypervisor_usable();
	return map_regions(space, direct_physical(info), region.length_bytes, &region, 1);
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
	const struct boot_file *files = (const struct boot_file *)(uintptr_t)boot->files_virtual;
	enum status status = OK;

	object_get(space_object(space));
	object_get(pool_object(root_pool));
	if (handle_add_at(space, space_object(space), RIGHT_ALL, MANAGER_HANDLE_SPACE) == HANDLE_NONE ||
	    handle_add_at(space, pool_object(root_pool), RIGHT_ALL, MANAGER_HANDLE_POOL) == HANDLE_NONE ||
	    handle_add_at(space, &host_object, RIGHT_ALL, MANAGER_HANDLE_HOST) == HANDLE_NONE ||
	    handle_add_at(space, &ports_object, RIGHT_ALL, MANAGER_HANDLE_PORTS) == HANDLE_NONE)
		return ERR_NO_SPACE;
	for (uint32_t i = 0; status == OK && i < boot->file_count; i++)
		status = give_file(space, &files[i], MANAGER_HANDLE_FIRST_FILE + i);
	return status;
}

enum status first_program_start(const struct boot_info *boot)
{
	struct thread_config config = {.entry = boot->program.entry, .stack_top = boot->program.stack_top, .name = "manager"};
	struct thread *thread;
	struct space *space;
	enum status status = space_create(root_pool, NULL, &space);

	if (status == OK)
		status = map_program(space, &boot->program);
	if (status == OK)
		status = map_host_info(space, boot);
	if (status == OK)
		status = give_handles(space, boot);
	if (status == OK)
		status = thread_create(root_pool, space, &config, percpus[0], &thread);
	return status == OK ? space_add_thread(space, thread) : status;
}
