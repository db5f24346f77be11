/* MEMORY_DISCARD: a piece of a guest's memory leaves every view of it, and comes back when it is touched. The order is what makes
 * it safe: the guest map's lock is held until the object has no memory there, so that no vCPU gets the old run again; then every
 * CPU forgets it; then it is freed. */
#include "abi/layout.h"
#include "kernel/hypervisor.h"
#include "kernel/memory_internal.h"
#include "kernel/pool.h"
#include "kernel/space.h"
#include "kernel/space_internal.h"
#include "kernel/thread.h"
#include "virt/guest_map.h"
#include "virt/hv.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define PLACES_FEW 4U /* that a piece is unmapped from, so that it is bounded */

/* The part of the range that shows the piece at offset_bytes; false: none. */
static bool part_of(const struct guest_range *range, const struct memory *memory, uint64_t offset_bytes, uint64_t *gpa,
		    uint64_t *len_bytes)
{
	uint64_t end = range->offset_bytes + range->len_bytes;
	uint64_t first = offset_bytes > range->offset_bytes ? offset_bytes : range->offset_bytes;
	uint64_t last = offset_bytes + PAGE_2M_BYTES < end ? offset_bytes + PAGE_2M_BYTES : end;

	if (range->memory != memory || range->len_bytes == 0 || first >= last)
		return false;
	*gpa = range->gpa + (first - range->offset_bytes);
	*len_bytes = last - first;
	return true;
}

/* Ring 0 writes to the record of a vCPU whenever it runs. Lock of the map held. */
static bool has_steal_record(struct vm *vm, const struct memory *memory, uint64_t offset_bytes)
{
	for (uint32_t i = 0; i < vm->vcpu_limit; i++) {
		const struct vcpu *vcpu = vm_vcpu(vm, i);

		if (vcpu != NULL && vcpu->steal.memory == memory &&
		    vcpu->steal.offset_bytes / PAGE_2M_BYTES == offset_bytes / PAGE_2M_BYTES)
			return true;
	}
	return false;
}

/* Lock of the map held. */
static bool is_seen_in_few_places(const struct vm *vm, const struct memory *memory, uint64_t offset_bytes)
{
	uint64_t gpa, len_bytes;
	unsigned count = 0;

	for (unsigned i = 0; i < GUEST_RANGES_MAX; i++)
		count += part_of(&vm->map.ranges[i], memory, offset_bytes, &gpa, &len_bytes) ? 1 : 0;
	return count <= PLACES_FEW;
}

/* Lock of the map held. */
static enum status unmap_piece(struct vm *vm, const struct memory *memory, uint64_t offset_bytes)
{
	for (unsigned i = 0; i < GUEST_RANGES_MAX; i++) {
		uint64_t gpa, len_bytes, done_bytes = 0;

		if (!part_of(&vm->map.ranges[i], memory, offset_bytes, &gpa, &len_bytes))
			continue;
		hv->unmap(vm, gpa, len_bytes, &done_bytes);
		if (done_bytes < len_bytes)
			return ERR_NO_MEMORY; /* a larger page could not be split; what is gone is filled again when touched */
	}
	return OK;
}

/* Before anything is unmapped and any CPU is disturbed. What another pool pays for is no memory of this VM alone: other VMs may be
 * about to map it, or have records in it that only they know of. Lock of the map held. */
static enum status may_discard(struct vm *vm, const struct space *space, struct memory *memory, uint64_t offset_bytes)
{
	if (memory_pool(memory) != vm->pool || has_steal_record(vm, memory, offset_bytes) ||
	    !is_seen_in_few_places(vm, memory, offset_bytes))
		return ERR_BUSY;
	return memory_may_take_piece(memory, offset_bytes, space, vm);
}

static enum status discard(struct vm *vm, struct space *space, struct memory *memory, uint64_t offset_bytes)
{
	uint64_t physical = 0;
	enum status status;

	spinlock_acquire(&vm->map.lock);
	status = may_discard(vm, space, memory, offset_bytes);
	if (status == OK) {
		vm->map.has_gaps = true;
		status = unmap_piece(vm, memory, offset_bytes);
		if (status == OK)
			status = memory_take_piece(memory, offset_bytes, space, vm, &physical);
		vcpus_must_forget(vm);
	}
	spinlock_release(&vm->map.lock);
	if (status != OK)
		return status;
	space_hide_piece(space, memory, offset_bytes);
	pool_frames_free(memory_pool(memory), physical, PAGE_2M_BYTES / PAGE_SIZE_BYTES);
	return OK;
}

int64_t sys_memory_discard(const struct syscall_arguments *a)
{
	struct space *space = thread_current()->space;
	struct vm *vm = space_vm(space);
	enum status status = ERR_INVALID;

	if (vm != NULL && a->value[2] >= PAGE_2M_BYTES && a->value[1] % PAGE_2M_BYTES == 0)
		status = discard(vm, space, memory_from_object(a->object[0]), a->value[1]);
	return status == OK ? (int64_t)PAGE_2M_BYTES : syscall_error(status);
}

/* NULL: nothing of the VM's memory belongs there. Lock of the map held. */
static const struct guest_range *range_at(const struct guest_map *map, uint64_t gpa)
{
	for (unsigned i = 0; i < GUEST_RANGES_MAX; i++) {
		const struct guest_range *range = &map->ranges[i];

		if (range->len_bytes != 0 && gpa >= range->gpa && gpa - range->gpa < range->len_bytes)
			return range;
	}
	return NULL;
}

/* Up to len_bytes from first on, as far as one run goes. */
static enum status map_part(struct vm *vm, const struct guest_range *range, uint64_t first, uint64_t len_bytes)
{
	struct memory_run run;
	enum status status = memory_run_at(range->memory, range->offset_bytes + (first - range->gpa), &run);
	uint64_t done_bytes;

	if (status != OK)
		return status;
	return hv->map(vm, first, run.physical, len_bytes < run.len_bytes ? len_bytes : run.len_bytes, range->rights, &done_bytes);
}

/* Maps what the range shows of the piece; where some of that is there already, the page that was touched. Lock of the map held. */
static enum status map_piece(struct vm *vm, const struct guest_range *range, uint64_t gpa)
{
	uint64_t offset_bytes = (range->offset_bytes + (gpa - range->gpa)) & ~(PAGE_2M_BYTES - 1);
	uint64_t first, len_bytes;
	enum status status = ERR_NOT_FOUND;

	if (part_of(range, range->memory, offset_bytes, &first, &len_bytes))
		status = map_part(vm, range, first, len_bytes);
	if (status == ERR_EXISTS)
		status = map_part(vm, range, gpa & ~(PAGE_SIZE_BYTES - 1), PAGE_SIZE_BYTES);
	return status == ERR_EXISTS ? OK : status; /* another vCPU was faster */
}

/* Maps it, unless the piece left again meanwhile: then the next touch fills it. */
static enum status map_filled(struct vm *vm, const struct memory *memory, uint64_t gpa)
{
	const struct guest_range *range;
	enum status status = OK;

	spinlock_acquire(&vm->map.lock);
	range = range_at(&vm->map, gpa);
	if (range != NULL && range->memory == memory)
		status = map_piece(vm, range, gpa);
	spinlock_release(&vm->map.lock);
	return status == ERR_NOT_FOUND ? OK : status;
}

enum status guest_map_fill(struct vm *vm, uint64_t gpa)
{
	const struct guest_range *range;
	struct memory *memory = NULL;
	uint64_t offset_bytes = 0;
	enum status status;

	spinlock_acquire(&vm->map.lock);
	range = range_at(&vm->map, gpa);
	if (range != NULL) {
		memory = range->memory;
		offset_bytes = range->offset_bytes + (gpa - range->gpa);
		object_get(memory_object(memory));
	}
	spinlock_release(&vm->map.lock);
	if (memory == NULL)
		return ERR_NOT_FOUND;
	status = memory_fill_piece(memory, offset_bytes);
	if (status == OK)
		status = map_filled(vm, memory, gpa);
	object_put(memory_object(memory));
	return status == ERR_BUSY ? OK : status; /* another CPU fills it: the guest tries again until it has */
}
