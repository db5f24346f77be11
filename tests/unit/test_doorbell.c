/* virt/doorbell.c: which OUT rings, that a removed doorbell is silent, and how long events are held. */
#include "tests/unit/unit.h"

#include "abi/syscall.h"
#include "kernel/event.h"
#include "kernel/hypervisor.h"
#include "tests/fake/kernel_spinlock.h"
#include "virt/doorbell.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

struct event {
	struct object object;
	uint64_t bits;
};

static struct event events[2];
static struct vm vm;
static unsigned rounds; /* of vcpus_must_forget() */
static uint32_t references_in_round;
static bool rings_in_round;

struct event *event_from_object(struct object *object)
{
	return (struct event *)(void *)object;
}

struct object *event_object(struct event *event)
{
	return &event->object;
}

uint64_t event_bits(uint64_t bits, uint64_t badge)
{
	return bits & badge & ~(1ULL << 63);
}

void event_signal(struct event *event, uint64_t bits)
{
	assert_true(event->object.references > 1); /* the table's may go meanwhile: it has one of its own */
	assert_int_equal(fake_lock_ranks, 0);
	event->bits |= bits;
}

void vcpus_must_forget(struct vm *which)
{
	assert_ptr_equal(which, &vm);
	rounds++;
	references_in_round = events[0].object.references;
	rings_in_round = doorbells_may_have(&vm.doorbells, 0xc000);
}

static bool release(struct object *object)
{
	object->kind = OBJECT_NONE;
	return true;
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(events, 0, sizeof(events));
	rounds = 0;
	object_init(&events[0].object, OBJECT_EVENT, release);
	object_init(&events[1].object, OBJECT_EVENT, release);
	doorbells_init(&vm.doorbells);
	return 0;
}

static int64_t call(struct event *event, uint64_t first, uint64_t count, uint64_t bit, uint64_t badge)
{
	const uint64_t value[6] = {1, event != NULL ? 2 : HANDLE_NONE, first, count, bit};
	const struct syscall_arguments arguments = {
		.value = value, .object = {&vm.object, event != NULL ? &event->object : NULL}, .badge = badge};

	return sys_vm_doorbell(&arguments);
}

static bool out(uint32_t port)
{
	return doorbells_may_have(&vm.doorbells, (uint16_t)port) && doorbells_ring(&vm.doorbells, (uint16_t)port);
}

static void test_each_step_of_ports_has_its_bit(void **state)
{
	(void)state;
	assert_int_equal(call(&events[0], 0xc000, 12, 5, BADGE_ALL), 0);
	for (uint32_t port = 0; port <= 0xffff; port++) {
		bool is_bell = port == 0xc000 || port == 0xc004 || port == 0xc008;

		events[0].bits = 0;
		assert_int_equal(out(port), is_bell);
		assert_true(events[0].bits == (is_bell ? 1ULL << (5 + (port - 0xc000) / 4) : 0));
	}
	assert_int_equal(events[0].object.references, 2);
}

static void test_several_do_not_mix_up(void **state)
{
	(void)state;
	assert_int_equal(call(&events[0], 0xc004, 4, 0, BADGE_ALL), 0);
	assert_int_equal(call(&events[1], 0x0, 4, 1, BADGE_ALL), 0);
	assert_int_equal(call(&events[1], 0xfffc, 4, 2, BADGE_ALL), 0);
	assert_true(out(0xc004) && events[0].bits == 1 && events[1].bits == 0);
	assert_true(out(0) && events[1].bits == 2);
	assert_true(out(0xfffc) && events[1].bits == 6 && events[0].bits == 1);
	assert_false(out(0xffff) || out(4) || out(0xc000) || out(0xc008) || out(0xfffb));
}

static void test_a_removed_one_is_silent(void **state)
{
	(void)state;
	assert_int_equal(call(&events[0], 0xc000, 8, 0, BADGE_ALL), 0);
	assert_int_equal(call(NULL, 0xc004, 0, 0, BADGE_ALL), -ERR_NOT_FOUND);
	assert_int_equal(call(NULL, 0xc000, 0, 0, BADGE_ALL), 0);
	assert_int_equal(rounds, 1);
	assert_int_equal(references_in_round, 2); /* a vCPU may still be looking at it */
	assert_false(rings_in_round);             /* ... but none begins to */
	assert_int_equal(events[0].object.references, 1);
	assert_false(out(0xc000) || out(0xc004));
	assert_int_equal(events[0].bits, 0);
	assert_int_equal(call(NULL, 0xc000, 0, 0, BADGE_ALL), -ERR_NOT_FOUND);
	assert_int_equal(call(&events[1], 0xc000, 8, 3, BADGE_ALL), 0);
	assert_true(out(0xc000) && events[1].bits == 8 && events[0].bits == 0);
}

static void test_the_last_reference_may_be_the_doorbells(void **state)
{
	(void)state;
	assert_int_equal(call(&events[0], 0xc000, 4, 0, BADGE_ALL), 0);
	object_put(&events[0].object);
	assert_true(out(0xc000));
	assert_int_equal(events[0].object.kind, OBJECT_EVENT);
	assert_int_equal(call(NULL, 0xc000, 0, 0, BADGE_ALL), 0);
	assert_int_equal(events[0].object.kind, OBJECT_NONE);
	assert_int_equal(call(&events[1], 0xc000, 4, 0, BADGE_ALL), 0);
	doorbells_destroy(&vm.doorbells);
	assert_int_equal(events[1].object.references, 1);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		uint64_t first, count, bit, badge;
		enum status status;
	} bad[] = {
		{0xc000, 0, 0, BADGE_ALL, ERR_MISALIGNED},
		{0xc000, 3, 0, BADGE_ALL, ERR_MISALIGNED},
		{0xc000, 4, 63, BADGE_ALL, ERR_OUT_OF_RANGE},
		{0xc000, 8, 62, BADGE_ALL, ERR_OUT_OF_RANGE},
		{0xc000, 256, 0, BADGE_ALL, ERR_OUT_OF_RANGE},
		{0xc000, UINT64_MAX - 3, 0, BADGE_ALL, ERR_OUT_OF_RANGE},
		{0xc000, 4, UINT64_MAX, BADGE_ALL, ERR_OUT_OF_RANGE},
		{0xc000, 4, 256, BADGE_ALL, ERR_OUT_OF_RANGE},
		{0xfffd, 4, 0, BADGE_ALL, ERR_OUT_OF_RANGE},
		{0x10000, 4, 0, BADGE_ALL, ERR_OUT_OF_RANGE},
		{UINT64_MAX, 4, 0, BADGE_ALL, ERR_OUT_OF_RANGE},
		{0xc000, 8, 4, 0x10, ERR_DENIED},
		{0xc000, 4, 4, 0x20, ERR_DENIED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(call(&events[0], bad[i].first, bad[i].count, bad[i].bit, bad[i].badge), -(int64_t)bad[i].status);
		assert_int_equal(events[0].object.references, 1);
	}
	assert_int_equal(call(NULL, 0x1c000, 0, 0, BADGE_ALL), -ERR_OUT_OF_RANGE);
	assert_int_equal(call(&events[0], 0xc000, 8, 4, 0x30), 0);
	assert_int_equal(call(&events[0], 0xff04, 252, 0, BADGE_ALL), 0);
	assert_int_equal(call(&events[1], 0xc004, 4, 0, BADGE_ALL), -ERR_EXISTS);
	assert_int_equal(call(&events[1], 0xbffd, 4, 0, BADGE_ALL), -ERR_EXISTS);
	assert_int_equal(call(&events[1], 0xbffc, 4, 0, BADGE_ALL), 0);
}

static void test_there_is_room_for_32(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < VM_DOORBELLS_MAX; i++)
		assert_int_equal(call(&events[0], 0xc000 + 8 * i, 4, i, BADGE_ALL), 0);
	assert_int_equal(call(&events[1], 0x1000, 4, 0, BADGE_ALL), -ERR_NO_SPACE);
	assert_int_equal(call(NULL, 0xc008, 0, 0, BADGE_ALL), 0);
	assert_int_equal(call(&events[1], 0x1000, 4, 0, BADGE_ALL), 0);
	assert_true(out(0x1000) && out(0xc000) && out(0xc0f8) && !out(0xc008));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_each_step_of_ports_has_its_bit, setup),
		cmocka_unit_test_setup(test_several_do_not_mix_up, setup),
		cmocka_unit_test_setup(test_a_removed_one_is_silent, setup),
		cmocka_unit_test_setup(test_the_last_reference_may_be_the_doorbells, setup),
		cmocka_unit_test_setup(test_what_is_refused, setup),
		cmocka_unit_test_setup(test_there_is_room_for_32, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
