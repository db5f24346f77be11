/* Calls that make progress, repeated until all is done. Each repetition does at least a page or fails, so that loops end. */
#include "user/calls.h"

enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *memory)
{
	handle_t created;
	uint64_t reached = 0;
	enum status status = sys_memory_create(pool, &created);

	if (status != OK)
		return status;
	while (status == OK && reached < len_bytes)
		status = sys_memory_grow(created, len_bytes, &reached);
	if (status == OK)
		*memory = created;
	else
		sys_handle_close(created);
	return status;
}

enum status space_map_all(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes,
			  uint32_t rights)
{
	uint64_t all = 0;

	while (all < len_bytes) {
		uint64_t now = 0;
		enum status status =
			sys_space_map(space, memory, address + all, offset + all, len_bytes - all, rights, &now);

		if (status != OK)
			return status;
		if (now == 0)
			return ERR_AGAIN; /* never: a call that succeeds does at least a page */
		all += now;
	}
	return OK;
}

enum status space_unmap_all(handle_t space, uint64_t address)
{
	uint64_t now = 1;
	enum status status = OK;

	while (status == OK && now > 0)
		status = sys_space_unmap(space, address, &now);
	return status == ERR_NOT_FOUND ? OK : status;
}

enum status vm_map_all(handle_t vm, uint64_t gpa, handle_t memory, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	uint64_t all = 0;

	while (all < len_bytes) {
		uint64_t now = 0;
		enum status status = sys_vm_map(vm, gpa + all, memory, offset + all, len_bytes - all, rights, &now);

		if (status != OK)
			return status;
		if (now == 0)
			return ERR_AGAIN; /* never, as above */
		all += now;
	}
	return OK;
}

enum status vm_unmap_all(handle_t vm, uint64_t gpa, uint64_t len_bytes)
{
	uint64_t all = 0;

	while (all < len_bytes) {
		uint64_t now = 0;
		enum status status = sys_vm_unmap(vm, gpa + all, len_bytes - all, &now);

		if (status != OK)
			return status;
		if (now == 0)
			return OK; /* nothing is mapped there any more */
		all += now;
	}
	return OK;
}
