/* Interrupt lines that several threads move at once arrive in their last state. */
#include <pthread.h>

#include "drivers/virt/irq_relay.h"
#include "tests/unit/unit.h"

#define ROUNDS 20000

static struct irq_relay relay;
static char calls[64];
static pthread_mutex_t controllers = PTHREAD_MUTEX_INITIALIZER;
static bool levels[IRQ_RELAY_INPUTS];

static void note(void *ctx, unsigned number, bool level)
{
	size_t at = strlen(calls);

	(void)ctx;
	if (at + 2 < sizeof(calls)) {
		calls[at] = (char)('a' + number);
		calls[at + 1] = level ? '1' : '0';
	}
}

static void expect_drained(const char *expected)
{
	memset(calls, 0, sizeof(calls));
	irq_relay_drain(&relay, note, NULL);
	assert_string_equal(calls, expected);
	assert_false(irq_relay_has_changes(&relay));
}

static void set(unsigned number, bool level)
{
	struct irq_line line = irq_relay_line(&relay, number);

	line.set(line.ctx, level);
}

static void test_irq_relay_keeps_edges_and_last_level(void **state)
{
	(void)state;
	irq_relay_init(&relay);
	assert_false(irq_relay_has_changes(&relay));
	set(3, false);
	assert_false(irq_relay_has_changes(&relay));
	set(3, true);
	set(63, true);
	assert_true(irq_relay_has_changes(&relay));
	expect_drained("d0d1\xa0""0\xa0""1");
	set(3, false);
	set(3, true); /* back where it was, but an edge */
	expect_drained("d0d1");
	set(3, false);
	expect_drained("d0");
	set(3, true);
	set(3, false);
	set(3, true);
	set(3, false);
	expect_drained("d0d1d0");
	expect_drained("");
}

static void apply_level(void *ctx, unsigned number, bool level)
{
	(void)ctx;
	levels[number] = level;
}

/* One device each, one lock for the controllers: after both stop, the levels are the last ones set. */
static void *device_thread(void *ctx)
{
	unsigned number = *(const unsigned *)ctx;

	for (unsigned i = 0; i < ROUNDS; i++) {
		set(number, i % 3 != 0);
		pthread_mutex_lock(&controllers);
		irq_relay_drain(&relay, apply_level, NULL);
		pthread_mutex_unlock(&controllers);
	}
	return NULL;
}

static void test_irq_relay_ends_at_the_true_level(void **state)
{
	static const unsigned numbers[] = {1, 2};
	pthread_t threads[2];

	(void)state;
	irq_relay_init(&relay);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, device_thread, (void *)(uintptr_t)&numbers[i]), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(levels[1], (ROUNDS - 1) % 3 != 0);
	assert_int_equal(levels[2], (ROUNDS - 1) % 3 != 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_irq_relay_keeps_edges_and_last_level),
		cmocka_unit_test(test_irq_relay_ends_at_the_true_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
