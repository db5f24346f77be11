/* The record of stolen time: where it may lie, how it is written, what of it decides anything. docs/paravirtual.md. */
#include <stdlib.h>

#include "kernel/memory.h"
#include "kernel/pool.h"
#include "kernel/thread.h"
#include "tests/fake/hv.h"
#include "tests/unit/unit.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define FRAME_A 0x1234000ULL
#define FRAME_B 0x5678000ULL
#define HZ      2500000000ULL

static struct vcpu *vcpu;
static struct vm guest;
static struct thread thread;
static _Alignas(4096) uint8_t frames[2][4096];
static struct fake_memory { struct object object; enum memory_kind kind; uint64_t physical[2]; } memories[2];
static int references[2];
static bool is_open;
static uint64_t steal_ticks;
static struct steal_record *watched; /* looked at in the middle of a write */
uint64_t tsc_hz;

enum memory_kind memory_kind(const struct memory *memory)
{
	return ((const struct fake_memory *)memory)->kind;
}

struct object *memory_object(struct memory *memory)
{
	return &((struct fake_memory *)memory)->object;
}

enum status memory_run_at(struct memory *memory, uint64_t offset_bytes, struct memory_run *run)
{
	assert_int_equal(offset_bytes % 4096, 0);
	if (offset_bytes >= 2 * 4096)
		return ERR_OUT_OF_RANGE;
	*run = (struct memory_run){.physical = ((struct fake_memory *)memory)->physical[offset_bytes / 4096], .len_bytes = 4096};
	return OK;
}

void object_get(struct object *object)
{
	references[(struct fake_memory *)object - memories]++;
}

void object_put(struct object *object)
{
	references[(struct fake_memory *)object - memories]--;
}

void *frame_open(uint64_t physical)
{
	assert_false(is_open);
	is_open = true;
	assert_true(physical / 4096 == FRAME_A / 4096 || physical / 4096 == FRAME_B / 4096);
	return frames[physical / 4096 == FRAME_B / 4096];
}

void frame_close(void)
{
	assert_true(is_open);
	is_open = false;
}

uint64_t thread_steal_ticks(const struct thread *which)
{
	assert_ptr_equal(which, &thread);
	if (watched != NULL)
		assert_int_equal(watched->version % 2, 1);
	return steal_ticks;
}

static int setup(void **state)
{
	(void)state;
	vcpu = aligned_alloc(64, (sizeof(*vcpu) + 63) / 64 * 64);
	memset(vcpu, 0, sizeof(*vcpu));
	guest.map.lock = SPINLOCK(RANK_GUEST_MAP);
	vcpu->vm = &guest;
	memset(frames, 0xee, sizeof(frames));
	for (unsigned i = 0; i < 2; i++)
		memories[i] = (struct fake_memory){.kind = MEMORY_KIND_RAM, .physical = {FRAME_A, FRAME_B}};
	memset(references, 0, sizeof(references));
	atomic_store(&vcpu->thread, &thread);
	atomic_store(&vcpu->place, VCPU_IN_LOOP);
	fake_hv_reset();
	tsc_hz = HZ;
	steal_ticks = 0;
	watched = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_false(is_open);
	free(vcpu);
	return 0;
}

static struct steal_record *record_at(unsigned frame, unsigned offset_bytes)
{
	return (struct steal_record *)(void *)&frames[frame][offset_bytes];
}

/* A record in the first memory's second frame. */
static struct steal_record *placed(void)
{
	assert_int_equal(steal_time_place(vcpu, (struct memory *)&memories[0], 4096 + 0x40), OK);
	return record_at(1, 0x40);
}

static void test_steal_time_msr_values(void **state)
{
	static const struct { uint64_t value; bool is_valid, asks; } cases[] = {
		{0, true, false},     {1, true, true},      {0x1041, true, true}, {0xfffc0, true, false},
		{0x1003, false, false}, {0x1005, false, false}, {0x1009, false, false}, {0x1011, false, false},
		{0x1021, false, false}, {0x20, false, false}, {UINT64_MAX & ~0x3eULL, true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		vcpu->steal.is_asked_for = false;
		vcpu->steal.msr = 7;
		atomic_store(&vcpu->pending, 0);
		assert_int_equal(steal_time_write_msr(vcpu, cases[i].value), cases[i].is_valid);
		assert_true(vcpu->steal.msr == (cases[i].is_valid ? cases[i].value : 7));
		assert_int_equal(vcpu->steal.is_asked_for, cases[i].asks);
		assert_int_equal(atomic_load(&vcpu->pending) != 0, cases[i].asks);
	}
}

/* Who moves or ends the record finds the old place untouched from then on. */
static void test_steal_time_msr_write_lets_go_of_the_record(void **state)
{
	struct steal_record *record = placed();
	struct steal_record before;

	(void)state;
	assert_true(steal_time_write_msr(vcpu, 0));
	assert_int_equal(references[0], 0);
	memcpy(&before, record, sizeof(before));
	steal_ticks = HZ;
	steal_time_depart(vcpu);
	steal_time_arrive(vcpu);
	assert_memory_equal(record, &before, sizeof(before));
	record = placed();
	assert_false(steal_time_write_msr(vcpu, 2)); /* #GP changes nothing */
	assert_int_equal(references[0], 1);
}

static void test_steal_time_place_checks(void **state)
{
	struct memory *memory = (struct memory *)&memories[0];

	(void)state;
	assert_int_equal(steal_time_place(vcpu, memory, 0x20), ERR_MISALIGNED);
	assert_int_equal(steal_time_place(vcpu, memory, 0x41), ERR_MISALIGNED);
	assert_int_equal(steal_time_place(vcpu, memory, 2 * 4096), ERR_OUT_OF_RANGE);
	assert_int_equal(steal_time_place(vcpu, memory, UINT64_MAX & ~0x3fULL), ERR_OUT_OF_RANGE);
	for (unsigned kind = MEMORY_KIND_DEVICE; kind <= MEMORY_KIND_BOOT_FILE; kind++) {
		memories[0].kind = kind;
		assert_int_equal(steal_time_place(vcpu, memory, 0), ERR_UNSUPPORTED);
	}
	assert_int_equal(references[0], 0);
	assert_null(vcpu->steal.memory);
}

static void test_steal_time_holds_one_reference(void **state)
{
	(void)state;
	(void)placed();
	(void)placed();
	assert_int_equal(references[0], 1);
	assert_int_equal(steal_time_place(vcpu, (struct memory *)&memories[1], 0), OK);
	assert_int_equal(references[0], 0);
	assert_int_equal(references[1], 1);
	assert_int_equal(steal_time_place(vcpu, NULL, 0), OK);
	assert_int_equal(references[1], 0);
	(void)placed();
	vcpu->steal.msr = 1;
	vcpu->steal.is_asked_for = true;
	steal_time_reset(vcpu);
	assert_int_equal(references[0], 0);
	assert_int_equal(vcpu->steal.msr, 0);
	assert_false(vcpu->steal.is_asked_for);
}

static void test_steal_time_record_is_written_whole_and_nothing_else(void **state)
{
	struct steal_record *record = placed();

	(void)state;
	assert_int_equal(record->version, 2);
	assert_int_equal(record->steal_ns, 0);
	assert_int_equal(record->flags, 0);
	assert_int_equal(record->preempted, 0);
	for (size_t i = 0; i < sizeof(record->reserved); i++)
		assert_int_equal(record->reserved[i], 0xee);
	assert_int_equal(frames[1][0x3f], 0xee);
	assert_int_equal(frames[1][0x80], 0xee);
	assert_int_equal(frames[0][0x40], 0xee);
}

static void test_steal_time_version_is_odd_while_it_is_written(void **state)
{
	struct steal_record *record = placed();

	(void)state;
	watched = record;
	steal_time_arrive(vcpu);
	assert_int_equal(record->version, 4);
	record->version = 77; /* the guest's business: it decides nothing here */
	steal_time_arrive(vcpu);
	assert_int_equal(record->version, 6);
}

static void test_steal_time_counts_in_nanoseconds(void **state)
{
	static const struct { uint64_t hz, ticks, ns; } cases[] = {
		{HZ, HZ, 1000000000},          {HZ, 5, 2}, {HZ, HZ * 3 / 2, 1500000000},
		{HZ, HZ * 86400 * 365 * 100 + 5, 86400ULL * 365 * 100 * 1000000000 + 2},
		{5200000000, 5199999999ULL + 5200000000, 1999999999}, {200000000, 199999999, 999999995},
	};
	struct steal_record *record = placed();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tsc_hz = cases[i].hz;
		steal_ticks = cases[i].ticks;
		steal_time_arrive(vcpu);
		assert_true(record->steal_ns == cases[i].ns);
	}
	atomic_store(&vcpu->thread, NULL);
	steal_time_arrive(vcpu);
	assert_int_equal(record->steal_ns, 0);
}

static void test_steal_time_preempted_only_where_a_flush_can_wait(void **state)
{
	struct steal_record *record = placed();

	(void)state;
	atomic_store(&vcpu->place, VCPU_BLOCKED); /* HLT: wants no CPU */
	steal_time_depart(vcpu);
	assert_int_equal(record->preempted, 0);
	atomic_store(&vcpu->place, VCPU_OUTSIDE); /* its VMM works with what it knows of the guest's page tables */
	steal_time_depart(vcpu);
	assert_int_equal(record->preempted, 0);
	atomic_store(&vcpu->place, VCPU_IN_LOOP);
	steal_time_depart(vcpu);
	assert_int_equal(record->preempted, STEAL_PREEMPTED);
	assert_int_equal(record->version, 2);
	steal_time_arrive(vcpu);
	assert_int_equal(record->preempted, 0);
}

static void test_steal_time_flush_is_done_once_when_asked_for(void **state)
{
	struct steal_record *record = placed();

	(void)state;
	fake_hv.linear_flushes = 0;
	steal_time_depart(vcpu);
	steal_time_arrive(vcpu);
	assert_int_equal(fake_hv.linear_flushes, 0);
	steal_time_depart(vcpu);
	record->preempted |= STEAL_FLUSH;
	steal_time_arrive(vcpu);
	assert_int_equal(fake_hv.linear_flushes, 1);
	assert_int_equal(record->preempted, 0);
	steal_time_arrive(vcpu);
	assert_int_equal(fake_hv.linear_flushes, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_steal_time_msr_values),
		TEST(test_steal_time_msr_write_lets_go_of_the_record),
		TEST(test_steal_time_place_checks),
		TEST(test_steal_time_holds_one_reference),
		TEST(test_steal_time_record_is_written_whole_and_nothing_else),
		TEST(test_steal_time_version_is_odd_while_it_is_written),
		TEST(test_steal_time_counts_in_nanoseconds),
		TEST(test_steal_time_preempted_only_where_a_flush_can_wait),
		TEST(test_steal_time_flush_is_done_once_when_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
