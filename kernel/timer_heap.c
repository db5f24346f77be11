/* The heap of timers: pure, so that the host tests it. Deadlines in it are less than 2^63 apart, and may wrap. Fredman and
 * others, "The Pairing Heap: A New Form of Self-Adjusting Heap". */
#include "kernel/timer_heap.h"

#include <stddef.h>

static struct timer *meld(struct timer *a, struct timer *b)
{
	if (a == NULL)
		return b;
	if (b == NULL)
		return a;
	if ((int64_t)(b->deadline_tsc - a->deadline_tsc) < 0) {
		struct timer *swap = a;

		a = b;
		b = swap;
	}
	b->parent = a;
	b->sibling = a->child;
	a->child = b;
	return a;
}

/* Melds a list of siblings in pairs, then the pairs: amortised O(log n). */
static struct timer *meld_siblings(struct timer *first)
{
	struct timer *pairs = NULL;
	struct timer *result = NULL;

	while (first != NULL) {
		struct timer *a = first;
		struct timer *b = a->sibling;

		first = b != NULL ? b->sibling : NULL;
		a->sibling = NULL;
		a->parent = NULL;
		if (b != NULL) {
			b->sibling = NULL;
			b->parent = NULL;
		}
		a = meld(a, b);
		a->sibling = pairs;
		pairs = a;
	}
	while (pairs != NULL) {
		struct timer *next = pairs->sibling;

		pairs->sibling = NULL;
		result = meld(result, pairs);
		pairs = next;
	}
	return result;
}

static void unlink_from_parent(struct timer *timer)
{
	struct timer **at = &timer->parent->child;

	while (*at != timer)
		at = &(*at)->sibling;
	*at = timer->sibling;
}

struct timer *timer_heap_insert(struct timer *root, struct timer *timer)
{
	timer->armed = true;
	return meld(root, timer);
}

struct timer *timer_heap_remove(struct timer *root, struct timer *timer)
{
	struct timer *below = meld_siblings(timer->child);

	if (root != timer) {
		unlink_from_parent(timer);
		below = meld(root, below);
	}
	timer->child = NULL;
	timer->sibling = NULL;
	timer->parent = NULL;
	timer->armed = false;
	return below;
}
