/* kernel/chunks_init.c, chunks.c with pool.c on top: memory maps of many shapes, and that every page is given out once. */
#include "tests/unit/unit.h"

#include <sys/mman.h>
#include <time.h>

#include "abi/layout.h"
#include "kernel/chunks.h"
#include "kernel/pool.h"
#include "tests/fake/kernel_log.h"
#include "tests/fake/kernel_pc.h"
#include "tests/fake/kernel_spinlock.h"

#define LOW_END 0x100000ULL

/* Which pages the test holds. */
static uint64_t *held;
static uint64_t held_pages;

static void hold(uint64_t physical, uint64_t page_count)
{
	uint64_t page = physical / PAGE_SIZE_BYTES;

	assert_true(physical >= LOW_END && physical % PAGE_SIZE_BYTES == 0);
	if (held == NULL)
		held = mmap(NULL, 1ULL << 26, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (page_count % 64 == 0) {
		assert_int_equal(page % 64, 0);
		for (uint64_t word = page / 64; word < (page + page_count) / 64; word++) {
			assert_int_equal(held[word], 0);
			held[word] = UINT64_MAX;
		}
	} else {
		assert_int_equal(page_count, 1);
		assert_false(held[page / 64] >> (page % 64) & 1);
		held[page / 64] |= 1ULL << (page % 64);
	}
	held_pages += page_count;
}

static bool lies_in(const struct boot_memory *entry, uint64_t physical, uint64_t len_bytes)
{
	return physical >= entry->base_physical && physical + len_bytes <= entry->base_physical + entry->length_bytes;
}

static void assert_is_ours(const struct boot_memory *map, uint32_t count, uint64_t physical, uint64_t len_bytes)
{
	for (uint32_t i = 0; i < count; i++) {
		if ((map[i].type == BOOT_MEMORY_USABLE || map[i].type == BOOT_MEMORY_HEAP) && lies_in(&map[i], physical, len_bytes))
			return;
	}
	fail_msg("page %lx is not ours", (unsigned long)physical);
}

/* Takes all there is: runs, then frames, then kernel pages. */
static void take_everything(const struct boot_memory *map, uint32_t count)
{
	uint64_t physical;
	void *page;

	while ((physical = pool_frames_alloc(root_pool, CHUNK_PAGES)) != 0) {
		assert_is_ours(map, count, physical, PAGE_2M_BYTES);
		assert_int_equal(physical % PAGE_2M_BYTES, 0);
		assert_true(pool_frame_is_run(physical) && !fake_pc_is_mapped(physical));
		hold(physical, CHUNK_PAGES);
	}
	while ((physical = pool_frames_alloc(root_pool, 1)) != 0) {
		assert_is_ours(map, count, physical, PAGE_SIZE_BYTES);
		assert_true(!pool_frame_is_run(physical) && !fake_pc_is_mapped(physical));
		hold(physical, 1);
	}
	while ((page = pool_page_alloc(root_pool)) != NULL) {
		assert_is_ours(map, count, direct_physical(page), PAGE_SIZE_BYTES);
		hold(direct_physical(page), 1);
	}
}

/* Pages above 1 MiB that the map says are free, with the unused part of the heap. */
static uint64_t pages_of(const struct boot_memory *map, uint32_t count, uint64_t heap_used_bytes)
{
	uint64_t pages = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint64_t end = map[i].base_physical + map[i].length_bytes;
		uint64_t base = map[i].base_physical > LOW_END ? map[i].base_physical : LOW_END;

		if (map[i].type == BOOT_MEMORY_USABLE && end > base)
			pages += (end - base) / PAGE_SIZE_BYTES;
		if (map[i].type == BOOT_MEMORY_HEAP)
			pages += (map[i].length_bytes - heap_used_bytes) / PAGE_SIZE_BYTES;
	}
	return pages;
}

/* Boots on the map and finds each of its pages once: handed out, a page table, or the chunk array (of at most array_pages). */
static void check_map(const struct boot_memory *map, uint32_t count, uint64_t array_pages)
{
	uint64_t expected = pages_of(map, count, 0x100000);
	uint64_t rest;

	fake_pc_boot(map, count);
	assert_int_equal(fake_lock_ranks, 0);
	take_everything(map, count);
	rest = expected - fake_pc_table_pages() - held_pages;
	assert_in_range(rest, 1, array_pages);
	assert_int_equal(chunks_unpromised_count(), 0);
}

static uint64_t array_pages_for(uint64_t bytes)
{
	return (bytes / PAGE_2M_BYTES + 8) * sizeof(struct chunk) / PAGE_SIZE_BYTES + 1;
}

static void body_256_mib(void)
{
	static const struct boot_memory map[] = {
		{0x1000, 0x9e000, BOOT_MEMORY_USABLE, 0},
		{0x100000, 0xf00000, BOOT_MEMORY_USABLE, 0},
		{0x1000000, 0x400000, BOOT_MEMORY_HEAP, 0},
		{0x1400000, 256 * FAKE_MIB - 0x1400000, BOOT_MEMORY_USABLE, 0},
	};

	check_map(map, 4, array_pages_for(256 * FAKE_MIB));
}

/* An UEFI map as OVMF leaves it: many pieces, none aligned, reserved pages inside chunks. */
static void body_fragments(void)
{
	static const struct boot_memory map[] = {
		{0x0, 0xa0000, BOOT_MEMORY_USABLE, 0},
		{0x100000, 0x700000, BOOT_MEMORY_USABLE, 0},
		{0x800000, 0x8000, BOOT_MEMORY_ACPI_NVS, 0},
		{0x808000, 0x3000, BOOT_MEMORY_USABLE, 0},
		{0x80b000, 0x1000, BOOT_MEMORY_ACPI_NVS, 0},
		{0x80c000, 0x5000, BOOT_MEMORY_USABLE, 0},
		{0x811000, 0xef000, BOOT_MEMORY_RESERVED, 0},
		{0x900000, 0x3fff000, BOOT_MEMORY_USABLE, 0},
		{0x48ff000, 0x1000, BOOT_MEMORY_FILES, 0},
		{0x4900000, 0x300000, BOOT_MEMORY_USABLE, 0},
		{0x4c00000, 0x234000, BOOT_MEMORY_KERNEL, 0},
		{0x4e34000, 0x1cc000, BOOT_MEMORY_USABLE, 0},
		{0x5000000, 0x400000, BOOT_MEMORY_HEAP, 0},
		{0x5400000, 0xa8d1000, BOOT_MEMORY_USABLE, 0},
		{0xfcd1000, 0x1000, BOOT_MEMORY_UEFI_RUNTIME, 0},
		{0xfcd2000, 0x1000, BOOT_MEMORY_USABLE, 0},
		{0xfcd3000, 0x20000, BOOT_MEMORY_ACPI_RECLAIM, 0},
		{0xfcf3000, 0x1000, BOOT_MEMORY_USABLE, 0},
	};

	check_map(map, sizeof(map) / sizeof(map[0]), array_pages_for(256 * FAKE_MIB));
}

/* All big RAM above 4 GiB, the heap too; below it only scraps, in which no chunk is whole. */
static void body_above_4_gib(void)
{
	static const struct boot_memory map[] = {
		{0x1000, 0x9e000, BOOT_MEMORY_USABLE, 0},
		{0x100000, 0x80000, BOOT_MEMORY_USABLE, 0},
		{0x3ff000, 0x2000, BOOT_MEMORY_USABLE, 0},
		{4 * FAKE_GIB, 0x3000, BOOT_MEMORY_USABLE, 0},
		{4 * FAKE_GIB + 0x200000, 0x400000, BOOT_MEMORY_HEAP, 0},
		{4 * FAKE_GIB + 0x601000, 3 * FAKE_GIB, BOOT_MEMORY_USABLE, 0},
	};

	check_map(map, 6, array_pages_for(3 * FAKE_GIB));
}

static void body_1_tib(void)
{
	static const struct boot_memory map[] = {
		{0x1000, 0x9e000, BOOT_MEMORY_USABLE, 0},
		{0x100000, 0xf00000, BOOT_MEMORY_USABLE, 0},
		{0x1000000, 0x400000, BOOT_MEMORY_HEAP, 0},
		{0x1400000, 2 * FAKE_GIB - 0x1400000, BOOT_MEMORY_USABLE, 0},
		{4 * FAKE_GIB, 1022 * FAKE_GIB, BOOT_MEMORY_USABLE, 0},
	};

	check_map(map, 5, array_pages_for(1024 * FAKE_GIB));
	assert_int_equal(chunks_total_bytes(), 1024 * FAKE_GIB - 0x400000 - 0x100000);
}

/* A chunk array of more than one chunk: its full chunks have no page to give. */
static void body_kernel_pages_only(void)
{
	uint64_t pages = 0;

	fake_pc_boot_simple(64 * FAKE_GIB);
	for (; pages < 4 * CHUNK_PAGES; pages++) {
		const void *page = pool_page_alloc(root_pool);

		assert_non_null(page);
		hold(direct_physical(page), 1);
	}
}

/* Islands of 4 MiB, each in a GiB of its own: many page directories for little memory. */
static void body_islands(void)
{
	static struct boot_memory map[60];

	map[0] = (struct boot_memory){0x400000, 0x400000, BOOT_MEMORY_HEAP, 0};
	map[1] = (struct boot_memory){0x800000, 0x800000, BOOT_MEMORY_USABLE, 0};
	for (unsigned i = 2; i < 60; i++)
		map[i] = (struct boot_memory){i * FAKE_GIB, 0x400000, BOOT_MEMORY_USABLE, 0};
	check_map(map, 60, array_pages_for(FAKE_GIB));
}

/* More pieces than there are regions: the rest is named and left, nothing else breaks. */
static void body_too_many_pieces(void)
{
	static struct boot_memory map[302];

	map[0] = (struct boot_memory){0x400000, 0x400000, BOOT_MEMORY_HEAP, 0};
	map[1] = (struct boot_memory){0x800000, 0x8000000, BOOT_MEMORY_USABLE, 0};
	for (unsigned i = 2; i < 302; i++)
		map[i] = (struct boot_memory){0x10000000 + i * 0x600000ULL, 0x200000, BOOT_MEMORY_USABLE, 0};
	fake_pc_boot(map, 302);
	assert_true(fake_log_lines > 0);
	take_everything(map, 302);
	assert_in_range(held_pages, 64 * CHUNK_PAGES + 250 * CHUNK_PAGES, 64 * CHUNK_PAGES + 260 * CHUNK_PAGES);
}

static void body_too_little(void)
{
	static const struct boot_memory map[] = {
		{0x100000, 0x80000, BOOT_MEMORY_USABLE, 0},
		{0x400000, 0x400000, BOOT_MEMORY_HEAP, 0},
		{0x901000, 0x280000, BOOT_MEMORY_USABLE, 0},
	};

	assert_int_equal(chunks_init(fake_pc_power_on(map, 3, 0x100000), root_pool), ERR_NO_MEMORY);
}

/* The heap's last page in use, and none: both ends of its bitmap. */
static void body_heap_full(void)
{
	static const struct boot_memory map[] = {
		{0x400000, 0x400000, BOOT_MEMORY_HEAP, 0},
		{0x800000, 0x8000000, BOOT_MEMORY_USABLE, 0},
	};

	assert_int_equal(chunks_init(fake_pc_power_on(map, 2, 0x3ff000), root_pool), OK);
	take_everything(map, 2);
	for (uint64_t at = 0x400000; at < 0x7ff000; at += PAGE_SIZE_BYTES)
		assert_false(held[at / PAGE_SIZE_BYTES / 64] >> (at / PAGE_SIZE_BYTES % 64) & 1);
	assert_true(held[0x7ff000 / PAGE_SIZE_BYTES / 64] >> 63);
}

static void body_chunk_at(void)
{
	static const struct boot_memory map[] = {
		{0x400000, 0x400000, BOOT_MEMORY_HEAP, 0},
		{0x800000, 0x8000000, BOOT_MEMORY_USABLE, 0},
		{0x8a00000, 0x300000, BOOT_MEMORY_USABLE, 0},
	};

	fake_pc_boot(map, 3);
	assert_null(chunk_at(0));
	assert_null(chunk_at(0x3fffff));
	assert_int_equal(chunk_at(0x400000)->physical, 0x400000);
	assert_int_equal(chunk_at(0x7fffff)->physical, 0x600000);
	assert_int_equal(chunk_at(0x800000)->physical, 0x800000);
	assert_int_equal(chunk_at(0x87fffff)->physical, 0x8600000);
	assert_null(chunk_at(0x8800000));
	assert_int_equal(chunk_at(0x8a00000)->physical, 0x8a00000);
	assert_int_equal(chunk_at(0x8cfffff)->physical, 0x8c00000);
	assert_null(chunk_at(0x8e00000));
	assert_null(chunk_at(UINT64_MAX));
}

/* Runs of a GiB come aligned while there are such, then anyhow, then not at all. */
static void body_large_runs(void)
{
	const uint64_t run_pages = CHUNK_PAGES * CHUNK_PAGES;
	uint64_t physical[4];

	fake_pc_boot_simple(4 * FAKE_GIB);
	for (unsigned i = 0; i < 3; i++) {
		physical[i] = pool_frames_alloc(root_pool, run_pages);
		assert_true(physical[i] != 0 && physical[i] % FAKE_GIB == 0);
		hold(physical[i], run_pages);
	}
	assert_int_equal(pool_frames_alloc(root_pool, run_pages), 0);
	pool_frames_free(root_pool, physical[1], run_pages);
	physical[3] = pool_frames_alloc(root_pool, CHUNK_PAGES);
	assert_in_range(physical[3], physical[1], physical[1] + FAKE_GIB - 1);
	assert_int_equal(pool_frames_alloc(root_pool, run_pages), 0);
	pool_frames_free(root_pool, physical[3], CHUNK_PAGES);
	assert_int_equal(pool_frames_alloc(root_pool, run_pages), physical[1]);
}

/* A chunk that page tables and objects gave back can become a guest's RAM, and is then mapped no more. */
static void body_kernel_chunk_becomes_frames(void)
{
	static void *pages[1 << 16];
	unsigned count = 0;
	uint64_t runs = 0;

	fake_pc_boot_simple(64 * FAKE_MIB);
	while ((pages[count] = pool_page_alloc(root_pool)) != NULL)
		count++;
	assert_int_equal(chunks_unpromised_count(), 0);
	assert_int_equal(pool_frames_alloc(root_pool, CHUNK_PAGES), 0);
	for (unsigned i = 0; i < count; i++)
		pool_page_free(root_pool, pages[i]);
	while (pool_frames_alloc(root_pool, CHUNK_PAGES) != 0)
		runs++;
	assert_true(runs >= count / CHUNK_PAGES - 1);
	assert_null(chunks_take(root_pool, CHUNK_KERNEL, 1, 0));
}

/* One free chunk among half a million, just before where the search starts: found without looking at each. */
static void body_search_is_bounded(void)
{
	static uint64_t runs[1U << 19];
	uint64_t count = 0;
	clock_t start;

	fake_pc_boot_simple(1024ULL * FAKE_GIB);
	while (count < (1U << 19) && (runs[count] = pool_frames_alloc(root_pool, CHUNK_PAGES)) != 0)
		count++;
	assert_true(count > 500000);
	start = clock();
	for (unsigned i = 0; i < 2000; i++) {
		pool_frames_free(root_pool, runs[count - 3], CHUNK_PAGES);
		pool_frames_free(root_pool, runs[count - 2], CHUNK_PAGES);
		assert_int_equal(pool_frames_alloc(root_pool, CHUNK_PAGES), runs[count - 2]);
		assert_int_equal(pool_frames_alloc(root_pool, CHUNK_PAGES), runs[count - 3]);
	}
	/* Here 0.1 s; 20 s and more when each search looks at every chunk. */
	assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
}

#define PC_TEST(name)                                     \
	static void test_kernel_chunks_##name(void **state) \
	{                                                 \
		(void)state;                              \
		fake_pc_run(body_##name);                 \
	}
PC_TEST(256_mib)
PC_TEST(fragments)
PC_TEST(above_4_gib)
PC_TEST(1_tib)
PC_TEST(kernel_pages_only)
PC_TEST(islands)
PC_TEST(too_many_pieces)
PC_TEST(too_little)
PC_TEST(heap_full)
PC_TEST(chunk_at)
PC_TEST(large_runs)
PC_TEST(kernel_chunk_becomes_frames)
PC_TEST(search_is_bounded)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_chunks_256_mib),
		cmocka_unit_test(test_kernel_chunks_fragments),
		cmocka_unit_test(test_kernel_chunks_above_4_gib),
		cmocka_unit_test(test_kernel_chunks_1_tib),
		cmocka_unit_test(test_kernel_chunks_kernel_pages_only),
		cmocka_unit_test(test_kernel_chunks_islands),
		cmocka_unit_test(test_kernel_chunks_too_many_pieces),
		cmocka_unit_test(test_kernel_chunks_too_little),
		cmocka_unit_test(test_kernel_chunks_heap_full),
		cmocka_unit_test(test_kernel_chunks_chunk_at),
		cmocka_unit_test(test_kernel_chunks_large_runs),
		cmocka_unit_test(test_kernel_chunks_kernel_chunk_becomes_frames),
		cmocka_unit_test(test_kernel_chunks_search_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
