/* virt/discard.c: a piece leaves guest map and VMM before it is freed, or nothing happens; a touch brings it back. */
#include "tests/unit/unit.h"

#include "abi/layout.h"
#include "kernel/hypervisor.h"
#include "kernel/memory_internal.h"
#include "kernel/pool.h"
#include "kernel/space.h"
#include "kernel/space_internal.h"
#include "kernel/thread.h"
#include "tests/fake/hv.h"
#include "tests/fake/kernel_spinlock.h"
#include "virt/guest_map.h"
#include "virt/hv.h"
#include "virt/vcpu.h"
#include "virt/vm.h"

#define PIECE   PAGE_2M_BYTES
#define GPA     0x40000000ULL
#define RUN     0x80000000ULL
#define NEW_RUN 0xa0000000ULL

/* What happened, a letter each: u: unmapped, t: taken, f: CPUs forgot, h: hidden, r: run freed, m: mapped, n: new run. */
static char story[32];
static struct vm vm;
static struct vcpu vcpus[1];
static struct thread thread;
static struct object memory_of_test;
static enum status take_status, fill_status, map_status;
static uint64_t unmap_short_by, last_gpa, last_len;
static bool vm_is_there;
#define MEMORY ((struct memory *)(void *)&memory_of_test)

static void note(char letter)
{
	size_t used = strlen(story);

	assert_true(used < sizeof(story) - 1);
	story[used] = letter;
}

static void unmap(struct vm *of, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes)
{
	assert_ptr_equal(of, &vm);
	note('u');
	last_gpa = gpa;
	last_len = len_bytes;
	*done_bytes = len_bytes - unmap_short_by;
}

static enum status map(struct vm *of, uint64_t gpa, uint64_t hpa, uint64_t len_bytes, unsigned rights, uint64_t *done_bytes)
{
	assert_ptr_equal(of, &vm);
	assert_int_equal(rights, 7);
	assert_int_equal(hpa, NEW_RUN + (gpa - GPA) % PIECE);
	note('m');
	last_gpa = gpa;
	last_len = *done_bytes = len_bytes;
	return map_status;
}

static const struct hv_ops ops = {.map = map, .unmap = unmap};
const struct hv_ops *hv = &ops;

struct memory *memory_from_object(struct object *object)
{
	return (struct memory *)(void *)object;
}

struct pool *memory_pool(const struct memory *memory)
{
	assert_ptr_equal(memory, MEMORY);
	return NULL;
}

enum status memory_take_piece(struct memory *memory, uint64_t offset_bytes, const struct space *space, const struct vm *by,
			      uint64_t *physical)
{
	assert_ptr_equal(memory, MEMORY);
	assert_ptr_equal(space, thread.space);
	assert_ptr_equal(by, &vm);
	assert_true(fake_lock_ranks != 0);
	note('t');
	*physical = RUN + offset_bytes;
	return take_status;
}

enum status memory_fill_piece(struct memory *memory, uint64_t offset_bytes)
{
	assert_ptr_equal(memory, MEMORY);
	assert_int_equal(offset_bytes % PIECE, 0);
	note('n');
	return fill_status;
}

enum status memory_run_at(struct memory *memory, uint64_t offset_bytes, struct memory_run *run)
{
	assert_ptr_equal(memory, MEMORY);
	*run = (struct memory_run){.physical = NEW_RUN + offset_bytes % PIECE, .len_bytes = PIECE - offset_bytes % PIECE};
	return OK;
}

void vcpus_must_forget(struct vm *of)
{
	assert_ptr_equal(of, &vm);
	note('f');
}

void space_hide_piece(struct space *space, const struct memory *memory, uint64_t offset_bytes)
{
	assert_ptr_equal(memory, MEMORY);
	assert_ptr_equal(space, thread.space);
	assert_int_equal(offset_bytes % PIECE, 0);
	assert_int_equal(fake_lock_ranks, 0);
	note('h');
}

void pool_frames_free(struct pool *pool, uint64_t physical, uint64_t page_count)
{
	(void)pool;
	assert_true(physical >= RUN);
	assert_int_equal(page_count, 512);
	note('r');
}

struct vm *space_vm(const struct space *space)
{
	assert_ptr_equal(space, thread.space);
	return vm_is_there ? &vm : NULL;
}

struct thread *thread_current(void)
{
	return &thread;
}

static int setup(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(vcpus, 0, sizeof(vcpus));
	memset(story, 0, sizeof(story));
	vm.map.lock = SPINLOCK(RANK_GUEST_MAP);
	vm.vcpu_limit = 1;
	atomic_store(&vm.vcpus[0], &vcpus[0]);
	thread.space = (struct space *)0x1000;
	/* Guest memory begins in the middle of the object's second piece. */
	vm.map.ranges[3] = (struct guest_range){.gpa = GPA + PIECE / 2, .len_bytes = 2 * PIECE, .memory = MEMORY,
						.offset_bytes = PIECE + PIECE / 2, .rights = 7};
	take_status = fill_status = map_status = OK;
	unmap_short_by = 0;
	vm_is_there = true;
	return 0;
}

static int64_t discard(uint64_t offset, uint64_t len)
{
	const uint64_t value[6] = {0, offset, len};
	const struct syscall_arguments arguments = {.value = value, .object = {&memory_of_test}};

	return sys_memory_discard(&arguments);
}

static void test_discard_in_order(void **state)
{
	(void)state;
	assert_int_equal(discard(2 * PIECE, 5 * PIECE), PIECE);
	assert_string_equal(story, "utfhr");
	assert_int_equal(last_gpa, GPA + PIECE);
	assert_int_equal(last_len, PIECE);
	assert_true(vm.map.has_gaps);
	assert_int_equal(fake_lock_ranks, 0);
	/* A part of a piece is all that the guest sees of it. */
	assert_int_equal(discard(PIECE, PIECE), PIECE);
	assert_int_equal(last_gpa, GPA + PIECE / 2);
	assert_int_equal(last_len, PIECE / 2);
}

static void test_discard_gives_up_before_it_frees(void **state)
{
	(void)state;
	unmap_short_by = 4096;
	assert_int_equal(discard(2 * PIECE, PIECE), -(int64_t)ERR_NO_MEMORY);
	assert_string_equal(story, "uf");
	unmap_short_by = 0;
	take_status = ERR_BUSY;
	assert_int_equal(discard(2 * PIECE, PIECE), -(int64_t)ERR_BUSY);
	assert_string_equal(story, "ufutf");
	assert_int_equal(discard(2 * PIECE + 4096, PIECE), -(int64_t)ERR_INVALID);
	assert_int_equal(discard(2 * PIECE, PIECE - 1), -(int64_t)ERR_INVALID);
	vm_is_there = false;
	assert_int_equal(discard(2 * PIECE, PIECE), -(int64_t)ERR_INVALID);
	assert_string_equal(story, "ufutf");
}

/* Ring 0 writes there: the frame stays. */
static void test_discard_spares_the_steal_record(void **state)
{
	(void)state;
	vcpus[0].steal.memory = MEMORY;
	vcpus[0].steal.offset_bytes = 3 * PIECE - 64;
	assert_int_equal(discard(2 * PIECE, PIECE), -(int64_t)ERR_BUSY);
	assert_null(strchr(story, 'r'));
	assert_int_equal(discard(PIECE, PIECE), PIECE);
	vcpus[0].steal.memory = NULL;
	assert_int_equal(discard(2 * PIECE, PIECE), PIECE);
}

static void test_touch_fills(void **state)
{
	(void)state;
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE + 0x12345), OK);
	assert_string_equal(story, "nm");
	assert_int_equal(last_gpa, GPA + PIECE);
	assert_int_equal(last_len, PIECE);
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE / 2), OK);
	assert_int_equal(last_gpa, GPA + PIECE / 2);
	assert_int_equal(last_len, PIECE / 2);
	map_status = ERR_EXISTS; /* another vCPU was faster */
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE), OK);
	assert_int_equal(guest_map_fill(&vm, GPA), ERR_NOT_FOUND);
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE / 2 + 2 * PIECE), ERR_NOT_FOUND);
	fill_status = ERR_NO_MEMORY;
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE), ERR_NO_MEMORY);
	assert_int_equal(fake_lock_ranks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_discard_in_order, setup),
		cmocka_unit_test_setup(test_discard_gives_up_before_it_frees, setup),
		cmocka_unit_test_setup(test_discard_spares_the_steal_record, setup),
		cmocka_unit_test_setup(test_touch_fills, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
