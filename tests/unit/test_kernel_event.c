/* kernel/event.c and object.c: bits, waiting, waking, badges, reference counts. */
#include "tests/unit/unit.h"

#include "kernel/chunks.h"
#include "kernel/cpu_insn.h"
#include "kernel/event.h"
#include "kernel/pool.h"
#include "kernel/thread.h"
#include "tests/fake/kernel_panic.h"
#include "tests/fake/kernel_pc.h"
#include "tests/fake/kernel_threads.h"

static struct event *event;
static struct thread self;
static unsigned sleeps;

static void boot(void)
{
	fake_pc_boot_simple(64 * FAKE_MIB);
	assert_int_equal(event_create(root_pool, &event), OK);
	fake_current_thread = &self;
}

static void body_bits_gather_and_clear(void)
{
	uint64_t bits = 0;

	boot();
	event_signal(event, 1);
	event_signal(event, 4);
	event_signal(event, 4);
	assert_int_equal(fake_wakes, 0);
	assert_int_equal(event_wait(event, UINT64_MAX, &bits), OK);
	assert_int_equal(bits, 5);
	assert_int_equal(event_wait(event, 0, &bits), ERR_TIMED_OUT);
	assert_int_equal(bits, 5);
	event_signal(event, 2);
	assert_int_equal(fake_wakes, 0); /* who timed out waits no more */
}

static void signal_at_third_sleep(void)
{
	if (++sleeps == 3)
		event_signal(event, 8);
}

static void body_spurious_wakes(void)
{
	uint64_t bits = 0;

	boot();
	fake_while_blocked = signal_at_third_sleep;
	assert_int_equal(event_wait(event, UINT64_MAX, &bits), OK);
	assert_int_equal(bits, 8);
	assert_int_equal(sleeps, 3);
	assert_int_equal(fake_wakes, 1);
}

static void kill_self(void)
{
	self.kill_pending = true;
}

static void body_killed_while_waiting(void)
{
	uint64_t bits = 0;

	boot();
	fake_while_blocked = kill_self;
	assert_int_equal(event_wait(event, UINT64_MAX, &bits), ERR_DEAD);
	event_signal(event, 1);
	assert_int_equal(fake_wakes, 0);
}

static void second_thread_waits(void)
{
	static struct thread second;
	uint64_t bits = 0;

	fake_while_blocked = NULL;
	fake_current_thread = &second;
	assert_int_equal(event_wait(event, 0, &bits), ERR_TIMED_OUT);
	fake_current_thread = &self;
	event_signal(event, 16);
}

static void body_two_waiters(void)
{
	uint64_t bits = 0;

	boot();
	fake_while_blocked = second_thread_waits;
	assert_int_equal(event_wait(event, UINT64_MAX, &bits), OK);
	assert_int_equal(bits, 16);
	assert_int_equal(fake_wakes, 1);
}

/* A signal looks at every waiter: there are never more than WAITERS_MAX. */
static struct thread crowd[WAITERS_MAX + 1];
static struct event *crowded;
static unsigned arrived;

static void next_waits(void)
{
	uint64_t bits;

	arrived++;
	fake_current_thread = &crowd[arrived];
	if (arrived < WAITERS_MAX) {
		(void)!event_wait(crowded, UINT64_MAX, &bits);
	} else {
		assert_int_equal(event_wait(crowded, UINT64_MAX, &bits), ERR_BUSY);
		event_signal(crowded, 1);
		assert_int_equal(fake_wakes, WAITERS_MAX);
		for (unsigned i = 0; i < WAITERS_MAX; i++)
			crowd[i].kill_pending = true;
	}
	arrived--;
	fake_current_thread = &crowd[arrived];
}

static void body_waiters_are_bounded(void)
{
	uint64_t bits;

	fake_pc_boot_simple(64 * FAKE_MIB);
	assert_int_equal(event_create(root_pool, &crowded), OK);
	fake_current_thread = &crowd[0];
	fake_while_blocked = next_waits;
	(void)!event_wait(crowded, UINT64_MAX, &bits);
	fake_while_blocked = NULL;
	event_signal(crowded, 2);
	assert_int_equal(fake_wakes, WAITERS_MAX); /* nobody waits any more */
	object_put(event_object(crowded));
}

static void body_event_bits(void)
{
	assert_int_equal(event_bits(UINT64_MAX, UINT64_MAX), UINT64_MAX >> 1);
	assert_int_equal(event_bits(0xff, 0x0f), 0x0f);
	assert_int_equal(event_bits(1ULL << 63, UINT64_MAX), 0);
}

static unsigned released;

static bool count_release(struct object *object)
{
	assert_int_equal(atomic_load(&object->references), 0);
	released++;
	return true;
}

static void body_object(void)
{
	struct object object;

	object_init(&object, OBJECT_VM, count_release);
	object_get(&object);
	assert_true(object_get_unless_dying(&object));
	object_put(&object);
	object_put(&object);
	assert_int_equal(released, 0);
	object_put(&object);
	assert_int_equal(released, 1);
	assert_false(object_get_unless_dying(&object));
	assert_panics(object_get(&object));
	object_init(&object, OBJECT_HOST, NULL);
	object_put(&object);
	assert_int_equal(released, 1);
}

#define PC_TEST(name)                                    \
	static void test_kernel_event_##name(void **state) \
	{                                                \
		(void)state;                             \
		fake_pc_run(body_##name);                \
	}
PC_TEST(bits_gather_and_clear)
PC_TEST(spurious_wakes)
PC_TEST(killed_while_waiting)
PC_TEST(two_waiters)
PC_TEST(waiters_are_bounded)
PC_TEST(event_bits)
PC_TEST(object)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_event_bits_gather_and_clear),
		cmocka_unit_test(test_kernel_event_spurious_wakes),
		cmocka_unit_test(test_kernel_event_killed_while_waiting),
		cmocka_unit_test(test_kernel_event_two_waiters),
		cmocka_unit_test(test_kernel_event_waiters_are_bounded),
		cmocka_unit_test(test_kernel_event_event_bits),
		cmocka_unit_test(test_kernel_event_object),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
