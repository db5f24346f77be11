/* Memory objects as lists of physically contiguous extents. RAM is zeroed when it is added, so nothing of a former owner
 * is seen. */
#include "kernel/memory.h"

#include <stddef.h>

#include "abi/layout.h"
#include "kernel/config.h"
#include "kernel/memory_internal.h"
#include "kernel/memory_struct.h"
#include "kernel/panic.h"
#include "kernel/pool.h"
#include "kernel/view.h"

struct memory *memory_from_object(struct object *object)
{
	ASSERT(object->kind == OBJECT_MEMORY);
	return (struct memory *)object;
}

struct object *memory_object(struct memory *memory)
{
	return &memory->object;
}

struct pool *memory_pool(const struct memory *memory)
{
	return memory->pool;
}

uint64_t memory_size_bytes(const struct memory *memory)
{
	return memory->size_bytes;
}

enum memory_kind memory_kind(const struct memory *memory)
{
	return memory->kind;
}

struct extent *memory_extent_at(struct memory *memory, uint64_t index)
{
	if (index == 0)
		return &memory->first;
	return &memory->more[(index - 1) / EXTENTS_PER_PAGE][(index - 1) % EXTENTS_PER_PAGE];
}

/* In the unit they were allocated in. */
static void free_run(struct memory *memory, struct extent *extent, uint64_t end)
{
	bool large = end % PAGE_2M_BYTES == 0 && extent->len_bytes >= PAGE_2M_BYTES && pool_frame_is_run(end - PAGE_2M_BYTES);
	uint64_t len_bytes = large ? PAGE_2M_BYTES : PAGE_SIZE_BYTES;

	pool_frames_free(memory->pool, end - len_bytes, len_bytes / PAGE_SIZE_BYTES);
	extent->len_bytes -= len_bytes;
}

/* Frees the last frames of an extent. */
static void free_last(struct memory *memory, struct extent *extent)
{
	uint64_t end = extent->physical + extent->len_bytes;

	if (memory_free_replaced(memory, extent->offset_bytes + extent->len_bytes)) {
		extent->len_bytes -= PAGE_2M_BYTES;
		return;
	}
	free_run(memory, extent, end);
}
static bool memory_release(struct object *object)
{
	struct memory *memory = memory_from_object(object);
	struct pool *pool = memory->pool;
	unsigned steps = 0;

	while (memory->kind == MEMORY_KIND_RAM && memory->extent_count > 0) {
		struct extent *last = memory_extent_at(memory, memory->extent_count - 1);

		if (steps++ == SYSCALL_PAGES_MAX)
			return false;
		free_last(memory, last);
		if (last->len_bytes == 0)
			memory->extent_count--;
	}
	for (uint64_t i = 0; memory->more != NULL && i < EXTENT_PAGES_MAX && memory->more[i] != NULL; i++)
		pool_page_free(pool, memory->more[i]);
	if (memory->more != NULL)
		pool_page_free(pool, memory->more);
	memory_free_pieces(memory);
	pool_free(pool, memory, sizeof(*memory));
	object_put(pool_object(pool));
	return true;
}

enum status memory_create(struct pool *pool, struct memory **out)
{
	struct memory *memory = pool_alloc(pool, sizeof(*memory));

	if (memory == NULL)
		return ERR_NO_MEMORY;
	object_init(&memory->object, OBJECT_MEMORY, memory_release);
	object_get(pool_object(pool));
	memory->pool = pool;
	memory->kind = MEMORY_KIND_RAM;
	memory->lock = SPINLOCK(RANK_MEMORY);
	*out = memory;
	return OK;
}

enum status memory_wrap(struct pool *pool, uint64_t physical, uint64_t len_bytes, enum memory_kind kind, struct memory **out)
{
	enum status status = memory_create(pool, out);

	if (status != OK)
		return status;
	(*out)->kind = kind;
	(*out)->size_bytes = len_bytes;
	(*out)->extent_count = len_bytes > 0 ? 1 : 0;
	(*out)->first = (struct extent){.physical = physical, .len_bytes = len_bytes};
	return OK;
}

/* Makes room for one more extent. Lock held. */
static enum status reserve_extent(struct memory *memory)
{
	uint64_t index = memory->extent_count;
	uint64_t page = index == 0 ? 0 : (index - 1) / EXTENTS_PER_PAGE;

	if (index == 0)
		return OK;
	if (page >= EXTENT_PAGES_MAX)
		return ERR_NO_SPACE;
	if (memory->more == NULL)
		memory->more = pool_page_alloc(memory->pool);
	if (memory->more != NULL && memory->more[page] == NULL)
		memory->more[page] = pool_page_alloc(memory->pool);
	return memory->more != NULL && memory->more[page] != NULL ? OK : ERR_NO_MEMORY;
}

/* Lock held; room is reserved. */
static void append(struct memory *memory, uint64_t physical, uint64_t len_bytes)
{
	struct extent *last = memory->extent_count > 0 ? memory_extent_at(memory, memory->extent_count - 1) : NULL;

	if (last != NULL && last->physical + last->len_bytes == physical)
		last->len_bytes += len_bytes;
	else
		*memory_extent_at(memory, memory->extent_count++) =
			(struct extent){.offset_bytes = memory->size_bytes, .physical = physical, .len_bytes = len_bytes};
	memory->size_bytes += len_bytes;
}

/* Adds one run: 2 MiB when the size stands at such a boundary and as much is wanted, else one page. Lock held. */
static enum status grow_once(struct memory *memory, uint64_t target_bytes)
{
	bool large = memory->size_bytes % PAGE_2M_BYTES == 0 && target_bytes - memory->size_bytes >= PAGE_2M_BYTES;
	uint64_t physical = 0;
	enum status status = reserve_extent(memory);

	if (status != OK)
		return status;
	if (large)
		physical = pool_frames_alloc(memory->pool, PAGE_2M_BYTES / PAGE_SIZE_BYTES);
	if (physical == 0) {
		large = false;
		physical = pool_frames_alloc(memory->pool, 1);
	}
	if (physical == 0)
		return ERR_NO_MEMORY;
	frames_zero(physical, large ? PAGE_2M_BYTES : PAGE_SIZE_BYTES);
	append(memory, physical, large ? PAGE_2M_BYTES : PAGE_SIZE_BYTES);
	return OK;
}

enum status memory_grow(struct memory *memory, uint64_t target_bytes, uint64_t *size_bytes)
{
	uint64_t start;
	enum status status = OK;

	if (memory->kind != MEMORY_KIND_RAM || target_bytes % PAGE_SIZE_BYTES != 0)
		return ERR_INVALID;
	spinlock_acquire(&memory->lock);
	start = memory->size_bytes;
	while (status == OK && memory->size_bytes < target_bytes &&
	       memory->size_bytes - start < SYSCALL_PAGES_MAX * PAGE_SIZE_BYTES)
		status = grow_once(memory, target_bytes);
	*size_bytes = memory->size_bytes;
	if (memory->size_bytes > start)
		status = OK;
	spinlock_release(&memory->lock);
	return status;
}

enum status memory_run_at(struct memory *memory, uint64_t offset_bytes, struct memory_run *run)
{
	enum status status = ERR_OUT_OF_RANGE;
	uint64_t low = 0, high;

	spinlock_acquire(&memory->lock);
	high = memory->extent_count;
	while (low < high) {
		uint64_t middle = (low + high) / 2;
		const struct extent *extent = memory_extent_at(memory, middle);

		if (offset_bytes < extent->offset_bytes) {
			high = middle;
		} else if (offset_bytes - extent->offset_bytes >= extent->len_bytes) {
			low = middle + 1;
		} else {
			run->physical = extent->physical + (offset_bytes - extent->offset_bytes);
			run->len_bytes = extent->len_bytes - (offset_bytes - extent->offset_bytes);
			status = memory_replace_run(memory, offset_bytes, run);
			break;
		}
	}
	spinlock_release(&memory->lock);
	return status;
}

void memory_add_view(struct memory *memory, struct view *view)
{
	spinlock_acquire(&memory->lock);
	view->next_of_memory = memory->views;
	if (memory->views != NULL)
		memory->views->previous_of_memory = view;
	memory->views = view;
	spinlock_release(&memory->lock);
}

void memory_remove_view(struct memory *memory, struct view *view)
{
	spinlock_acquire(&memory->lock);
	if (view->previous_of_memory != NULL)
		view->previous_of_memory->next_of_memory = view->next_of_memory;
	else
		memory->views = view->next_of_memory;
	if (view->next_of_memory != NULL)
		view->next_of_memory->previous_of_memory = view->previous_of_memory;
	spinlock_release(&memory->lock);
}
