/* The guest map. Ranges never overlap; each holds a reference to its memory object. */
#include "virt/guest_map.h"

#include <stddef.h>

#include "abi/layout.h"
#include "abi/syscall.h"
#include "kernel/memory.h"
#include "kernel/shootdown.h"
#include "virt/hv.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define GPA_END (UINT64_C(1) << 46)

void guest_map_init(struct guest_map *map)
{
	map->lock = SPINLOCK(RANK_GUEST_MAP);
}

void guest_map_destroy(struct guest_map *map)
{
	for (unsigned i = 0; i < GUEST_RANGES_MAX; i++) {
		if (map->ranges[i].len_bytes != 0)
			object_put(memory_object(map->ranges[i].memory));
		map->ranges[i].len_bytes = 0;
	}
}

static enum status check(uint64_t gpa, const struct memory *memory, uint64_t offset_bytes, uint64_t len_bytes, unsigned rights)
{
	const unsigned known = RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE;
	uint64_t size = memory_size_bytes(memory);

	if ((gpa | offset_bytes | len_bytes) % PAGE_SIZE_BYTES != 0)
		return ERR_MISALIGNED;
	/* A guest has it write-back, whatever its PAT says: machine checks, were it a device. */
	if (memory_kind(memory) != MEMORY_KIND_RAM)
		return ERR_UNSUPPORTED;
	if ((rights & ~known) != 0 || (rights & RIGHT_READ) == 0 || len_bytes == 0)
		return ERR_INVALID;
	if (gpa >= GPA_END || len_bytes > GPA_END - gpa || offset_bytes > size || len_bytes > size - offset_bytes)
		return ERR_OUT_OF_RANGE;
	return OK;
}

static bool overlaps(const struct guest_range *range, uint64_t gpa, uint64_t len_bytes)
{
	return range->len_bytes != 0 && (gpa < range->gpa ? range->gpa - gpa < len_bytes : gpa - range->gpa < range->len_bytes);
}

/* A range that this one continues, so that a map call in several parts stays one range; else a free place. */
static struct guest_range *place_for(struct guest_map *map, const struct guest_range *wanted, enum status *status)
{
	struct guest_range *found = NULL;

	*status = ERR_NO_SPACE;
	for (unsigned i = 0; i < GUEST_RANGES_MAX; i++) {
		struct guest_range *range = &map->ranges[i];

		if (overlaps(range, wanted->gpa, wanted->len_bytes)) {
			*status = ERR_EXISTS;
			return NULL;
		}
		if (range->len_bytes != 0 && range->memory == wanted->memory && range->rights == wanted->rights &&
		    range->gpa + range->len_bytes == wanted->gpa && range->offset_bytes + range->len_bytes == wanted->offset_bytes)
			found = range;
		else if (range->len_bytes == 0 && found == NULL)
			found = range;
	}
	return found;
}

static enum status map_run(struct vm *vm, const struct guest_range *wanted, uint64_t *done_bytes)
{
	struct memory_run run;
	enum status status = memory_run_at(wanted->memory, wanted->offset_bytes, &run);
	uint64_t len = wanted->len_bytes;

	if (status != OK)
		return status;
	if (run.len_bytes < len)
		len = run.len_bytes;
	return hv->map(vm, wanted->gpa, run.physical, len, wanted->rights, done_bytes);
}

enum status guest_map_add(struct vm *vm, uint64_t gpa, struct memory *memory, uint64_t offset_bytes, uint64_t len_bytes,
			  unsigned rights, uint64_t *done_bytes)
{
	const struct guest_range wanted = {.gpa = gpa, .len_bytes = len_bytes, .memory = memory, .offset_bytes = offset_bytes,
					   .rights = rights};
	enum status status = check(gpa, memory, offset_bytes, len_bytes, rights);
	struct guest_range *range;

	*done_bytes = 0;
	if (status != OK)
		return status;
	spinlock_acquire(&vm->map.lock);
	range = place_for(&vm->map, &wanted, &status);
	if (range != NULL)
		memory_note_guest(memory, vm);
	if (range != NULL)
		status = map_run(vm, &wanted, done_bytes);
	if (range != NULL && *done_bytes != 0) {
		if (range->len_bytes == 0) {
			*range = wanted;
			range->len_bytes = 0;
			object_get(memory_object(memory));
		}
		range->len_bytes += *done_bytes;
		status = OK;
	}
	spinlock_release(&vm->map.lock);
	return status;
}

enum status guest_map_remove(struct vm *vm, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes)
{
	struct memory *released = NULL;
	enum status status = ERR_NOT_FOUND;

	*done_bytes = 0;
	if ((gpa | len_bytes) % PAGE_SIZE_BYTES != 0)
		return ERR_MISALIGNED;
	spinlock_acquire(&vm->map.lock);
	for (unsigned i = 0; i < GUEST_RANGES_MAX; i++) {
		struct guest_range *range = &vm->map.ranges[i];

		if (range->len_bytes == 0 || range->gpa != gpa || range->len_bytes > len_bytes)
			continue;
		hv->unmap(vm, gpa, range->len_bytes, done_bytes);
		vcpus_must_forget(vm);
		range->gpa += *done_bytes;
		range->offset_bytes += *done_bytes;
		range->len_bytes -= *done_bytes;
		if (range->len_bytes == 0)
			released = range->memory;
		status = OK;
		break;
	}
	spinlock_release(&vm->map.lock);
	if (released != NULL)
		object_put(memory_object(released)); /* frees only after the shootdown */
	return status;
}
