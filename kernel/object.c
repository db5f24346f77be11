/* Reference counts. */
#include "kernel/object.h"

#include <stddef.h>

#include "kernel/panic.h"
#include "kernel/reaper.h"

void object_init(struct object *object, enum object_kind kind, bool (*release)(struct object *object))
{
	object->references = 1;
	object->kind = kind;
	object->release = release;
}

void object_get(struct object *object)
{
	uint32_t before = atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);

	ASSERT(before > 0 && before < UINT32_MAX / 2);
}

bool object_get_unless_dying(struct object *object)
{
	uint32_t count = object->references;

	while (count != 0) {
		if (atomic_compare_exchange_weak(&object->references, &count, count + 1))
			return true;
	}
	return false;
}

void object_put(struct object *object)
{
	if (atomic_fetch_sub_explicit(&object->references, 1, memory_order_acq_rel) != 1 || object->release == NULL)
		return;
	if (object->kind == OBJECT_EVENT || object->kind == OBJECT_IRQ || object->kind == OBJECT_VCPU)
		(void)object->release(object);
	else
		reaper_add(object);
}
