/* kernel/space.c, view.c, program.c, handle_table.c: mapping, unmapping, handles, the end of a program. One file because all of
 * it needs that same PC with its spaces. */
#include "tests/unit/unit.h"

#include "abi/layout.h"
#include "kernel/chunks.h"
#include "kernel/event.h"
#include "kernel/memory_internal.h"
#include "kernel/page_table.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/space_internal.h"
#include "kernel/space_struct.h"
#include "kernel/thread.h"
#include "kernel/view.h"
#include "tests/fake/kernel_pc.h"
#include "tests/fake/kernel_spinlock.h"
#include "tests/fake/kernel_threads.h"

#define RW (RIGHT_READ | RIGHT_WRITE)
#define BASE 0x400000ULL

static struct pool *pool;
static uint64_t free_before; /* chunks, when pool held nothing but itself */

static void boot(uint64_t pool_chunks)
{
	fake_pc_boot_simple(256 * FAKE_MIB);
	assert_int_equal(pool_create(root_pool, 0, pool_chunks * PAGE_2M_BYTES, &pool), OK);
	free_before = chunks_unpromised_count();
}

/* Everything that the pool paid for is gone, and then the pool. */
static void assert_nothing_left(void)
{
	assert_int_equal(atomic_load(&pool_object(pool)->references), 1);
	assert_int_equal(fake_lock_ranks, 0);
	object_put(pool_object(pool));
	assert_int_equal(chunks_unpromised_count(), free_before);
}

static struct space *new_space(void)
{
	struct space *space = NULL;

	assert_int_equal(space_create(pool, NULL, &space), OK);
	return space;
}

static struct memory *new_memory(uint64_t bytes)
{
	struct memory *memory = NULL;
	uint64_t reached = 0;

	assert_int_equal(memory_create(pool, &memory), OK);
	while (reached < bytes)
		assert_int_equal(memory_grow(memory, bytes, &reached), OK);
	return memory;
}

static uint64_t entry_at(struct space *space, uint64_t address, unsigned level)
{
	const uint64_t *entry = page_table_entry(space->pml4, address, level, NULL, 0);

	return entry != NULL ? *entry : 0;
}

static enum status map(struct space *space, struct memory *memory, uint64_t address, uint64_t offset, uint64_t len, unsigned rights)
{
	uint64_t done = 0, at = 0;
	enum status status = OK;

	for (; status == OK && at < len; at += done)
		status = space_map(space, memory, address + at, offset + at, len - at, rights, &done);
	return status;
}

static unsigned view_count(const struct space *space)
{
	unsigned count = 0;

	for (const struct view *view = space->views; view != NULL; view = view->next_of_place)
		count++;
	return count;
}

static void body_map_and_unmap(void)
{
	struct space *space;
	struct memory *memory;
	uint64_t done = 1;
	unsigned flushes;

	boot(40);
	space = new_space();
	memory = new_memory(2 * PAGE_2M_BYTES + 3 * PAGE_SIZE_BYTES);
	assert_int_equal(map(space, memory, BASE, 0, 2 * PAGE_2M_BYTES + 3 * PAGE_SIZE_BYTES, RW), OK);
	assert_int_equal(view_count(space), 1);
	assert_true(entry_at(space, BASE, 2) & PTE_LARGE);
	assert_true(entry_at(space, BASE + PAGE_2M_BYTES, 2) & PTE_LARGE);
	assert_int_equal(entry_at(space, BASE + 2 * PAGE_2M_BYTES, 1) & ~PTE_ADDRESS, PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_NX);
	assert_int_equal(space_map(space, memory, BASE, 0, PAGE_SIZE_BYTES, RW, &done), ERR_NO_MEMORY); /* a large page is there */
	assert_int_equal(view_count(space), 1);
	assert_int_equal(space_unmap(space, BASE + PAGE_SIZE_BYTES, &done), ERR_NOT_FOUND);
	flushes = fake_pc_shootdowns();
	assert_int_equal(space_unmap(space, BASE, &done), OK);
	assert_int_equal(done, 2 * PAGE_2M_BYTES + 3 * PAGE_SIZE_BYTES);
	assert_true(fake_pc_shootdowns() > flushes);
	assert_int_equal(entry_at(space, BASE, 2), 0);
	assert_int_equal(entry_at(space, BASE + 2 * PAGE_2M_BYTES, 1), 0);
	assert_int_equal(space_unmap(space, BASE, &done), ERR_NOT_FOUND);
	object_put(memory_object(memory));
	object_put(space_object(space));
	assert_nothing_left();
}

static void body_map_rejects(void)
{
	struct space *space;
	struct memory *memory;
	uint64_t done = 0;

	boot(40);
	space = new_space();
	memory = new_memory(PAGE_SIZE_BYTES);
	assert_int_equal(space_map(space, memory, BASE + 1, 0, PAGE_SIZE_BYTES, RW, &done), ERR_MISALIGNED);
	assert_int_equal(space_map(space, memory, BASE, 1, PAGE_SIZE_BYTES, RW, &done), ERR_MISALIGNED);
	assert_int_equal(space_map(space, memory, BASE, 0, 1, RW, &done), ERR_MISALIGNED);
	assert_int_equal(space_map(space, memory, BASE, 0, 0, RW, &done), ERR_INVALID);
	assert_int_equal(space_map(space, memory, BASE, 0, PAGE_SIZE_BYTES, RIGHT_WRITE, &done), ERR_INVALID);
	assert_int_equal(space_map(space, memory, BASE, 0, PAGE_SIZE_BYTES, RW | RIGHT_EXECUTE, &done), ERR_INVALID);
	assert_int_equal(space_map(space, memory, BASE, 0, PAGE_SIZE_BYTES, RW | RIGHT_MANAGE, &done), ERR_INVALID);
	assert_int_equal(space_map(space, memory, STUB_PAGE, 0, PAGE_SIZE_BYTES, RW, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(space_map(space, memory, STUB_PAGE - PAGE_SIZE_BYTES, 0, 2 * PAGE_SIZE_BYTES, RW, &done),
			 ERR_OUT_OF_RANGE);
	assert_int_equal(space_map(space, memory, DIRECT_MAP_BASE, 0, PAGE_SIZE_BYTES, RW, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(space_map(space, memory, BASE, 0, -PAGE_SIZE_BYTES, RW, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(space_map(space, memory, BASE, PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, RW, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(space_map(space, memory, BASE, -PAGE_SIZE_BYTES, PAGE_SIZE_BYTES, RW, &done), ERR_OUT_OF_RANGE);
	assert_int_equal(view_count(space), 0);
	assert_int_equal(space_map(space, memory, STUB_PAGE - PAGE_SIZE_BYTES, 0, PAGE_SIZE_BYTES, RIGHT_READ, &done), OK);
	assert_int_equal(space_map(space, memory, STUB_PAGE - PAGE_SIZE_BYTES, 0, PAGE_SIZE_BYTES, RIGHT_READ, &done), ERR_EXISTS);
	assert_int_equal(view_count(space), 1);
	object_put(memory_object(memory));
	object_put(space_object(space));
	assert_nothing_left();
}

/* The program may only have seen part of what it asked for; what was mapped stays its view, and all goes with the space. */
static void body_map_fails_half_way(void)
{
	struct space *space;
	struct memory *memory;
	uint64_t done = 0;

	boot(40);
	space = new_space();
	memory = new_memory(4 * PAGE_SIZE_BYTES);
	assert_int_equal(space_map(space, memory, BASE + 2 * PAGE_SIZE_BYTES, 0, PAGE_SIZE_BYTES, RW, &done), OK);
	assert_int_equal(space_map(space, memory, BASE, 0, 4 * PAGE_SIZE_BYTES, RW, &done), OK);
	assert_int_equal(done, 2 * PAGE_SIZE_BYTES);
	assert_int_equal(map(space, memory, BASE + done, done, 2 * PAGE_SIZE_BYTES, RW), ERR_EXISTS);
	assert_int_equal(view_count(space), 2);
	object_put(memory_object(memory));
	object_put(space_object(space));
	assert_nothing_left();
}

/* Where small pages were mapped and unmapped again, 2 MiB of aligned memory still find a place. */
static void body_large_after_small(void)
{
	struct space *space;
	struct memory *small, *large;
	uint64_t done = 0;

	boot(40);
	space = new_space();
	small = new_memory(PAGE_SIZE_BYTES);
	large = new_memory(PAGE_2M_BYTES);
	assert_int_equal(space_map(space, small, BASE, 0, PAGE_SIZE_BYTES, RW, &done), OK);
	assert_int_equal(space_unmap(space, BASE, &done), OK);
	assert_int_equal(map(space, large, BASE, 0, PAGE_2M_BYTES, RW), OK);
	for (uint64_t at = 0; at < PAGE_2M_BYTES; at += PAGE_SIZE_BYTES)
		assert_true(entry_at(space, BASE + at, 1) & PTE_PRESENT);
	assert_int_equal(view_count(space), 1);
	object_put(memory_object(small));
	object_put(memory_object(large));
	object_put(space_object(space));
	assert_nothing_left();
}

static struct space *touched;
static void touch_too(void) /* by another thread, while a piece is zeroed: it may try again */
{
	assert_true(space_fill(touched, BASE + PAGE_2M_BYTES));
	assert_int_equal(entry_at(touched, BASE + PAGE_2M_BYTES, 2), 0);
}

/* A piece that left is in no entry, and a touch brings it back, as a large page or as the page that was touched. */
static void body_hide_and_fill(void)
{
	const uint64_t small = 4 * BASE + PAGE_SIZE_BYTES; /* where no large page fits */
	struct memory *memory;
	struct space *space;
	uint64_t physical = 0;

	boot(60);
	space = new_space();
	memory = new_memory(3 * PAGE_2M_BYTES);
	assert_int_equal(map(space, memory, BASE, 0, 3 * PAGE_2M_BYTES, RW), OK);
	assert_int_equal(map(space, memory, small, PAGE_2M_BYTES, PAGE_2M_BYTES, RIGHT_READ), OK);
	assert_int_equal(memory_take_piece(memory, PAGE_2M_BYTES, space, NULL, &physical), OK);
	space_hide_piece(space, memory, PAGE_2M_BYTES);
	pool_frames_free(pool, physical, 512);
	assert_true((entry_at(space, BASE, 2) & PTE_LARGE) != 0);
	assert_int_equal(entry_at(space, BASE + PAGE_2M_BYTES, 2), 0);
	assert_true((entry_at(space, BASE + 2 * PAGE_2M_BYTES, 2) & PTE_LARGE) != 0);
	for (uint64_t at = 0; at < PAGE_2M_BYTES; at += PAGE_SIZE_BYTES)
		assert_int_equal(entry_at(space, small + at, 1), 0);
	touched = space;
	fake_pc_while_zeroing = touch_too;
	assert_true(space_fill(space, small + 5 * PAGE_SIZE_BYTES + 7));
	fake_pc_while_zeroing = NULL;
	assert_int_equal(entry_at(space, small + 4 * PAGE_SIZE_BYTES, 1), 0);
	assert_true((entry_at(space, small + 5 * PAGE_SIZE_BYTES, 1) & (PTE_PRESENT | PTE_WRITE)) == PTE_PRESENT);
	assert_true(space_fill(space, BASE + PAGE_2M_BYTES + 3 * PAGE_SIZE_BYTES));
	assert_true((entry_at(space, BASE + PAGE_2M_BYTES, 2) & (PTE_LARGE | PTE_WRITE)) == (PTE_LARGE | PTE_WRITE));
	assert_int_equal((entry_at(space, BASE + PAGE_2M_BYTES, 2) & PTE_ADDRESS) + 5 * PAGE_SIZE_BYTES,
			 entry_at(space, small + 5 * PAGE_SIZE_BYTES, 1) & PTE_ADDRESS);
	assert_true(space_fill(space, BASE + PAGE_2M_BYTES)); /* another thread was faster */
	assert_false(space_fill(space, BASE - 1));
	assert_false(space_fill(space, BASE + 3 * PAGE_2M_BYTES));
	object_put(memory_object(memory));
	object_put(space_object(space));
	assert_nothing_left();
}

/* Every point at which the pool can be exhausted: create and map either work or leave nothing behind. */
static void body_exhaustion(void)
{
	static void *ballast[4 * CHUNK_PAGES];

	boot(2);
	for (unsigned free_pages = 0; free_pages < 12; free_pages++) {
		unsigned count = 0;
		struct space *space = NULL;
		struct memory *memory = NULL;
		uint64_t size, done;

		while ((ballast[count] = pool_page_alloc(pool)) != NULL)
			count++;
		for (unsigned i = 0; i < free_pages; i++)
			pool_page_free(pool, ballast[--count]);
		if (space_create(pool, NULL, &space) == OK) {
			if (memory_create(pool, &memory) == OK) {
				(void)!memory_grow(memory, PAGE_SIZE_BYTES, &size);
				(void)!space_map(space, memory, BASE, 0, PAGE_SIZE_BYTES, RW, &done);
				object_put(memory_object(memory));
			}
			object_put(space_object(space));
		}
		while (count > 0)
			pool_page_free(pool, ballast[--count]);
		assert_int_equal(atomic_load(&pool_object(pool)->references), 1);
	}
	assert_nothing_left();
}

static void body_map_frame(void)
{
	struct space *space;
	uint64_t frame;

	boot(40);
	space = new_space();
	frame = pool_frames_alloc(pool, 1);
	assert_int_equal(space_map_frame(space, USER_END, frame, RIGHT_READ, true), ERR_INVALID);
	assert_int_equal(space_map_frame(space, BASE + 1, frame, RIGHT_READ, true), ERR_INVALID);
	assert_int_equal(space_map_frame(space, BASE, frame, RIGHT_READ, true), OK);
	assert_int_equal(space_map_frame(space, BASE, frame, RIGHT_READ, true), ERR_EXISTS);
	assert_int_equal(entry_at(space, BASE, 1), frame | PTE_PRESENT | PTE_USER | PTE_NX);
	pool_frames_free(pool, frame, 1);
	object_put(space_object(space));
	assert_nothing_left();
}

static void body_handles(void)
{
	struct space *a, *b;
	struct object *found = NULL;
	struct event *event;
	handle_t one = 0, two = 0;
	uint64_t badge = 0;

	boot(40);
	a = new_space();
	b = new_space();
	assert_int_equal(event_create(pool, &event), OK);
	assert_int_equal(handle_add(a, event_object(event), RIGHT_SIGNAL | RIGHT_MANAGE, 0xff, &one), OK);
	assert_int_equal(handle_find(a, one, OBJECT_POOL, 0, &found, &badge), ERR_BAD_HANDLE);
	assert_int_equal(handle_find(a, one, OBJECT_EVENT, RIGHT_WAIT, &found, &badge), ERR_DENIED);
	assert_int_equal(handle_find(a, 1ULL << 32 | one, OBJECT_EVENT, 0, &found, &badge), ERR_BAD_HANDLE);
	assert_int_equal(handle_grant(a, one, b, RIGHT_WAIT, 1, &two), ERR_DENIED);
	assert_int_equal(handle_grant(a, one, b, RIGHT_SIGNAL, 0x0ff0, &two), OK);
	assert_int_equal(handle_find(b, two, OBJECT_EVENT, RIGHT_SIGNAL, &found, &badge), OK);
	assert_int_equal(badge, 0xf0);
	object_put(found);
	assert_int_equal(atomic_load(&event_object(event)->references), 2);
	assert_int_equal(handle_close(a, one), OK);
	assert_int_equal(handle_close(a, one), ERR_BAD_HANDLE);
	object_put(space_object(a));
	object_put(space_object(b)); /* never started: its handles go with it */
	assert_nothing_left();
}

/* A range of ports is handed on whole or narrower, never wider, and never by half. */
static void body_port_handles(void)
{
	static struct object ports = {.references = 8, .kind = OBJECT_PORTS};
	struct space *a, *b;
	struct object *found = NULL;
	handle_t all = 0, some = 0, fewer = 0;
	uint64_t badge = 0;

	boot(40);
	a = new_space();
	b = new_space();
	assert_int_equal(handle_add(a, &ports, RIGHT_WRITE, BADGE_ALL, &all), OK);
	assert_int_equal(handle_grant(a, all, b, RIGHT_WRITE, BADGE_PORTS(0x3f8, 0x3ff), &some), OK);
	assert_int_equal(handle_grant(b, some, a, RIGHT_WRITE, BADGE_PORTS(0x3f7, 0x3ff), &fewer), ERR_DENIED);
	assert_int_equal(handle_grant(b, some, a, RIGHT_WRITE, BADGE_PORTS(0x3f8, 0x400), &fewer), ERR_DENIED);
	assert_int_equal(handle_grant(b, some, a, RIGHT_WRITE, 1ULL << 40 | BADGE_PORTS(0x3f8, 0x3ff), &fewer), ERR_DENIED);
	assert_int_equal(handle_grant(b, some, a, RIGHT_WRITE, BADGE_PORTS(0x3f9, 0x3fa), &fewer), OK);
	assert_int_equal(handle_find(a, fewer, OBJECT_PORTS, RIGHT_WRITE, &found, &badge), OK);
	assert_int_equal(badge, BADGE_PORTS(0x3f9, 0x3fa));
	object_put(found);
	assert_int_equal(handle_grant(b, some, a, RIGHT_WRITE, BADGE_ALL, &fewer), OK);
	assert_int_equal(handle_find(a, fewer, OBJECT_PORTS, RIGHT_WRITE, &found, &badge), OK);
	assert_int_equal(badge, BADGE_PORTS(0x3f8, 0x3ff));
	object_put(found);
	object_put(space_object(a));
	object_put(space_object(b));
	assert_nothing_left();
}

/* Each space holds the only handle to the next. Destroying them one within the other would take megabytes of stack. */
static void body_chain_of_spaces(void)
{
	struct space *first, *space;
	handle_t handle;

	boot(80);
	first = new_space();
	space = first;
	for (unsigned i = 0; i < 5000; i++) {
		struct space *next = new_space();

		assert_int_equal(handle_add(space, space_object(next), RIGHT_ALL, UINT64_MAX, &handle), OK);
		space = next;
	}
	object_put(space_object(first));
	assert_nothing_left();
}

/* A space with a handle to itself that never ran is let go by killing it; it then takes no handle any more. */
static void body_kill_before_start(void)
{
	struct space *space;
	struct space_status status;
	struct event *event;
	handle_t handle;

	boot(40);
	space = new_space();
	assert_int_equal(event_create(pool, &event), OK);
	object_get(event_object(event));
	space_set_end_event(space, event, 4);
	object_get(space_object(space));
	assert_int_equal(handle_add(space, space_object(space), RIGHT_ALL, UINT64_MAX, &handle), OK);
	space_end(space, SPACE_KILLED, 7);
	space_describe(space, &status);
	assert_int_equal(status.state, SPACE_KILLED);
	assert_int_equal(handle_add(space, space_object(space), RIGHT_ALL, UINT64_MAX, &handle), ERR_DEAD);
	assert_int_equal(atomic_load(&space_object(space)->references), 1);
	assert_int_equal(atomic_load(&event_object(event)->references), 1);
	space_end(space, SPACE_KILLED, 7);
	object_put(event_object(event));
	object_put(space_object(space));
	assert_nothing_left();
}

static void body_threads_end(void)
{
	static struct percpu cpu;
	static struct thread threads[2];
	struct space *space;
	struct space_status status;
	struct event *event;
	uint64_t bits = 0;

	boot(40);
	space = new_space();
	assert_int_equal(event_create(pool, &event), OK);
	object_get(event_object(event));
	space_set_end_event(space, event, 1ULL << 5);
	for (unsigned i = 0; i < 2; i++) {
		threads[i].home = &cpu;
		threads[i].object.references = 1;
		assert_int_equal(space_add_thread(space, &threads[i]), OK);
	}
	assert_int_equal(fake_made_runnable, 2);
	space_end(space, SPACE_EXITED, 42);
	space_end(space, SPACE_KILLED, 0);
	assert_true(threads[0].kill_pending && threads[1].kill_pending);
	space_thread_gone(space, &threads[0]);
	space_describe(space, &status);
	assert_int_equal(status.state, SPACE_RUNNING); /* still dying */
	space_thread_gone(space, &threads[1]);
	space_describe(space, &status);
	assert_int_equal(status.state, SPACE_EXITED);
	assert_int_equal(status.exit_code, 42);
	fake_current_thread = &threads[0];
	assert_int_equal(event_wait(event, 0, &bits), OK);
	assert_int_equal(bits, 1ULL << 5);
	threads[1].kill_pending = false;
	assert_int_equal(space_add_thread(space, &threads[1]), OK); /* too late: it dies at once */
	assert_true(threads[1].kill_pending);
	space_thread_gone(space, &threads[1]);
	object_put(event_object(event));
	object_put(space_object(space));
	assert_nothing_left();
}

/* The lists that calls walk under the space's lock are bounded, whatever memory a program has to fill them. */
static void body_lists_are_bounded(void)
{
	static struct percpu cpu;
	static struct thread threads[PROGRAM_THREADS_MAX + 1];
	struct space *space;
	struct memory *memory;
	uint64_t done;

	boot(60);
	space = new_space();
	memory = new_memory(PAGE_SIZE_BYTES);
	for (uint64_t i = 0; i < VIEWS_MAX; i++)
		assert_int_equal(space_map(space, memory, BASE + i * 2 * PAGE_SIZE_BYTES, 0, PAGE_SIZE_BYTES, RW, &done), OK);
	assert_int_equal(space_map(space, memory, BASE - PAGE_SIZE_BYTES, 0, PAGE_SIZE_BYTES, RW, &done), ERR_NO_SPACE);
	assert_int_equal(space_unmap(space, BASE, &done), OK);
	assert_int_equal(space_map(space, memory, BASE - PAGE_SIZE_BYTES, 0, PAGE_SIZE_BYTES, RW, &done), OK);
	for (unsigned i = 0; i <= PROGRAM_THREADS_MAX; i++) {
		threads[i].home = &cpu;
		threads[i].object.references = 1;
		assert_int_equal(space_add_thread(space, &threads[i]), i < PROGRAM_THREADS_MAX ? OK : ERR_NO_SPACE);
	}
	assert_int_equal(threads[PROGRAM_THREADS_MAX].object.references, 1);
	for (unsigned i = 0; i < PROGRAM_THREADS_MAX; i++)
		space_thread_gone(space, &threads[i]);
	object_put(memory_object(memory));
	object_put(space_object(space));
	assert_nothing_left();
}

/* Another CPU kills the program the moment the thread is listed: the thread runs, ends and is let go before its maker goes on. */
static struct space *dying_space;
static bool thread_freed;

static bool note_thread_freed(struct object *object)
{
	(void)object;
	thread_freed = true;
	return true;
}

static void run_to_its_end(struct thread *thread)
{
	fake_on_made_runnable = NULL;
	space_thread_gone(dying_space, thread);
	object_put(&thread->object);
	assert_false(thread_freed);
}

static void body_thread_ends_before_its_maker_goes_on(void)
{
	static struct percpu cpu;
	static struct thread thread;

	boot(40);
	dying_space = new_space();
	thread.home = &cpu;
	object_init(&thread.object, OBJECT_THREAD, note_thread_freed);
	fake_on_made_runnable = run_to_its_end;
	assert_int_equal(space_add_thread(dying_space, &thread), OK);
	assert_true(thread_freed);
	object_put(space_object(dying_space));
	assert_nothing_left();
}

/* What a program made ends with it: one that runs is killed, and one that only its own handle keeps is freed. */
static void body_children_end_with_their_maker(void)
{
	static struct percpu cpu;
	static struct thread threads[2];
	struct space *maker, *running, *forgotten, *gone;
	handle_t handle;

	boot(60);
	maker = new_space();
	running = new_space();
	forgotten = new_space();
	gone = new_space();
	assert_int_equal(space_adopt(maker, running), OK);
	assert_int_equal(space_adopt(maker, forgotten), OK);
	assert_int_equal(space_adopt(maker, gone), OK);
	assert_int_equal(maker->child_count, 3);
	assert_true(space_is_confined(running) && !space_is_confined(maker));
	object_put(space_object(gone));
	assert_int_equal(maker->child_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		threads[i].home = &cpu;
		threads[i].object.references = 2;
		memcpy(threads[i].name, i == 0 ? "web" : "two", sizeof("web"));
		assert_int_equal(space_add_thread(i == 0 ? maker : running, &threads[i]), OK);
	}
	assert_string_equal(space_name(maker), "web");
	object_get(space_object(forgotten));
	assert_int_equal(handle_add(forgotten, space_object(forgotten), RIGHT_ALL, UINT64_MAX, &handle), OK);
	object_put(space_object(forgotten));
	space_thread_gone(maker, &threads[0]);
	assert_true(threads[1].kill_pending);
	assert_int_equal(maker->child_count, 0);
	space_thread_gone(running, &threads[1]);
	object_put(space_object(running));
	object_put(space_object(maker));
	assert_nothing_left();
}

static void body_children_are_bounded(void)
{
	struct space *maker, *children[PROGRAM_CHILDREN_MAX + 1];

	boot(60);
	maker = new_space();
	for (unsigned i = 0; i <= PROGRAM_CHILDREN_MAX; i++) {
		children[i] = new_space();
		assert_int_equal(space_adopt(maker, children[i]), i < PROGRAM_CHILDREN_MAX ? OK : ERR_NO_SPACE);
	}
	object_put(space_object(maker)); /* they keep it */
	for (unsigned i = 0; i <= PROGRAM_CHILDREN_MAX; i++)
		object_put(space_object(children[i]));
	assert_nothing_left();
}

#define PC_TEST(name)                                    \
	static void test_kernel_space_##name(void **state) \
	{                                                \
		(void)state;                             \
		fake_pc_run(body_##name);                \
	}
PC_TEST(map_and_unmap)
PC_TEST(map_rejects)
PC_TEST(map_fails_half_way)
PC_TEST(large_after_small)
PC_TEST(hide_and_fill)
PC_TEST(exhaustion)
PC_TEST(map_frame)
PC_TEST(handles)
PC_TEST(port_handles)
PC_TEST(chain_of_spaces)
PC_TEST(kill_before_start)
PC_TEST(threads_end)
PC_TEST(lists_are_bounded)
PC_TEST(children_end_with_their_maker)
PC_TEST(children_are_bounded)
PC_TEST(thread_ends_before_its_maker_goes_on)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_space_map_and_unmap),
		cmocka_unit_test(test_kernel_space_map_rejects),
		cmocka_unit_test(test_kernel_space_map_fails_half_way),
		cmocka_unit_test(test_kernel_space_large_after_small),
		cmocka_unit_test(test_kernel_space_hide_and_fill),
		cmocka_unit_test(test_kernel_space_exhaustion),
		cmocka_unit_test(test_kernel_space_map_frame),
		cmocka_unit_test(test_kernel_space_handles),
		cmocka_unit_test(test_kernel_space_port_handles),
		cmocka_unit_test(test_kernel_space_chain_of_spaces),
		cmocka_unit_test(test_kernel_space_kill_before_start),
		cmocka_unit_test(test_kernel_space_threads_end),
		cmocka_unit_test(test_kernel_space_lists_are_bounded),
		cmocka_unit_test(test_kernel_space_children_end_with_their_maker),
		cmocka_unit_test(test_kernel_space_children_are_bounded),
		cmocka_unit_test(test_kernel_space_thread_ends_before_its_maker_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
