/* kernel/pool.c on a simulated PC: guarantees, limits, pools of pools, objects, and random operations against a model. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "abi/layout.h"
#include "kernel/chunks.h"
#include "kernel/object.h"
#include "kernel/pool.h"
#include "tests/fake/kernel_panic.h"
#include "tests/fake/kernel_pc.h"
#include "tests/fake/kernel_spinlock.h"

#define CHUNK(n) ((uint64_t)(n) * PAGE_2M_BYTES)

static struct pool *create(struct pool *parent, uint64_t guaranteed_chunks, uint64_t limit_chunks)
{
	struct pool *pool = NULL;

	assert_int_equal(pool_create(parent, CHUNK(guaranteed_chunks), CHUNK(limit_chunks), &pool), OK);
	return pool;
}

static struct pool_info describe(struct pool *pool)
{
	struct pool_info info;

	pool_describe(pool, &info);
	return info;
}

static void body_rejects_nonsense(void)
{
	struct pool *pool = NULL;

	fake_pc_boot_simple(64 * FAKE_MIB);
	assert_int_equal(pool_create(root_pool, 1, CHUNK(1), &pool), ERR_INVALID);
	assert_int_equal(pool_create(root_pool, 0, CHUNK(1) + 4096, &pool), ERR_INVALID);
	assert_int_equal(pool_create(root_pool, CHUNK(2), CHUNK(1), &pool), ERR_INVALID);
	assert_int_equal(pool_create(root_pool, 0, 0, &pool), ERR_INVALID);
	assert_int_equal(pool_create(root_pool, CHUNK(1ULL << 40), CHUNK(1ULL << 40), &pool), ERR_NO_MEMORY);
	assert_null(pool);
}

static void body_limit(void)
{
	struct pool *pool;

	fake_pc_boot_simple(256 * FAKE_MIB);
	pool = create(root_pool, 0, 3);
	assert_int_equal(pool_frames_alloc(pool, 4 * CHUNK_PAGES), 0);
	assert_true(pool_frames_alloc(pool, 2 * CHUNK_PAGES) != 0);
	assert_non_null(pool_page_alloc(pool));
	assert_int_equal(pool_frames_alloc(pool, 1), 0);
	assert_int_equal(describe(pool).used_bytes, CHUNK(3));
	assert_int_equal(describe(pool).free_bytes, 0);
}

static void body_guarantee_is_kept(void)
{
	struct pool *sure, *greedy;
	uint64_t total, run, taken = 0;

	fake_pc_boot_simple(256 * FAKE_MIB);
	sure = create(root_pool, 20, 20);
	greedy = create(root_pool, 0, 1000);
	total = chunks_unpromised_count();
	while ((run = pool_frames_alloc(greedy, CHUNK_PAGES)) != 0)
		taken++;
	assert_int_equal(taken, total);
	assert_null(pool_page_alloc(greedy));
	assert_int_equal(describe(greedy).free_bytes, 0);
	assert_int_equal(describe(sure).free_bytes, CHUNK(20));
	for (unsigned i = 0; i < 20; i++)
		assert_true(pool_frames_alloc(sure, CHUNK_PAGES) != 0);
	assert_int_equal(pool_frames_alloc(sure, CHUNK_PAGES), 0);
}

/* What a pool gives back of its guarantee is kept for it, in whatever form it comes back. */
static void body_guarantee_after_kernel_use(void)
{
	static void *pages[10 * CHUNK_PAGES];
	struct pool *sure, *greedy;

	fake_pc_boot_simple(256 * FAKE_MIB);
	sure = create(root_pool, 10, 10);
	greedy = create(root_pool, 0, 1000);
	for (unsigned i = 0; i < 10 * CHUNK_PAGES; i++) {
		pages[i] = pool_page_alloc(sure);
		assert_non_null(pages[i]);
	}
	assert_null(pool_page_alloc(sure));
	for (unsigned i = 0; i < 10 * CHUNK_PAGES; i++)
		pool_page_free(sure, pages[i]);
	while (pool_frames_alloc(greedy, CHUNK_PAGES) != 0)
		continue;
	assert_null(pool_page_alloc(greedy));
	for (unsigned i = 0; i < 10; i++)
		assert_true(pool_frames_alloc(sure, CHUNK_PAGES) != 0);
}

static void body_promise_bounds(void)
{
	struct pool *pool, *other = NULL;
	uint64_t all;

	fake_pc_boot_simple(256 * FAKE_MIB);
	pool_free(root_pool, pool_alloc(root_pool, 512), 512);
	all = chunks_unpromised_count();
	pool = create(root_pool, all, all);
	assert_int_equal(chunks_unpromised_count(), 0);
	assert_int_equal(pool_create(root_pool, CHUNK(1), CHUNK(1), &other), ERR_NO_MEMORY);
	object_put(pool_object(pool));
	assert_int_equal(chunks_unpromised_count(), all);
	assert_int_equal(pool_create(root_pool, CHUNK(all + 1), CHUNK(all + 1), &other), ERR_NO_MEMORY);
}

/* A pool cannot make itself bigger by pools of its own. */
static void body_child_shares(void)
{
	struct pool *parent, *child, *other = NULL;
	uint64_t before;

	fake_pc_boot_simple(256 * FAKE_MIB);
	before = chunks_unpromised_count();
	parent = create(root_pool, 10, 20);
	assert_int_equal(pool_create(parent, 0, CHUNK(20), &other), ERR_NO_MEMORY); /* one is used for the pool's own struct */
	assert_int_equal(pool_create(parent, CHUNK(10), CHUNK(10), &other), ERR_NO_MEMORY);
	assert_int_equal(pool_create(parent, CHUNK(0), CHUNK(1ULL << 40), &other), ERR_NO_MEMORY);
	child = create(parent, 4, 12);
	assert_int_equal(describe(parent).limit_bytes, CHUNK(8));
	assert_int_equal(describe(parent).guaranteed_bytes, CHUNK(6));
	for (unsigned i = 0; i < 12; i++)
		assert_true(pool_frames_alloc(child, CHUNK_PAGES) != 0);
	assert_int_equal(pool_frames_alloc(child, 1), 0);
	for (unsigned i = 0; i < 7; i++)
		assert_true(pool_frames_alloc(parent, CHUNK_PAGES) != 0);
	assert_int_equal(pool_frames_alloc(parent, 1), 0);
	assert_true(chunks_unpromised_count() < before);
}

/* While the child lives the parent uses up its rest; the child's guarantee then covers what the parent has. */
static void body_child_comes_back(void)
{
	struct pool *parent, *child;
	uint64_t before, runs[8];

	fake_pc_boot_simple(256 * FAKE_MIB);
	pool_free(root_pool, pool_alloc(root_pool, 512), 512);
	before = chunks_unpromised_count();
	parent = create(root_pool, 10, 20);
	child = create(parent, 5, 5);
	for (unsigned i = 0; i < 8; i++)
		runs[i] = pool_frames_alloc(parent, CHUNK_PAGES);
	assert_int_equal(chunks_unpromised_count(), before - 10 - 4);
	object_put(pool_object(child));
	assert_int_equal(describe(parent).guaranteed_bytes, CHUNK(10));
	assert_int_equal(describe(parent).limit_bytes, CHUNK(20));
	assert_int_equal(chunks_unpromised_count(), before - 10);
	for (unsigned i = 0; i < 8; i++)
		pool_frames_free(parent, runs[i], CHUNK_PAGES);
	assert_int_equal(chunks_unpromised_count(), before - 10);
	object_put(pool_object(parent));
	assert_int_equal(chunks_unpromised_count(), before);
}

static void body_depth(void)
{
	struct pool *pool = root_pool, *child;
	unsigned depth = 0;
	uint64_t before;

	fake_pc_boot_simple(256 * FAKE_MIB);
	pool_free(root_pool, pool_alloc(root_pool, 512), 512);
	before = chunks_unpromised_count();
	while (pool_create(pool, 0, CHUNK(60 - 5 * depth), &child) == OK) {
		if (pool != root_pool)
			object_put(pool_object(pool));
		pool = child;
		depth++;
	}
	assert_int_equal(depth, 8);
	object_put(pool_object(pool));
	assert_int_equal(chunks_unpromised_count(), before);
}

/* Chunks without a free page come back too when their pool goes. */
static void body_release_gives_all_back(void)
{
	struct pool *pool;
	uint64_t before;

	fake_pc_boot_simple(256 * FAKE_MIB);
	pool_free(root_pool, pool_alloc(root_pool, 512), 512);
	before = chunks_unpromised_count();
	pool = create(root_pool, 3, 40);
	for (unsigned i = 0; i < 6 * CHUNK_PAGES; i++)
		assert_non_null(pool_alloc(pool, 4096));
	assert_int_equal(describe(pool).used_bytes, CHUNK(6));
	object_put(pool_object(pool));
	assert_int_equal(chunks_unpromised_count(), before);
}

static void body_objects(void)
{
	static const size_t sizes[] = {1, 31, 32, 33, 64, 100, 128, 200, 256, 500, 512, 513, 1024, 2000, 2048, 2049, 4095, 4096};

	fake_pc_boot_simple(64 * FAKE_MIB);
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t align = 32;
		uint8_t *a = pool_alloc(root_pool, sizes[i]);
		uint8_t *b = pool_alloc(root_pool, sizes[i]);

		while (align < sizes[i])
			align *= 2;
		assert_int_equal(direct_physical(a) % align, 0);
		assert_true(b >= a + align || a >= b + align);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(a[at], 0);
		memset(a, 0xff, sizes[i]);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(b[at], 0);
		pool_free(root_pool, a, sizes[i]);
		assert_ptr_equal(pool_alloc(root_pool, sizes[i]), a);
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(a[at], 0);
	}
	assert_panics((void)pool_alloc(root_pool, 0));
	assert_panics((void)pool_alloc(root_pool, 4097));
}

static void body_page_is_zeroed(void)
{
	uint8_t *page;

	fake_pc_boot_simple(64 * FAKE_MIB);
	page = pool_page_alloc(root_pool);
	memset(page, 0xff, PAGE_SIZE_BYTES);
	pool_page_free(root_pool, page);
	assert_ptr_equal(pool_page_alloc(root_pool), page);
	for (unsigned i = 0; i < PAGE_SIZE_BYTES; i++)
		assert_int_equal(page[i], 0);
}

static void body_double_free_panics(void)
{
	void *page;

	fake_pc_boot_simple(64 * FAKE_MIB);
	(void)pool_page_alloc(root_pool);
	page = pool_page_alloc(root_pool);
	pool_page_free(root_pool, page);
	assert_panics(pool_page_free(root_pool, page));
}

/* Random operations of three pools. The model knows which bytes are held, each by a pattern of its own. */
#define HOLDINGS 4000U

static struct {
	struct pool *pool;
	uint64_t physical;
	uint64_t pages; /* 0: a kernel page, else frames */
} holdings[HOLDINGS];

static void assert_disjoint(unsigned which)
{
	uint64_t start = holdings[which].physical;
	uint64_t len = (holdings[which].pages != 0 ? holdings[which].pages : 1) * PAGE_SIZE_BYTES;

	for (unsigned i = 0; i < HOLDINGS; i++) {
		uint64_t other_len = (holdings[i].pages != 0 ? holdings[i].pages : 1) * PAGE_SIZE_BYTES;

		if (i != which && holdings[i].pool != NULL)
			assert_true(start + len <= holdings[i].physical || holdings[i].physical + other_len <= start);
	}
	assert_true(fake_pc_is_mapped(start) == (holdings[which].pages == 0));
}

static void take(unsigned which, struct pool *pool, unsigned kind)
{
	uint64_t pages = kind < 60 ? 0 : kind < 90 ? 1 : kind < 98 ? CHUNK_PAGES : 3 * CHUNK_PAGES;
	void *page = pages == 0 ? pool_page_alloc(pool) : NULL;
	uint64_t physical = pages == 0 ? (page != NULL ? direct_physical(page) : 0) : pool_frames_alloc(pool, pages);

	if (physical == 0)
		return;
	if (page != NULL)
		memset(page, (int)which, PAGE_SIZE_BYTES);
	holdings[which].pool = pool;
	holdings[which].physical = physical;
	holdings[which].pages = pages;
	assert_disjoint(which);
}

static void give_back(unsigned which)
{
	if (holdings[which].pages == 0) {
		uint8_t *page = direct_pointer(holdings[which].physical);

		assert_int_equal(page[0], which & 0xff);
		assert_int_equal(page[PAGE_SIZE_BYTES - 1], which & 0xff);
		pool_page_free(holdings[which].pool, page);
	} else {
		pool_frames_free(holdings[which].pool, holdings[which].physical, holdings[which].pages);
	}
	holdings[which].pool = NULL;
}

static void body_random(void)
{
	struct pool *pools[3];
	uint64_t before;

	fake_pc_boot_simple(192 * FAKE_MIB);
	pool_free(root_pool, pool_alloc(root_pool, 512), 512);
	before = chunks_unpromised_count();
	pools[0] = create(root_pool, 20, 40);
	pools[1] = create(root_pool, 0, 60);
	pools[2] = create(root_pool, 10, 10);
	srandom(1);
	for (unsigned step = 0; step < 60000; step++) {
		unsigned which = (unsigned)random() % HOLDINGS;

		if (holdings[which].pool != NULL)
			give_back(which);
		else if (step % 20000 < 15000 || random() % 4 == 0)
			take(which, pools[random() % 3], (unsigned)random() % 100);
		assert_int_equal(fake_lock_ranks, 0);
		for (unsigned i = 0; i < 3; i++) {
			struct pool_info info = describe(pools[i]);

			assert_true(info.used_bytes <= info.limit_bytes && info.free_bytes <= info.limit_bytes - info.used_bytes);
			assert_true(info.used_bytes + info.free_bytes >= info.guaranteed_bytes);
		}
	}
	for (unsigned i = 0; i < HOLDINGS; i++) {
		if (holdings[i].pool != NULL)
			give_back(i);
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(describe(pools[i]).used_bytes, 0);
		object_put(pool_object(pools[i]));
	}
	assert_int_equal(chunks_unpromised_count(), before);
}

#define PC_TEST(name)                                   \
	static void test_kernel_pool_##name(void **state) \
	{                                               \
		(void)state;                            \
		fake_pc_run(body_##name);               \
	}
PC_TEST(rejects_nonsense)
PC_TEST(limit)
PC_TEST(guarantee_is_kept)
PC_TEST(guarantee_after_kernel_use)
PC_TEST(promise_bounds)
PC_TEST(child_shares)
PC_TEST(child_comes_back)
PC_TEST(depth)
PC_TEST(release_gives_all_back)
PC_TEST(objects)
PC_TEST(page_is_zeroed)
PC_TEST(double_free_panics)
PC_TEST(random)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_pool_rejects_nonsense),
		cmocka_unit_test(test_kernel_pool_limit),
		cmocka_unit_test(test_kernel_pool_guarantee_is_kept),
		cmocka_unit_test(test_kernel_pool_guarantee_after_kernel_use),
		cmocka_unit_test(test_kernel_pool_promise_bounds),
		cmocka_unit_test(test_kernel_pool_child_shares),
		cmocka_unit_test(test_kernel_pool_child_comes_back),
		cmocka_unit_test(test_kernel_pool_depth),
		cmocka_unit_test(test_kernel_pool_release_gives_all_back),
		cmocka_unit_test(test_kernel_pool_objects),
		cmocka_unit_test(test_kernel_pool_page_is_zeroed),
		cmocka_unit_test(test_kernel_pool_double_free_panics),
		cmocka_unit_test(test_kernel_pool_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
