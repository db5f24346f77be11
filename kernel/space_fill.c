/* Pages that are in a view but not in the page tables: their piece was taken out of the memory object (MEMORY_DISCARD), and comes
 * back when it is touched. */
#include <stddef.h>

#include "abi/layout.h"
#include "kernel/memory.h"
#include "kernel/page_table.h"
#include "kernel/shootdown.h"
#include "kernel/space_internal.h"
#include "kernel/space_struct.h"
#include "kernel/view.h"

/* Clears what maps address; returns how far that reached. */
static uint64_t hide_step(struct space *space, uint64_t address)
{
	uint64_t *entry = page_table_entry(space->pml4, address, 2, NULL, 0);

	if (entry == NULL || *entry == 0)
		return PAGE_2M_BYTES - address % PAGE_2M_BYTES;
	if ((*entry & PTE_LARGE) != 0) {
		*entry = 0;
		return PAGE_2M_BYTES - address % PAGE_2M_BYTES;
	}
	entry = page_table_entry(space->pml4, address, 1, NULL, 0);
	if (entry != NULL)
		*entry = 0;
	return PAGE_SIZE_BYTES;
}

void space_hide_piece(struct space *space, const struct memory *memory, uint64_t offset_bytes)
{
	spinlock_acquire(&space->lock);
	for (const struct view *view = space->views; view != NULL; view = view->next_of_place) {
		uint64_t first = offset_bytes > view->offset_bytes ? offset_bytes : view->offset_bytes;
		uint64_t end = offset_bytes + PAGE_2M_BYTES;

		if (view->memory != memory)
			continue;
		end = end < view->offset_bytes + view->len_bytes ? end : view->offset_bytes + view->len_bytes;
		while (first < end)
			first += hide_step(space, view->address + (first - view->offset_bytes));
	}
	shootdown_space(space->cr3);
	spinlock_release(&space->lock);
}

static const struct view *view_of(const struct space *space, uint64_t address)
{
	const struct view *view = space->views;

	while (view != NULL && (address < view->address || address - view->address >= view->len_bytes))
		view = view->next_of_place;
	return view;
}

static bool is_mapped(struct space *space, uint64_t address)
{
	const uint64_t *entry = page_table_entry(space->pml4, address, 2, NULL, 0);

	if (entry != NULL && (*entry & PTE_LARGE) == 0)
		entry = page_table_entry(space->pml4, address, 1, NULL, 0);
	return entry != NULL && (*entry & PTE_PRESENT) != 0;
}

/* The whole piece by one entry if it can be, else the page. Lock held. */
static enum status map_again(struct space *space, const struct view *view, uint64_t address)
{
	uint64_t offset = view->offset_bytes + (address - view->address);
	uint64_t in_piece = offset % PAGE_2M_BYTES;
	bool is_whole = address % PAGE_2M_BYTES == in_piece && address - view->address >= in_piece &&
			view->len_bytes - (address - view->address) >= PAGE_2M_BYTES - in_piece;
	enum status status;

	if (is_whole && space_map_piece(space, view->memory, address - in_piece, offset - in_piece, PAGE_2M_BYTES, view->rights,
					&status) == PAGE_2M_BYTES)
		return OK;
	/* Another thread was faster, or a table of single pages is there. */
	(void)space_map_piece(space, view->memory, address, offset, PAGE_SIZE_BYTES, view->rights, &status);
	return status;
}

/* True: the thread may try again. It left again meanwhile: then the next fault fills it. */
static bool map_filled(struct space *space, const struct memory *memory, uint64_t address)
{
	const struct view *view;
	bool may_try_again;

	spinlock_acquire(&space->lock);
	view = view_of(space, address);
	may_try_again = view != NULL && view->memory == memory && map_again(space, view, address) == ERR_NOT_FOUND;
	may_try_again |= view != NULL && is_mapped(space, address);
	spinlock_release(&space->lock);
	return may_try_again;
}

bool space_fill(struct space *space, uint64_t address)
{
	struct memory *memory = NULL;
	const struct view *view;
	uint64_t offset_bytes = 0;
	enum status status;
	bool may_try_again;

	address &= ~(PAGE_SIZE_BYTES - 1);
	spinlock_acquire(&space->lock);
	view = view_of(space, address);
	if (view != NULL) {
		memory = view->memory;
		offset_bytes = view->offset_bytes + (address - view->address);
		object_get(memory_object(memory));
	}
	spinlock_release(&space->lock);
	if (memory == NULL)
		return false;
	status = memory_fill_piece(memory, offset_bytes);
	/* Busy: another CPU fills it, and the thread tries again until it has. */
	may_try_again = status == ERR_BUSY || (status == OK && map_filled(space, memory, address));
	object_put(memory_object(memory));
	return may_try_again;
}
