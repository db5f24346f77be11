/* EPT builder: sizes, rights, progress, splitting, and that nothing leaks. */
#include <stdlib.h>

#include "tests/unit/unit.h"
#include "vmx/ept.h"

#define M2 0x200000ULL
#define G1 0x40000000ULL

static unsigned pages_out, pages_left;

static void *page_alloc(void *context)
{
	(void)context;
	if (pages_left == 0)
		return NULL;
	pages_left--;
	pages_out++;
	return memset(aligned_alloc(4096, 4096), 0, 4096);
}

static void page_free(void *context, void *page)
{
	(void)context;
	pages_out--;
	free(page);
}

static uint64_t physical(const void *page)
{
	return (uintptr_t)page;
}

static void *pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static const struct ept_provider provider = {page_alloc, page_free, physical, pointer};

static struct ept fresh(bool use_2m, bool use_1g)
{
	struct ept ept;

	pages_out = 0;
	pages_left = 10000;
	assert_int_equal(ept_create(&ept, &provider, NULL), OK);
	ept.use_2m = use_2m;
	ept.use_1g = use_1g;
	return ept;
}

/* A walk of its own: SDM Vol. 3C, "EPT Translation Mechanism". False: not mapped. */
static bool lookup(const struct ept *ept, uint64_t gpa, uint64_t *hpa, unsigned *rights, uint64_t *page_bytes)
{
	const uint64_t *table = ept->root;

	for (unsigned shift = 39;; shift -= 9) {
		uint64_t entry = table[gpa >> shift & 511], in_page = (UINT64_C(1) << shift) - 1;

		if ((entry & 7) == 0)
			return false;
		if (shift == 12 || (entry >> 7 & 1) != 0) {
			*page_bytes = in_page + 1;
			*hpa = (entry & 0x000ffffffffff000ULL & ~in_page) + (gpa & in_page);
			*rights = entry & 7;
			return true;
		}
		table = ept->provider->pointer(entry & 0x000ffffffffff000ULL);
	}
}

static void check(const struct ept *ept, uint64_t gpa, uint64_t wanted_hpa, uint64_t wanted_size)
{
	uint64_t hpa, size;
	unsigned rights;

	assert_true(lookup(ept, gpa, &hpa, &rights, &size));
	assert_true(hpa == wanted_hpa);
	assert_true(size == wanted_size);
}

static void finish(struct ept *ept)
{
	assert_true(ept_destroy(ept, UINT32_MAX));
	assert_int_equal(pages_out, 0);
}

static void test_ept_is_destroyed_in_portions(void **state)
{
	struct ept ept = fresh(false, false);
	uint64_t done;
	unsigned portions = 1;

	(void)state;
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(ept_map(&ept, i * G1, 0, 4096, 7, 512, &done), OK);
	while (!ept_destroy(&ept, 16)) {
		assert_int_equal(pages_out, 82 - 16 * portions);
		portions++;
	}
	assert_int_equal(pages_out, 0);
	assert_int_equal(portions, 6);
}

static void test_ept_uses_largest_pages_that_fit(void **state)
{
	struct ept ept = fresh(true, true);
	uint64_t done;

	(void)state;
	/* from 1 MiB below a 1 GiB boundary to 4 KiB behind the next: 4K, 1G, 4K */
	assert_int_equal(ept_map(&ept, G1 - M2, 5 * G1 - M2, M2 + G1 + 4096, 7, 512, &done), OK);
	assert_true(done == M2 + G1 + 4096);
	check(&ept, G1 - M2 + 123, 5 * G1 - M2 + 123, M2);
	check(&ept, G1 + 0x12345678, 5 * G1 + 0x12345678, G1);
	check(&ept, 2 * G1, 6 * G1, 4096);
	finish(&ept);
}

static void test_ept_small_pages_when_large_ones_are_off(void **state)
{
	struct ept ept = fresh(false, false);
	uint64_t done;

	(void)state;
	assert_int_equal(ept_map(&ept, 0, 0, M2, 7, 512, &done), OK);
	assert_true(done == M2);
	check(&ept, 0x5000, 0x5000, 4096);
	finish(&ept);
	ept = fresh(true, false);
	assert_int_equal(ept_map(&ept, 0, 0, G1, 7, 512, &done), OK);
	check(&ept, 0x5000, 0x5000, M2);
	finish(&ept);
}

static void test_ept_misaligned_ends_take_small_pages(void **state)
{
	struct ept ept = fresh(true, true);
	uint64_t done;

	(void)state;
	assert_int_equal(ept_map(&ept, M2, M2 + 4096, M2, 7, 512, &done), OK);
	check(&ept, M2, M2 + 4096, 4096);
	finish(&ept);
}

static void test_ept_progress_is_bounded_and_resumes(void **state)
{
	struct ept ept = fresh(false, false);
	uint64_t done;

	(void)state;
	assert_int_equal(ept_map(&ept, 0, 0, M2, 7, 100, &done), OK);
	assert_true(done == 100 * 4096);
	assert_int_equal(ept_map(&ept, done, done, M2 - done, 7, 512, &done), OK);
	assert_true(done == 412 * 4096);
	finish(&ept);
}

static void test_ept_rejects_overlap(void **state)
{
	struct ept ept = fresh(true, true);
	uint64_t done;

	(void)state;
	assert_int_equal(ept_map(&ept, 0x3000, 0, 4096, 7, 512, &done), OK);
	assert_int_equal(ept_map(&ept, 0x2000, 0x8000, 0x3000, 7, 512, &done), ERR_EXISTS);
	assert_true(done == 0x1000);
	assert_int_equal(ept_map(&ept, G1, G1, G1, 7, 512, &done), OK);
	assert_int_equal(ept_map(&ept, G1 + M2, 0, 4096, 7, 512, &done), ERR_EXISTS);
	finish(&ept);
}

static void test_ept_table_below_takes_small_pages(void **state)
{
	struct ept ept = fresh(true, true);
	uint64_t done;

	(void)state;
	assert_int_equal(ept_map(&ept, 0, 0, 4096, 7, 512, &done), OK);
	assert_int_equal(ept_unmap(&ept, 0, 4096, 512, &done), OK);
	assert_int_equal(ept_map(&ept, 0, 0, M2, 7, 600, &done), OK); /* the empty table is used again */
	assert_true(done >= 4096);
	check(&ept, 0, 0, 4096);
	finish(&ept);
}

static void test_ept_unmap_splits_what_reaches_beyond(void **state)
{
	struct ept ept = fresh(true, true);
	uint64_t done, hpa, size;
	unsigned rights;

	(void)state;
	assert_int_equal(ept_map(&ept, 0, 0, G1, 5, 512, &done), OK);
	assert_int_equal(ept_unmap(&ept, M2 + 0x3000, 0x1000, 512, &done), OK);
	assert_false(lookup(&ept, M2 + 0x3000, &hpa, &rights, &size));
	check(&ept, M2 + 0x2000, M2 + 0x2000, 4096);
	check(&ept, M2 + 0x4000, M2 + 0x4000, 4096);
	check(&ept, 3 * M2, 3 * M2, M2);
	assert_true(lookup(&ept, M2, &hpa, &rights, &size));
	assert_int_equal(rights, 5);
	finish(&ept);
}

static void test_ept_unmap_skips_holes_fast(void **state)
{
	struct ept ept = fresh(true, true);
	uint64_t done;

	(void)state;
	assert_int_equal(ept_unmap(&ept, 0, 1ULL << 46, 512, &done), OK);
	assert_true(done == 1ULL << 46);
	finish(&ept);
}

static void test_ept_out_of_pages_reports_progress(void **state)
{
	struct ept ept = fresh(false, false);
	uint64_t done;

	(void)state;
	pages_left = 3; /* one table of each level: 2 MiB */
	assert_int_equal(ept_map(&ept, 0, 0, 2 * M2, 7, 1024, &done), ERR_NO_MEMORY);
	assert_true(done == M2);
	finish(&ept);
	pages_left = 0;
	assert_int_equal(ept_create(&ept, &provider, NULL), ERR_NO_MEMORY);
}

/* SDM Vol. 3C, "Format of an EPT Page-Table Entry that Maps a 4-KByte Page": write-back, ignore PAT. */
static void test_ept_leaf_entry_bits(void **state)
{
	struct ept ept = fresh(true, true);
	uint64_t done, *table;

	(void)state;
	assert_int_equal(ept_map(&ept, 0x7000, 0x123456000, 4096, EPT_READ | EPT_EXECUTE, 512, &done), OK);
	table = ept.root;
	for (unsigned level = 3; level > 0; level--) {
		assert_int_equal(table[0] & 0xfff, 7);
		table = pointer(table[0] & ~0xfffULL);
	}
	assert_true(table[7] == (0x123456000 | 5 | 6 << 3 | 1 << 6));
	assert_int_equal(ept_map(&ept, G1, G1, G1, 3, 512, &done), OK);
	assert_true(((uint64_t *)pointer(ept.root[0] & ~0xfffULL))[1] == (G1 | 3 | 6 << 3 | 1 << 6 | 1 << 7));
	finish(&ept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ept_is_destroyed_in_portions),
		cmocka_unit_test(test_ept_uses_largest_pages_that_fit),
		cmocka_unit_test(test_ept_small_pages_when_large_ones_are_off),
		cmocka_unit_test(test_ept_misaligned_ends_take_small_pages),
		cmocka_unit_test(test_ept_progress_is_bounded_and_resumes),
		cmocka_unit_test(test_ept_rejects_overlap),
		cmocka_unit_test(test_ept_table_below_takes_small_pages),
		cmocka_unit_test(test_ept_unmap_splits_what_reaches_beyond),
		cmocka_unit_test(test_ept_unmap_skips_holes_fast),
		cmocka_unit_test(test_ept_out_of_pages_reports_progress),
		cmocka_unit_test(test_ept_leaf_entry_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
