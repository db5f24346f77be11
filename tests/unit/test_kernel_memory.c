/* kernel/memory.c: growth, extents, large runs, memory_run_at() at all edges; what is released comes back. */
#include "tests/unit/unit.h"

#include "abi/layout.h"
#include "kernel/chunks.h"
#include "kernel/memory_internal.h"
#include "kernel/pool.h"
#include "kernel/view.h"
#include "tests/fake/kernel_pc.h"
#include "tests/fake/kernel_spinlock.h"

static struct pool *pool;
static uint64_t free_before;

static struct memory *boot(uint64_t pool_chunks)
{
	struct memory *memory = NULL;

	fake_pc_boot_simple(256 * FAKE_MIB);
	assert_int_equal(pool_create(root_pool, 0, pool_chunks * PAGE_2M_BYTES, &pool), OK);
	free_before = chunks_unpromised_count();
	assert_int_equal(memory_create(pool, &memory), OK);
	return memory;
}

static void assert_nothing_left(struct memory *memory)
{
	object_put(memory_object(memory));
	assert_int_equal(atomic_load(&pool_object(pool)->references), 1);
	object_put(pool_object(pool));
	assert_int_equal(chunks_unpromised_count(), free_before);
	assert_int_equal(fake_lock_ranks, 0);
}

/* Every page of the object once, by runs; no two at the same place. Returns the number of runs. */
static unsigned walk(struct memory *memory)
{
	static struct memory_run runs[4096];
	unsigned count = 0;
	uint64_t at = 0;

	for (; at < memory_size_bytes(memory); at += runs[count++].len_bytes) {
		assert_true(count < 4096);
		assert_int_equal(memory_run_at(memory, at, &runs[count]), OK);
		assert_true(runs[count].len_bytes > 0 && runs[count].len_bytes <= memory_size_bytes(memory) - at);
		for (unsigned i = 0; i < count; i++)
			assert_true(runs[i].physical + runs[i].len_bytes <= runs[count].physical ||
				    runs[count].physical + runs[count].len_bytes <= runs[i].physical);
	}
	assert_int_equal(at, memory_size_bytes(memory));
	return count;
}

static void body_grow(void)
{
	struct memory *memory = boot(60);
	struct memory_run run = {1, 2};
	uint64_t size = 0, zeroed = fake_pc_zeroed_bytes();

	assert_int_equal(memory_run_at(memory, 0, &run), ERR_OUT_OF_RANGE);
	assert_int_equal(run.physical, 1);
	assert_int_equal(memory_grow(memory, 1, &size), ERR_INVALID);
	assert_int_equal(memory_grow(memory, 0, &size), OK);
	assert_int_equal(size, 0);
	assert_int_equal(memory_grow(memory, 3 * PAGE_SIZE_BYTES, &size), OK);
	assert_int_equal(size, 3 * PAGE_SIZE_BYTES);
	assert_int_equal(memory_grow(memory, PAGE_SIZE_BYTES, &size), OK); /* never shrinks */
	assert_int_equal(size, 3 * PAGE_SIZE_BYTES);
	while (size < 3 * PAGE_2M_BYTES)
		assert_int_equal(memory_grow(memory, 3 * PAGE_2M_BYTES, &size), OK);
	assert_int_equal(fake_pc_zeroed_bytes() - zeroed, 3 * PAGE_2M_BYTES);
	walk(memory);
	assert_nothing_left(memory);
}

/* A call does at most 512 pages, or fewer than that and then one large run, where size and wish allow. */
static void body_grow_is_bounded(void)
{
	struct memory *memory = boot(60);
	struct memory_run run;
	uint64_t size = 0;

	assert_int_equal(memory_grow(memory, 10 * PAGE_2M_BYTES, &size), OK);
	assert_int_equal(size, PAGE_2M_BYTES);
	assert_int_equal(memory_run_at(memory, 0, &run), OK);
	assert_int_equal(run.physical % PAGE_2M_BYTES, 0);
	assert_int_equal(memory_grow(memory, PAGE_2M_BYTES + 5 * PAGE_SIZE_BYTES, &size), OK);
	assert_int_equal(memory_grow(memory, UINT64_MAX & ~(PAGE_SIZE_BYTES - 1), &size), OK);
	assert_int_equal(size, 3 * PAGE_2M_BYTES);
	walk(memory);
	assert_nothing_left(memory);
}

static void body_run_at_edges(void)
{
	struct memory *memory = boot(60);
	struct memory_run run, next;
	uint64_t size = 0, at = 0;

	while (size < 2 * PAGE_2M_BYTES + 2 * PAGE_SIZE_BYTES)
		assert_int_equal(memory_grow(memory, 2 * PAGE_2M_BYTES + 2 * PAGE_SIZE_BYTES, &size), OK);
	while (at < size) {
		assert_int_equal(memory_run_at(memory, at, &run), OK);
		assert_int_equal(memory_run_at(memory, at + run.len_bytes - PAGE_SIZE_BYTES, &next), OK);
		assert_int_equal(next.physical, run.physical + run.len_bytes - PAGE_SIZE_BYTES);
		assert_int_equal(next.len_bytes, PAGE_SIZE_BYTES);
		at += run.len_bytes;
	}
	assert_int_equal(memory_run_at(memory, size, &run), ERR_OUT_OF_RANGE);
	assert_int_equal(memory_run_at(memory, UINT64_MAX, &run), ERR_OUT_OF_RANGE);
	assert_int_equal(memory_run_at(memory, -PAGE_SIZE_BYTES, &run), ERR_OUT_OF_RANGE);
	assert_nothing_left(memory);
}

/* Frames that are nowhere neighbours: hundreds of extents, over several pages of them. */
static void body_many_extents(void)
{
	static uint64_t holes[3000];
	struct memory *memory = boot(60);
	uint64_t size = 0;
	unsigned runs;

	for (unsigned i = 0; i < 3000; i++)
		holes[i] = pool_frames_alloc(pool, 1);
	for (unsigned i = 0; i < 3000; i += 2)
		pool_frames_free(pool, holes[i], 1);
	for (unsigned i = 0; i < 1400; i++)
		assert_int_equal(memory_grow(memory, size + PAGE_SIZE_BYTES, &size), OK);
	runs = walk(memory);
	assert_true(runs > 1000);
	for (unsigned i = 1; i < 3000; i += 2)
		pool_frames_free(pool, holes[i], 1);
	assert_nothing_left(memory);
}

static void body_exhausted(void)
{
	struct memory *memory = boot(9);
	uint64_t size = 0, reached;
	enum status status;

	while ((status = memory_grow(memory, FAKE_GIB, &size)) == OK)
		continue;
	assert_int_equal(status, ERR_NO_MEMORY);
	assert_int_equal(size, 8 * PAGE_2M_BYTES); /* the ninth chunk holds the object itself */
	reached = size;
	assert_int_equal(memory_grow(memory, FAKE_GIB, &size), ERR_NO_MEMORY);
	assert_int_equal(size, reached);
	walk(memory);
	assert_nothing_left(memory);
}

static void body_wrap(void)
{
	struct memory *ram = boot(9);
	struct memory *device = NULL, *empty = NULL;
	struct memory_run run;
	uint64_t size = 0;

	assert_int_equal(memory_wrap(pool, 0xfed00000, 0x2000, MEMORY_KIND_DEVICE, &device), OK);
	assert_int_equal(memory_wrap(pool, 0, 0, MEMORY_KIND_BOOT_FILE, &empty), OK);
	assert_int_equal(memory_kind(device), MEMORY_KIND_DEVICE);
	assert_int_equal(memory_grow(device, 0x4000, &size), ERR_INVALID);
	assert_int_equal(memory_run_at(device, 0x1000, &run), OK);
	assert_int_equal(run.physical, 0xfed01000);
	assert_int_equal(run.len_bytes, 0x1000);
	assert_int_equal(memory_run_at(device, 0x2000, &run), ERR_OUT_OF_RANGE);
	assert_int_equal(memory_run_at(empty, 0, &run), ERR_OUT_OF_RANGE);
	object_put(memory_object(device));
	object_put(memory_object(empty));
	assert_nothing_left(ram);
}

static struct space *const SPACE = (struct space *)0x1000; /* only compared */
static struct vm *const VM = (struct vm *)0x2000, *const OTHER_VM = (struct vm *)0x3000;

/* A piece leaves, its chunk with it, and comes back as another run; what is released later is what is there then. */
static void body_take_piece(void)
{
	struct memory *memory = boot(60);
	uint64_t size = 0, physical = 0, taken = 0, free_chunks;
	struct memory_run run, before;

	while (size < 4 * PAGE_2M_BYTES)
		assert_int_equal(memory_grow(memory, 4 * PAGE_2M_BYTES, &size), OK);
	memory_note_guest(memory, VM);
	assert_int_equal(memory_run_at(memory, PAGE_2M_BYTES, &before), OK);
	free_chunks = chunks_unpromised_count();
	assert_int_equal(memory_take_piece(memory, PAGE_2M_BYTES, SPACE, VM, &physical), OK);
	assert_int_equal(physical, before.physical);
	pool_frames_free(memory_pool(memory), physical, 512);
	assert_int_equal(chunks_unpromised_count(), free_chunks + 1);
	assert_int_equal(memory_run_at(memory, PAGE_2M_BYTES + 4096, &run), ERR_NOT_FOUND);
	assert_int_equal(memory_take_piece(memory, PAGE_2M_BYTES, SPACE, VM, &physical), ERR_NOT_FOUND);
	/* Its neighbours are as they were, and end with their pieces. */
	assert_int_equal(memory_run_at(memory, 4096, &run), OK);
	assert_int_equal(run.len_bytes, PAGE_2M_BYTES - 4096);
	assert_int_equal(memory_run_at(memory, 2 * PAGE_2M_BYTES, &run), OK);
	assert_int_equal(run.physical, before.physical + PAGE_2M_BYTES);
	/* Somebody else has it now. */
	taken = pool_frames_alloc(pool, 512);
	assert_int_equal(taken, before.physical);
	assert_int_equal(memory_fill_piece(memory, PAGE_2M_BYTES + 8192), OK);
	assert_int_equal(memory_run_at(memory, PAGE_2M_BYTES + 8192, &run), OK);
	assert_int_equal(run.len_bytes, PAGE_2M_BYTES - 8192);
	assert_true(run.physical < taken || run.physical >= taken + PAGE_2M_BYTES);
	assert_int_equal(memory_fill_piece(memory, PAGE_2M_BYTES), OK); /* it is there */
	/* It may leave again, and be gone when the object is released. */
	assert_int_equal(memory_take_piece(memory, PAGE_2M_BYTES, SPACE, VM, &physical), OK);
	assert_int_equal(physical, run.physical - 8192);
	pool_frames_free(pool, physical, 512);
	assert_int_equal(memory_take_piece(memory, 3 * PAGE_2M_BYTES, SPACE, VM, &physical), OK);
	pool_frames_free(pool, physical, 512);
	assert_int_equal(memory_fill_piece(memory, 3 * PAGE_2M_BYTES), OK);
	pool_frames_free(pool, taken, 512);
	assert_nothing_left(memory);
}

static void body_take_piece_refuses(void)
{
	struct memory *memory = boot(60);
	uint64_t size = 0, physical = 0;
	struct view view = {.space = SPACE}, strange = {.space = (struct space *)0x4000};

	while (size < PAGE_2M_BYTES + 3 * PAGE_SIZE_BYTES)
		assert_int_equal(memory_grow(memory, PAGE_2M_BYTES + 3 * PAGE_SIZE_BYTES, &size), OK);
	assert_int_equal(memory_take_piece(memory, 4096, SPACE, VM, &physical), ERR_INVALID);
	assert_int_equal(memory_take_piece(memory, PAGE_2M_BYTES, SPACE, VM, &physical), ERR_OUT_OF_RANGE);
	assert_int_equal(memory_take_piece(memory, UINT64_MAX - PAGE_2M_BYTES + 1, SPACE, VM, &physical), ERR_OUT_OF_RANGE);
	memory_add_view(memory, &view);
	memory_add_view(memory, &strange);
	assert_int_equal(memory_take_piece(memory, 0, SPACE, VM, &physical), ERR_BUSY);
	memory_remove_view(memory, &strange);
	memory_note_guest(memory, OTHER_VM);
	assert_int_equal(memory_take_piece(memory, 0, SPACE, VM, &physical), ERR_BUSY);
	memory_note_guest(memory, VM); /* both have seen it */
	assert_int_equal(memory_take_piece(memory, 0, SPACE, VM, &physical), ERR_BUSY);
	memory_remove_view(memory, &view);
	assert_nothing_left(memory);
}

/* Single pages are no piece, and a piece that cannot come back says so. */
static void body_take_piece_of_pages(void)
{
	struct memory *memory = boot(8);
	uint64_t size = 0, physical = 0, taken;

	while (size < PAGE_2M_BYTES) /* page by page */
		assert_int_equal(memory_grow(memory, size + PAGE_SIZE_BYTES, &size), OK);
	assert_int_equal(memory_take_piece(memory, 0, SPACE, VM, &physical), ERR_NOT_FOUND);
	while (size < 2 * PAGE_2M_BYTES)
		assert_int_equal(memory_grow(memory, 2 * PAGE_2M_BYTES, &size), OK);
	assert_int_equal(memory_take_piece(memory, PAGE_2M_BYTES, SPACE, VM, &physical), OK);
	pool_frames_free(pool, physical, 512);
	while ((taken = pool_frames_alloc(pool, 512)) != 0)
		physical = taken;
	assert_int_equal(memory_fill_piece(memory, PAGE_2M_BYTES), ERR_NO_MEMORY);
	pool_frames_free(pool, physical, 512);
	assert_int_equal(memory_fill_piece(memory, PAGE_2M_BYTES), OK);
	object_put(memory_object(memory));
}

static struct memory *filling;
static unsigned others;

static void other_cpus_touch(void)
{
	struct memory_run run;
	uint64_t physical = 0;

	others++;
	assert_int_equal(fake_lock_ranks, 0); /* nobody waits for so long with a lock's ticket in hand */
	assert_int_equal(memory_fill_piece(filling, 4096), ERR_BUSY);
	assert_int_equal(memory_run_at(filling, 4096, &run), ERR_NOT_FOUND);
	assert_int_equal(memory_take_piece(filling, 0, SPACE, VM, &physical), ERR_NOT_FOUND);
	assert_int_equal(memory_may_take_piece(filling, 0, SPACE, VM), ERR_NOT_FOUND);
}

/* One CPU zeroes a piece that came back; the others find it busy, without a lock to wait for. */
static void body_fill_piece_holds_up_nobody(void)
{
	struct memory_run run;
	uint64_t size = 0, physical = 0;

	filling = boot(60);
	others = 0;
	while (size < PAGE_2M_BYTES)
		assert_int_equal(memory_grow(filling, PAGE_2M_BYTES, &size), OK);
	assert_int_equal(memory_may_take_piece(filling, 0, SPACE, VM), OK);
	assert_int_equal(memory_take_piece(filling, 0, SPACE, VM, &physical), OK);
	pool_frames_free(pool, physical, 512);
	fake_pc_while_zeroing = other_cpus_touch;
	assert_int_equal(memory_fill_piece(filling, 8192), OK);
	fake_pc_while_zeroing = NULL;
	assert_int_equal(others, 1);
	assert_int_equal(memory_run_at(filling, 4096, &run), OK);
	assert_int_equal(memory_fill_piece(filling, 4096), OK);
	assert_nothing_left(filling);
}

#define PC_TEST(name)                                     \
	static void test_kernel_memory_##name(void **state) \
	{                                                 \
		(void)state;                              \
		fake_pc_run(body_##name);                 \
	}
PC_TEST(grow)
PC_TEST(grow_is_bounded)
PC_TEST(run_at_edges)
PC_TEST(many_extents)
PC_TEST(exhausted)
PC_TEST(wrap)
PC_TEST(take_piece)
PC_TEST(take_piece_refuses)
PC_TEST(take_piece_of_pages)
PC_TEST(fill_piece_holds_up_nobody)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_memory_grow),
		cmocka_unit_test(test_kernel_memory_grow_is_bounded),
		cmocka_unit_test(test_kernel_memory_run_at_edges),
		cmocka_unit_test(test_kernel_memory_many_extents),
		cmocka_unit_test(test_kernel_memory_exhausted),
		cmocka_unit_test(test_kernel_memory_wrap),
		cmocka_unit_test(test_kernel_memory_take_piece),
		cmocka_unit_test(test_kernel_memory_take_piece_refuses),
		cmocka_unit_test(test_kernel_memory_take_piece_of_pages),
		cmocka_unit_test(test_kernel_memory_fill_piece_holds_up_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
