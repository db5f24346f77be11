/* Regions: memory objects and events. The manager never maps one. */
#include "manager/regions.h"

#include <stddef.h>

#include "user/calls.h"

#define TABLE_PER_BYTES 512ULL /* EPT of 4 KiB pages: 8 bytes for 4096 */
#define OWN_BYTES       0x18000ULL /* a table of each level that is begun, and the device's thread */

uint64_t regions_memory_bytes(const struct manifest *manifest)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < manifest->region_count; i++)
		bytes += manifest->regions[i].size_bytes;
	return bytes;
}

uint64_t regions_pool_bytes(const struct manifest_vm *vm)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < vm->share_count; i++)
		bytes += vm->shares[i].size_bytes / TABLE_PER_BYTES + OWN_BYTES;
	return bytes;
}

static enum status make(struct region_entry *entry, const struct manifest_region *wanted)
{
	enum status status = OK;

	for (uint32_t peer = 0; peer < wanted->peer_count && status == OK; peer++)
		status = sys_event_create(MANAGER_HANDLE_POOL, &entry->events[peer]);
	return status == OK ? memory_create_filled(MANAGER_HANDLE_POOL, wanted->size_bytes, &entry->memory) : status;
}

void regions_make(struct regions *regions, const struct manifest *manifest)
{
	regions->manifest = manifest;
	for (uint32_t i = 0; i < manifest->region_count; i++) {
		if (make(&regions->entries[i], &manifest->regions[i]) != OK)
			regions->entries[i].memory = HANDLE_NONE; /* regions_give() says so */
	}
}

static enum status give(const struct region_entry *entry, const struct manifest_region *region,
			const struct manifest_shared *shared, handle_t space, struct vmm_region *spec)
{
	enum status status;

	*spec = (struct vmm_region){
		.size_bytes = region->size_bytes,
		.rights = shared->access == MANIFEST_ACCESS_READ_ONLY ? RIGHT_READ : RIGHT_READ | RIGHT_WRITE,
		.own_id = shared->own_id,
		.vector_count = shared->vector_count,
		.peer_count = region->peer_count,
	};
	if (entry->memory == HANDLE_NONE)
		return ERR_NO_MEMORY;
	status = sys_handle_grant(space, entry->memory, spec->rights, UINT64_MAX, &spec->memory);
	if (status == OK)
		status = sys_handle_grant(space, entry->events[shared->own_id], RIGHT_WAIT, UINT64_MAX, &spec->event);
	for (uint32_t peer = 0; peer < region->peer_count && status == OK; peer++)
		status = sys_handle_grant(space, entry->events[peer], RIGHT_SIGNAL, (1ULL << region->peer_vectors[peer]) - 1,
					  &spec->peers[peer]);
	return status;
}

enum status regions_give(const struct regions *regions, const struct manifest_vm *vm, handle_t space, struct vmm_spec *spec)
{
	enum status status = OK;

	for (uint32_t i = 0; i < vm->share_count && status == OK; i++) {
		uint32_t index = vm->shares[i].region_index;

		status = give(&regions->entries[index], &regions->manifest->regions[index], &vm->shares[i], space,
			      &spec->regions[i]);
	}
	if (status == OK)
		spec->region_count = vm->share_count;
	return status;
}
