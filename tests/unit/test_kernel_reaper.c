/* kernel/reaper.c and the releases of memory objects, page tables, spaces and pools: in bounded portions, and all comes back. */
#include "tests/unit/unit.h"

#include "abi/layout.h"
#include "kernel/chunks.h"
#include "kernel/memory_internal.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/reaper.h"
#include "kernel/space_internal.h"
#include "kernel/thread_internal.h"
#include "kernel/timer.h"
#include "tests/fake/kernel_cpu_stack.h"
#include "tests/fake/kernel_pc.h"
#include "tests/fake/kernel_spinlock.h"

static uint64_t pause_ticks;
struct percpu *percpus[CPUS_MAX];
uint32_t percpu_count = 2;
static struct percpu cpus[2];
static unsigned threads_freed;
static struct pool *pool;
static uint64_t free_before;

/* The reaper's own thread does not run here: its steps are called. */
enum status thread_create(struct pool *payer, struct space *space, const struct thread_config *config, struct percpu *home,
			  struct thread **out)
{
	(void)payer, (void)space, (void)config, (void)home, (void)out;
	return ERR_NO_MEMORY;
}

uint64_t tsc_from_us(uint64_t us)
{
	assert_true(us > 0);
	return pause_ticks;
}

bool thread_should_yield(void)
{
	return false;
}

void thread_yield(void)
{
}

unsigned threads_free(struct object **dead)
{
	unsigned count = 0;

	for (; *dead != NULL; *dead = (*dead)->next_dead)
		count++;
	threads_freed += count;
	return count;
}

static void boot(void)
{
	fake_pc_boot_simple(256 * FAKE_MIB);
	assert_int_equal(pool_create(root_pool, 0, 60 * PAGE_2M_BYTES, &pool), OK);
	free_before = chunks_unpromised_count();
}

static uint64_t used_bytes(void)
{
	struct pool_info info;

	pool_describe(pool, &info);
	return info.used_bytes;
}

/* Works all off; returns the steps. */
static unsigned work_off(void)
{
	unsigned steps = 0;

	while (reaper_step() == REAPER_WORK_NOW) {
		steps++;
		assert_true(steps < 100000);
		assert_int_equal(fake_lock_ranks, 0);
	}
	assert_false(reaper_is_behind());
	return steps;
}

static struct memory *fragmented(uint64_t pages)
{
	struct memory *memory;
	uint64_t size = 0;

	assert_int_equal(memory_create(pool, &memory), OK);
	/* One page at a time: no run of 2 MiB is used. */
	while (size < pages * PAGE_SIZE_BYTES)
		assert_int_equal(memory_grow(memory, size + PAGE_SIZE_BYTES, &size), OK);
	return memory;
}

static void body_memory_in_portions(void)
{
	struct memory *memory;

	boot();
	memory = fragmented(5000);
	assert_false(reaper_is_behind());
	object_put(memory_object(memory));
	assert_true(reaper_is_behind());
	assert_true(used_bytes() >= 5000 * PAGE_SIZE_BYTES);
	assert_int_equal(reaper_step(), REAPER_WORK_NOW);
	assert_true(used_bytes() >= 4000 * PAGE_SIZE_BYTES); /* a portion of 512, not all */
	assert_true(reaper_is_behind());
	assert_true(work_off() >= 9);
	object_put(pool_object(pool));
	work_off();
	assert_int_equal(chunks_unpromised_count(), free_before);
}

/* Many page tables and views: each portion is bounded, and the space's pool gets all back. */
static void body_space_in_portions(void)
{
	struct memory *memory;
	struct space *space;
	uint64_t done;

	boot();
	memory = fragmented(1);
	assert_int_equal(space_create(pool, NULL, &space), OK);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(space_map(space, memory, (1 + i) << 30, 0, PAGE_SIZE_BYTES, RIGHT_READ, &done), OK);
	object_put(memory_object(memory));
	assert_int_equal(reaper_step(), UINT64_MAX); /* its views keep it */
	object_put(space_object(space));
	assert_true(work_off() >= (1000 + 2000) / 512);
	object_put(pool_object(pool));
	work_off();
	assert_int_equal(chunks_unpromised_count(), free_before);
}

static void body_pool_in_portions(void)
{
	struct pool *large;
	unsigned steps;

	fake_pc_boot_simple(4ULL * FAKE_GIB);
	assert_int_equal(pool_create(root_pool, 0, 1500 * PAGE_2M_BYTES, &large), OK);
	free_before = chunks_unpromised_count();
	for (unsigned i = 0; i < 1200 * CHUNK_PAGES; i++)
		assert_non_null(pool_alloc(large, PAGE_SIZE_BYTES));
	object_put(pool_object(large));
	steps = work_off();
	assert_true(steps >= 3);
	assert_int_equal(chunks_unpromised_count(), free_before);
}

/* However many threads end: their stacks are freed together, since that disturbs all CPUs, and not at once again. */
static void body_threads_together(void)
{
	static struct object threads[20];
	uint64_t due;

	boot();
	pause_ticks = 1ULL << 50; /* does not pass by itself */
	for (unsigned i = 0; i < 10; i++) {
		threads[i] = (struct object){.kind = OBJECT_THREAD};
		reaper_add(&threads[i]);
	}
	while (threads_freed == 0)
		assert_int_equal(reaper_step(), REAPER_WORK_NOW);
	assert_int_equal(threads_freed, 10);
	assert_false(reaper_is_behind());
	threads[10] = (struct object){.kind = OBJECT_THREAD};
	reaper_add(&threads[10]);
	while ((due = reaper_step()) == REAPER_WORK_NOW)
		continue;
	assert_true(due != UINT64_MAX);
	assert_int_equal(threads_freed, 10);
	assert_true(reaper_is_behind());
}

/* However many objects a program lets die, threads wait for them one pause at most. */
static void body_threads_do_not_wait_for_objects(void)
{
	static struct object thread = {.kind = OBJECT_THREAD};

	boot();
	pause_ticks = 0;
	reaper_add(&thread);
	for (unsigned i = 0; i < 10; i++) {
		object_put(memory_object(fragmented(1)));
		assert_int_equal(reaper_step(), REAPER_WORK_NOW);
	}
	assert_int_equal(threads_freed, 1);
}

/* From the moment its program has seen it end, a thread's memory counts as coming back. */
static void body_ending_threads_count(void)
{
	boot();
	reaper_thread_ends();
	assert_true(reaper_is_behind());
	reaper_thread_ended();
	assert_false(reaper_is_behind());
}

/* What dies on one CPU is not another one's work. */
static void body_each_cpu_frees_its_own(void)
{
	struct memory *memory;

	boot();
	memory = fragmented(600);
	fake_stack_head->cpu = &cpus[1];
	object_put(memory_object(memory));
	fake_stack_head->cpu = &cpus[0];
	assert_int_equal(reaper_step(), UINT64_MAX);
	assert_true(reaper_is_behind());
	fake_stack_head->cpu = &cpus[1];
	work_off();
}

#define PC_TEST(name)                                     \
	static void on_stack_##name(void)                 \
	{                                                 \
		fake_cpu_stack_run(&cpus[0], body_##name); \
	}                                                 \
	static void test_kernel_reaper_##name(void **state) \
	{                                                 \
		(void)state;                              \
		fake_pc_run(on_stack_##name);             \
	}
PC_TEST(memory_in_portions)
PC_TEST(space_in_portions)
PC_TEST(pool_in_portions)
PC_TEST(threads_together)
PC_TEST(threads_do_not_wait_for_objects)
PC_TEST(ending_threads_count)
PC_TEST(each_cpu_frees_its_own)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_reaper_memory_in_portions),
		cmocka_unit_test(test_kernel_reaper_space_in_portions),
		cmocka_unit_test(test_kernel_reaper_pool_in_portions),
		cmocka_unit_test(test_kernel_reaper_threads_together),
		cmocka_unit_test(test_kernel_reaper_threads_do_not_wait_for_objects),
		cmocka_unit_test(test_kernel_reaper_ending_threads_count),
		cmocka_unit_test(test_kernel_reaper_each_cpu_frees_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
