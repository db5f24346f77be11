/* A reaper that works at once: object_put() frees all that hangs on the object before it returns, portion by portion. */
#include "tests/fake/kernel_reaper.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernel/object.h"
#include "kernel/reaper.h"

unsigned fake_reaper_portions;
static struct object *dead;
static bool working;

void reaper_add(struct object *object)
{
	object->next_dead = dead;
	dead = object;
	if (working)
		return;
	working = true;
	while (dead != NULL) {
		struct object *first = dead;

		dead = first->next_dead;
		do {
			fake_reaper_portions++;
		} while (!first->release(first));
	}
	working = false;
}

void reaper_thread_ends(void)
{
}

void reaper_thread_ended(void)
{
}
