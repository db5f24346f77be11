/* Handle tables: pages of entries, made when first needed. */
#include "kernel/handle_table.h"

#include <stddef.h>

#include "kernel/pool.h"

/* The entry of a number, NULL: out of range or its page does not exist. Lock held. */
static struct handle_entry *entry_at(struct handle_table *table, uint64_t handle)
{
	if (handle >= HANDLES_MAX || table->pages[handle / HANDLES_PER_PAGE] == NULL)
		return NULL;
	return &table->pages[handle / HANDLES_PER_PAGE][handle % HANDLES_PER_PAGE];
}

enum status handle_table_add(struct handle_table *table, struct pool *pool, const struct handle_entry *entry, handle_t first,
			     handle_t *out)
{
	enum status status;

	spinlock_acquire(&table->lock);
	status = table->closed ? ERR_DEAD : ERR_NO_SPACE;
	for (handle_t handle = first; !table->closed && handle < HANDLES_MAX; handle++) {
		struct handle_entry **page = &table->pages[handle / HANDLES_PER_PAGE];
		struct handle_entry *slot;

		if (*page == NULL)
			*page = pool_page_alloc(pool);
		slot = entry_at(table, handle);
		if (slot == NULL) {
			status = ERR_NO_MEMORY;
			break;
		}
		if (slot->object == NULL) {
			*slot = *entry;
			*out = handle;
			status = OK;
			break;
		}
	}
	spinlock_release(&table->lock);
	return status;
}

enum status handle_table_get(struct handle_table *table, uint64_t handle, struct handle_entry *out)
{
	const struct handle_entry *slot;
	enum status status = ERR_BAD_HANDLE;

	spinlock_acquire(&table->lock);
	slot = entry_at(table, handle);
	if (slot != NULL && slot->object != NULL) {
		*out = *slot;
		object_get(slot->object);
		status = OK;
	}
	spinlock_release(&table->lock);
	return status;
}

enum status handle_table_take(struct handle_table *table, uint64_t handle, struct object **out)
{
	struct handle_entry *slot;
	enum status status = ERR_BAD_HANDLE;

	spinlock_acquire(&table->lock);
	slot = entry_at(table, handle);
	if (slot != NULL && slot->object != NULL) {
		*out = slot->object;
		*slot = (struct handle_entry){0};
		status = OK;
	}
	spinlock_release(&table->lock);
	return status;
}

void handle_table_close(struct handle_table *table, struct pool *pool)
{
	struct handle_entry *pages[HANDLE_PAGES];

	/* Detached under the lock: other programs may be granting handles to this one at this moment. */
	spinlock_acquire(&table->lock);
	table->closed = true;
	for (unsigned i = 0; i < HANDLE_PAGES; i++) {
		pages[i] = table->pages[i];
		table->pages[i] = NULL;
	}
	spinlock_release(&table->lock);
	for (unsigned i = 0; i < HANDLE_PAGES; i++) {
		for (unsigned j = 0; pages[i] != NULL && j < HANDLES_PER_PAGE; j++) {
			if (pages[i][j].object != NULL)
				object_put(pages[i][j].object);
		}
		if (pages[i] != NULL)
			pool_page_free(pool, pages[i]);
	}
}
