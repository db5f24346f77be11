/* System calls on pools, memory objects and address spaces: each hands its objects to the module. */
#include <stddef.h>

#include "abi/syscall.h"
#include "kernel/boot_state.h"
#include "kernel/event.h"
#include "kernel/hypervisor.h"
#include "kernel/memory_internal.h"
#include "kernel/pool.h"
#include "kernel/reaper.h"
#include "kernel/space_internal.h"
#include "kernel/syscall_table.h"
#include "kernel/thread.h"
#include "kernel/user_copy.h"

static struct space *self(void)
{
	return thread_current()->space;
}

/* What lacks memory may succeed as soon as what died is gone. was_behind: before the attempt, since another CPU may have freed the
 * last of it meanwhile. */
static enum status again_if_behind(enum status status, bool was_behind)
{
	return status == ERR_NO_MEMORY && was_behind ? ERR_AGAIN : status;
}

int64_t sys_handle_close(const struct syscall_arguments *a)
{
	return syscall_error(handle_close(self(), a->value[0]));
}

int64_t sys_handle_grant(const struct syscall_arguments *a)
{
	handle_t handle;
	enum status status = handle_grant(self(), a->value[1], space_from_object(a->object[0]), (unsigned)a->value[2], a->value[3],
					  &handle);

	return status == OK ? (int64_t)handle : syscall_error(status);
}

int64_t sys_pool_create(const struct syscall_arguments *a)
{
	bool was_behind = reaper_is_behind();
	struct pool *pool;
	enum status status = pool_create(pool_from_object(a->object[0]), a->value[1], a->value[2], &pool);

	status = again_if_behind(status, was_behind);
	return status == OK ? syscall_new_handle(pool_object(pool), RIGHT_ALL) : syscall_error(status);
}

int64_t sys_pool_info(const struct syscall_arguments *a)
{
	struct pool_info info;

	pool_describe(pool_from_object(a->object[0]), &info);
	return syscall_error(copy_to_user(a->value[1], &info, sizeof(info)));
}

int64_t sys_memory_create(const struct syscall_arguments *a)
{
	struct memory *memory;
	enum status status = memory_create(pool_from_object(a->object[0]), &memory);

	return status == OK ? syscall_new_handle(memory_object(memory), RIGHT_ALL) : syscall_error(status);
}

int64_t sys_memory_grow(const struct syscall_arguments *a)
{
	bool was_behind = reaper_is_behind();
	uint64_t size_bytes = 0;
	enum status status = memory_grow(memory_from_object(a->object[0]), a->value[1], &size_bytes);

	status = again_if_behind(status, was_behind);
	return status == OK ? (int64_t)size_bytes : syscall_error(status);
}

static enum memory_kind device_kind(uint64_t flags)
{
	return flags & MEMORY_CACHED	       ? MEMORY_KIND_BOOT_FILE
	       : flags & MEMORY_WRITE_COMBINING ? MEMORY_KIND_WRITE_COMBINING
						: MEMORY_KIND_DEVICE;
}

int64_t sys_memory_device(const struct syscall_arguments *a)
{
	struct memory *memory;
	enum status status;

	if ((a->value[2] | a->value[3]) % PAGE_SIZE_BYTES != 0)
		return syscall_error(ERR_MISALIGNED);
	if (!boot_state_is_device(a->value[2], a->value[3]))
		return syscall_error(ERR_OUT_OF_RANGE);
	status = memory_wrap(pool_from_object(a->object[1]), a->value[2], a->value[3], device_kind(a->value[4]), &memory);
	return status == OK ? syscall_new_handle(memory_object(memory), RIGHT_ALL & ~RIGHT_EXECUTE) : syscall_error(status);
}

/* The CPUs of a new program: those asked for (no mask, or none in it: all), as far as the caller may use them itself. */
static enum status read_cpus(uint64_t mask_user, uint64_t cpu_mask[CPUS_MAX / 64])
{
	uint64_t wanted[CPUS_MAX / 64] = {0};
	enum status status = mask_user != 0 ? copy_from_user(wanted, mask_user, sizeof(wanted)) : OK;
	bool any = false;

	for (unsigned i = 0; i < CPUS_MAX / 64; i++)
		any = any || wanted[i] != 0;
	for (unsigned i = 0; i < CPUS_MAX / 64; i++)
		cpu_mask[i] = (any ? wanted[i] : UINT64_MAX) & space_cpus(self())[i];
	return status;
}

int64_t sys_space_create(const struct syscall_arguments *a)
{
	struct object *vm = a->object[1], *event = a->object[2];
	uint64_t cpu_mask[CPUS_MAX / 64];
	struct space *space;
	enum status status = read_cpus(a->value[4], cpu_mask);

	if (status == OK)
		status = space_create(pool_from_object(a->object[0]), vm != NULL ? hypervisor_vm(vm) : NULL, &space);
	if (status != OK)
		return syscall_error(status);
	if (space_pool(self()) != root_pool) {
		status = space_adopt(self(), space);
		if (status != OK) {
			object_put(space_object(space));
			return syscall_error(status);
		}
	}
	space_set_cpus(space, cpu_mask);
	if (event != NULL) {
		object_get(event);
		space_set_end_event(space, event_from_object(event), event_bits(a->value[3], a->badge));
	}
	return syscall_new_handle(space_object(space), RIGHT_ALL);
}

int64_t sys_space_map(const struct syscall_arguments *a)
{
	uint64_t done = 0;
	enum status status = space_map(space_from_object(a->object[0]), memory_from_object(a->object[1]), a->value[2], a->value[3],
				       a->value[4], (unsigned)a->value[5], &done);

	return status == OK ? (int64_t)done : syscall_error(status);
}

int64_t sys_space_unmap(const struct syscall_arguments *a)
{
	uint64_t done = 0;
	enum status status = space_unmap(space_from_object(a->object[0]), a->value[1], &done);

	return status == OK ? (int64_t)done : syscall_error(status);
}
