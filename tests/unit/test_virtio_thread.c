/* vmm/virtio_thread.c: what a device's thread serves, in which turns, and until when it waits. */
#include "tests/unit/unit.h"

#include "user/calls.h"
#include "vmm/machine.h"

#define BIT(n)  (1ULL << (n))
#define BACKEND BIT(VIRTIO_EVENT_BACKEND)
#define TSC_HZ  1000000000ULL
#define START   5000ULL

static struct machine machine;
static struct virtio_slot *slot;
static jmp_buf end;
/* What each wait answers; bits 0: the deadline passes. */
static uint64_t waits[8], deadlines[8];
static unsigned wait_count, waits_done;
static char turns[64]; /* "0", "1", ... a queue; "b" the back end */
static unsigned more_turns; /* how many turns say that there is more */
static unsigned drains;
static bool has_changes;
static uint64_t next_due_ns;

enum status sys_event_wait(handle_t event, uint64_t deadline_tsc, uint64_t *bits)
{
	assert_int_equal(event, slot->event);
	assert_false(atomic_load(&slot->lock.held));
	deadlines[waits_done] = deadline_tsc;
	if (waits_done == wait_count)
		longjmp(end, 1);
	*bits = waits[waits_done++];
	return *bits != 0 ? OK : ERR_TIMED_OUT;
}

void sys_thread_yield(void)
{
}

static bool note_turn(char name)
{
	assert_true(atomic_load(&slot->lock.held));
	turns[strlen(turns)] = name;
	if (more_turns == 0)
		return false;
	more_turns--;
	return true;
}

bool virtio_serve(struct virtio *device, unsigned queue)
{
	assert_ptr_equal(device, &slot->device);
	return note_turn((char)('0' + queue));
}

bool virtio_serve_backend(struct virtio *device)
{
	assert_ptr_equal(device, &slot->device);
	assert_int_equal(slot->due_ns, NO_EVENT_NS);
	slot->due_ns = next_due_ns;
	return note_turn('b');
}

bool irq_relay_has_changes(struct irq_relay *relay)
{
	assert_ptr_equal(relay, &machine.relay);
	return has_changes;
}

void machine_drain_lines(struct machine *drained)
{
	assert_ptr_equal(drained, &machine);
	assert_false(atomic_load(&slot->lock.held));
	drains++;
}

static int setup(void **state)
{
	(void)state;
	memset(&machine, 0, sizeof(machine));
	memset(turns, 0, sizeof(turns));
	machine.tsc_hz = TSC_HZ;
	machine.start_tsc = START;
	slot = &machine.virtio.slots[1];
	slot->machine = &machine;
	slot->event = 7;
	slot->due_ns = NO_EVENT_NS;
	slot->device.config.queue_count = 3;
	waits_done = more_turns = drains = 0;
	has_changes = false;
	next_due_ns = NO_EVENT_NS;
	return 0;
}

static void run(const uint64_t *answers, unsigned count)
{
	memcpy(waits, answers, count * sizeof(*answers));
	wait_count = count;
	if (setjmp(end) == 0)
		virtio_thread(slot);
	assert_int_equal(waits_done, count);
}

static void test_virtio_thread_serves_what_was_notified(void **state)
{
	const uint64_t answers[] = {BIT(1), BIT(0) | BIT(2) | BACKEND, BIT(3) | BIT(40)};

	(void)state;
	run(answers, 3);
	assert_string_equal(turns, "102b");
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(deadlines[i], DEADLINE_NEVER);
}

/* Queues with much to do take turns with each other and with what comes meanwhile. */
static void test_virtio_thread_takes_turns(void **state)
{
	const uint64_t answers[] = {BIT(0) | BIT(1), BIT(2), 0};

	(void)state;
	more_turns = 3;
	run(answers, 3);
	/* 0 and 1 have more; then 0 again, which has more, 1, and 2, which came; then 0, for the last time. */
	assert_string_equal(turns, "010120");
	assert_int_equal(deadlines[0], DEADLINE_NEVER);
	assert_int_equal(deadlines[1], 0);
	assert_int_equal(deadlines[2], 0);
	assert_int_equal(deadlines[3], DEADLINE_NEVER);
}

static void test_virtio_thread_serves_the_back_end_when_it_is_due(void **state)
{
	const uint64_t answers[] = {BIT(0), 0, 0};

	(void)state;
	slot->due_ns = 1000;
	next_due_ns = 3000;
	run(answers, 3);
	assert_string_equal(turns, "0bb");
	assert_int_equal(deadlines[0], START + 1000 + 1);
	assert_int_equal(deadlines[1], START + 1000 + 1);
	assert_int_equal(deadlines[2], START + 3000 + 1);
}

static void test_virtio_thread_carries_interrupts_after_each_turn(void **state)
{
	const uint64_t answers[] = {BIT(0) | BIT(1)};

	(void)state;
	has_changes = true;
	run(answers, 1);
	assert_int_equal(drains, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_thread_serves_what_was_notified, setup),
		cmocka_unit_test_setup(test_virtio_thread_takes_turns, setup),
		cmocka_unit_test_setup(test_virtio_thread_serves_the_back_end_when_it_is_due, setup),
		cmocka_unit_test_setup(test_virtio_thread_carries_interrupts_after_each_turn, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
