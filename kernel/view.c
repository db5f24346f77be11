/* Making and freeing views; what they map is the business of space.c and of virt/. */
#include "kernel/view.h"

#include <stddef.h>

#include "kernel/memory_internal.h"
#include "kernel/pool.h"

enum status view_create(struct memory *memory, const struct space *space, struct pool *pool, struct view **out)
{
	struct view *view = pool_alloc(pool, sizeof(*view));

	if (view == NULL)
		return ERR_NO_MEMORY;
	object_get(memory_object(memory));
	object_get(pool_object(pool));
	view->memory = memory;
	view->space = space;
	view->pool = pool;
	memory_add_view(memory, view);
	*out = view;
	return OK;
}

void view_destroy(struct view *view)
{
	struct pool *pool = view->pool;

	memory_remove_view(view->memory, view);
	object_put(memory_object(view->memory));
	pool_free(pool, view, sizeof(*view));
	object_put(pool_object(pool));
}
