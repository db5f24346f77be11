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
static enum status may_status, take_status, fill_status, map_status, page_status;
static struct pool *paying_pool;
static void (*while_filling)(void);
static enum status run_status;
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
	assert_true(fake_lock_ranks != 0);
	note('m');
	last_gpa = gpa;
	last_len = *done_bytes = len_bytes;
	return len_bytes == 4096 ? page_status : map_status;
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
	return paying_pool;
}

struct object *memory_object(struct memory *memory)
{
	return (struct object *)(void *)memory;
}

void object_get(struct object *object)
{
	object->references++;
}

void object_put(struct object *object)
{
	assert_true(object->references > 1);
	object->references--;
}

enum status memory_may_take_piece(struct memory *memory, uint64_t offset_bytes, const struct space *space, const struct vm *by)
{
	assert_ptr_equal(memory, MEMORY);
	assert_ptr_equal(space, thread.space);
	assert_ptr_equal(by, &vm);
	assert_int_equal(offset_bytes % PIECE, 0);
	assert_true(fake_lock_ranks != 0);
	return may_status;
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
	assert_true(offset_bytes >= PIECE && offset_bytes < 4 * PIECE);
	assert_int_equal(fake_lock_ranks, 0); /* zeroing takes its time */
	assert_int_equal(memory_of_test.references, 2);
	note('n');
	if (while_filling != NULL)
		while_filling();
	return fill_status;
}

enum status memory_run_at(struct memory *memory, uint64_t offset_bytes, struct memory_run *run)
{
	assert_ptr_equal(memory, MEMORY);
	if (run_status != OK)
		return run_status;
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
	may_status = take_status = fill_status = map_status = page_status = run_status = OK;
	memory_of_test = (struct object){.references = 1, .kind = OBJECT_MEMORY};
	paying_pool = vm.pool = (struct pool *)0x2000;
	while_filling = NULL;
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

/* Where it cannot leave, nothing is unmapped and no CPU is disturbed, however often a guest asks. */
static void test_discard_refuses_in_silence(void **state)
{
	(void)state;
	may_status = ERR_NOT_FOUND; /* gone already */
	assert_int_equal(discard(2 * PIECE, PIECE), -(int64_t)ERR_NOT_FOUND);
	may_status = OK;
	paying_pool = NULL; /* a region: other VMs have it, or will */
	assert_int_equal(discard(2 * PIECE, PIECE), -(int64_t)ERR_BUSY);
	paying_pool = vm.pool;
	for (unsigned i = 0; i < 4; i++)
		vm.map.ranges[4 + i] = (struct guest_range){.gpa = 4 * GPA + i * PIECE, .len_bytes = 4096, .memory = MEMORY,
							    .offset_bytes = 2 * PIECE, .rights = 7};
	assert_int_equal(discard(2 * PIECE, PIECE), -(int64_t)ERR_BUSY); /* in five places */
	assert_string_equal(story, "");
	assert_false(vm.map.has_gaps);
	vm.map.ranges[4].len_bytes = 0;
	assert_int_equal(discard(2 * PIECE, PIECE), PIECE);
	assert_string_equal(story, "uuuutfhr");
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
	page_status = ERR_EXISTS;
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE), OK);
	page_status = OK; /* its neighbours are there, it is not */
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE + 0x12345), OK);
	assert_int_equal(last_gpa, GPA + PIECE + 0x12000);
	assert_int_equal(last_len, 4096);
	page_status = ERR_NO_MEMORY;
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE), ERR_NO_MEMORY);
	assert_int_equal(guest_map_fill(&vm, GPA), ERR_NOT_FOUND);
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE / 2 + 2 * PIECE), ERR_NOT_FOUND);
	fill_status = ERR_NO_MEMORY;
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE), ERR_NO_MEMORY);
	assert_int_equal(fake_lock_ranks, 0);
}

static void range_goes(void)
{
	vm.map.ranges[3].len_bytes = 0;
}

/* What changes while a piece is zeroed: the guest tries again, and finds what is there then. */
static void test_touch_while_others_work(void **state)
{
	(void)state;
	fill_status = ERR_BUSY; /* another CPU is at it */
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE), OK);
	fill_status = OK;
	run_status = ERR_NOT_FOUND; /* it left again */
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE), OK);
	run_status = OK;
	assert_null(strchr(story, 'm'));
	while_filling = range_goes;
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE), OK);
	assert_null(strchr(story, 'm'));
	assert_int_equal(guest_map_fill(&vm, GPA + PIECE), ERR_NOT_FOUND);
	assert_int_equal(memory_of_test.references, 1);
	assert_int_equal(fake_lock_ranks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_discard_in_order, setup),
		cmocka_unit_test_setup(test_discard_gives_up_before_it_frees, setup),
		cmocka_unit_test_setup(test_discard_refuses_in_silence, setup),
		cmocka_unit_test_setup(test_discard_spares_the_steal_record, setup),
		cmocka_unit_test_setup(test_touch_fills, setup),
		cmocka_unit_test_setup(test_touch_while_others_work, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
