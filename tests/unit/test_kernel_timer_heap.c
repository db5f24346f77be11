/* kernel/timer_heap.c: random operations beside a plain array. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "kernel/timer_heap.h"

#define TIMERS 500U

static struct timer timers[TIMERS];

static uint64_t least_armed(void)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < TIMERS; i++) {
		if (timers[i].armed && timers[i].deadline_tsc < least)
			least = timers[i].deadline_tsc;
	}
	return least;
}

static void test_timer_heap_random_operations(void **state)
{
	struct timer *root = NULL;
	unsigned armed = 0;

	(void)state;
	srandom(7);
	for (unsigned step = 0; step < 100000; step++) {
		struct timer *timer = &timers[(unsigned)random() % TIMERS];

		if (timer->armed) {
			root = timer_heap_remove(root, timer);
			assert_true(!timer->armed && timer->child == NULL && timer->sibling == NULL && timer->parent == NULL);
			armed--;
		} else {
			timer->deadline_tsc = step % 3 == 0 ? (uint64_t)random() % 10 : (uint64_t)random();
			root = timer_heap_insert(root, timer);
			armed++;
		}
		assert_true((root == NULL) == (armed == 0));
		if (root != NULL) {
			assert_true(root->parent == NULL && root->sibling == NULL && root->armed);
			assert_int_equal(root->deadline_tsc, least_armed());
		}
	}
	for (uint64_t last = 0; root != NULL; armed--) {
		assert_true(root->deadline_tsc >= last);
		last = root->deadline_tsc;
		root = timer_heap_remove(root, root);
	}
	assert_int_equal(armed, 0);
}

static void test_timer_heap_rising_and_falling(void **state)
{
	struct timer *root = NULL;

	(void)state;
	for (unsigned i = 0; i < TIMERS; i++) {
		timers[i].deadline_tsc = i % 2 == 0 ? i : UINT64_MAX - i;
		root = timer_heap_insert(root, &timers[i]);
	}
	for (unsigned i = 0; i < TIMERS; i += 2)
		root = timer_heap_remove(root, &timers[i]);
	for (unsigned i = TIMERS - 1; i < TIMERS; i -= 2) {
		assert_ptr_equal(root, &timers[i]);
		root = timer_heap_remove(root, root);
	}
	assert_null(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timer_heap_random_operations),
		cmocka_unit_test(test_timer_heap_rising_and_falling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
