/* System calls on pools, memory objects and address spaces: find the objects, call the module, drop the references. */
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

/* Gives an object's only reference to a new handle of the caller; on failure the object goes. */
static int64_t new_handle(struct object *object, unsigned rights)
{
	handle_t handle;
	enum status status = handle_add(self(), object, rights, UINT64_MAX, &handle);

	if (status != OK) {
		object_put(object);
		return syscall_error(status);
	}
	return handle;
}

/* What lacks memory may succeed as soon as what died is gone. */
static enum status again_if_behind(enum status status)
{
	return status == ERR_NO_MEMORY && reaper_is_behind() ? ERR_AGAIN : status;
}

int64_t sys_handle_close(const struct syscall_arguments *a)
{
	return syscall_error(handle_close(self(), a->value[0]));
}

int64_t sys_handle_grant(const struct syscall_arguments *a)
{
	struct object *to;
	handle_t handle;
	enum status status = handle_find(self(), a->value[0], OBJECT_SPACE, RIGHT_MANAGE, &to);

	if (status != OK)
		return syscall_error(status);
	status = handle_grant(self(), a->value[1], space_from_object(to), (unsigned)a->value[2], a->value[3], &handle);
	object_put(to);
	return status == OK ? (int64_t)handle : syscall_error(status);
}

int64_t sys_pool_create(const struct syscall_arguments *a)
{
	struct object *parent;
	struct pool *pool;
	enum status status = handle_find(self(), a->value[0], OBJECT_POOL, RIGHT_MANAGE, &parent);

	if (status != OK)
		return syscall_error(status);
	status = again_if_behind(pool_create(pool_from_object(parent), a->value[1], a->value[2], &pool));
	object_put(parent);
	return status == OK ? new_handle(pool_object(pool), RIGHT_ALL) : syscall_error(status);
}

int64_t sys_pool_info(const struct syscall_arguments *a)
{
	struct object *object;
	struct pool_info info;
	enum status status = handle_find(self(), a->value[0], OBJECT_POOL, 0, &object);

	if (status != OK)
		return syscall_error(status);
	pool_describe(pool_from_object(object), &info);
	object_put(object);
	return syscall_error(copy_to_user(a->value[1], &info, sizeof(info)));
}

int64_t sys_memory_create(const struct syscall_arguments *a)
{
	struct object *pool;
	struct memory *memory;
	enum status status = handle_find(self(), a->value[0], OBJECT_POOL, RIGHT_MANAGE, &pool);

	if (status != OK)
		return syscall_error(status);
	status = memory_create(pool_from_object(pool), &memory);
	object_put(pool);
	return status == OK ? new_handle(memory_object(memory), RIGHT_ALL) : syscall_error(status);
}

int64_t sys_memory_grow(const struct syscall_arguments *a)
{
	struct object *object;
	uint64_t size_bytes = 0;
	enum status status = handle_find(self(), a->value[0], OBJECT_MEMORY, RIGHT_MANAGE, &object);

	if (status != OK)
		return syscall_error(status);
	status = again_if_behind(memory_grow(memory_from_object(object), a->value[1], &size_bytes));
	object_put(object);
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
	struct object *host, *pool;
	struct memory *memory;
	enum status status = handle_find(self(), a->value[0], OBJECT_HOST, RIGHT_MANAGE, &host);

	if (status != OK)
		return syscall_error(status);
	object_put(host);
	if ((a->value[2] | a->value[3]) % PAGE_SIZE_BYTES != 0)
		return syscall_error(ERR_MISALIGNED);
	if (!boot_state_is_device(a->value[2], a->value[3]))
		return syscall_error(ERR_OUT_OF_RANGE);
	status = handle_find(self(), a->value[1], OBJECT_POOL, RIGHT_MANAGE, &pool);
	if (status != OK)
		return syscall_error(status);
	status = memory_wrap(pool_from_object(pool), a->value[2], a->value[3], device_kind(a->value[4]), &memory);
	object_put(pool);
	return status == OK ? new_handle(memory_object(memory), RIGHT_ALL & ~RIGHT_EXECUTE) : syscall_error(status);
}

/* Finds the optional VM or event of a new space. */
static enum status find_optional(uint64_t handle, enum object_kind kind, unsigned rights, struct object **out, uint64_t *badge)
{
	*out = NULL;
	return handle == HANDLE_NONE ? OK : handle_find_badge(self(), handle, kind, rights, out, badge);
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
	struct object *pool, *vm = NULL, *event = NULL;
	struct space *space = NULL;
	uint64_t badge = 0, cpu_mask[CPUS_MAX / 64];
	enum status status = read_cpus(a->value[4], cpu_mask);

	if (status == OK)
		status = handle_find(self(), a->value[0], OBJECT_POOL, RIGHT_MANAGE, &pool);

	if (status != OK)
		return syscall_error(status);
	status = find_optional(a->value[1], OBJECT_VM, RIGHT_MANAGE, &vm, &badge);
	if (status == OK)
		status = find_optional(a->value[2], OBJECT_EVENT, RIGHT_SIGNAL, &event, &badge);
	if (status == OK)
		status = space_create(pool_from_object(pool), vm != NULL ? hypervisor_vm(vm) : NULL, &space);
	if (status == OK && space_pool(self()) != root_pool) {
		status = space_adopt(self(), space);
		if (status != OK)
			object_put(space_object(space));
	}
	if (status == OK)
		space_set_cpus(space, cpu_mask);
	if (status == OK && event != NULL)
		space_set_end_event(space, event_from_object(event), event_bits(a->value[3], badge));
	else if (event != NULL)
		object_put(event);
	if (vm != NULL)
		object_put(vm);
	object_put(pool);
	return status == OK ? new_handle(space_object(space), RIGHT_ALL) : syscall_error(status);
}

int64_t sys_space_map(const struct syscall_arguments *a)
{
	struct object *space, *memory;
	uint64_t done = 0;
	unsigned rights = (unsigned)a->value[5];
	enum status status = handle_find(self(), a->value[0], OBJECT_SPACE, RIGHT_MANAGE, &space);

	if (status != OK)
		return syscall_error(status);
	status = handle_find(self(), a->value[1], OBJECT_MEMORY, rights, &memory);
	if (status == OK) {
		status = space_map(space_from_object(space), memory_from_object(memory), a->value[2], a->value[3], a->value[4],
				   rights, &done);
		object_put(memory);
	}
	object_put(space);
	return status == OK ? (int64_t)done : syscall_error(status);
}

int64_t sys_space_unmap(const struct syscall_arguments *a)
{
	struct object *space;
	uint64_t done = 0;
	enum status status = handle_find(self(), a->value[0], OBJECT_SPACE, RIGHT_MANAGE, &space);

	if (status != OK)
		return syscall_error(status);
	status = space_unmap(space_from_object(space), a->value[1], &done);
	object_put(space);
	return status == OK ? (int64_t)done : syscall_error(status);
}
