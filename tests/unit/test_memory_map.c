/* vmm/memory_map: pieces never overlap, cover the whole memory object but the hole below 1 MiB, and stay out of device memory. */
#include "vmm/memory_map.h"

#include "tests/unit/unit.h"

#define MIB 0x100000ULL
#define GIB 0x40000000ULL

static void test_memory_map_refuses_too_little(void **state)
{
	struct memory_map map = {.piece_count = 77};

	(void)state;
	assert_int_equal(memory_map_make(VMM_MEMORY_LEAST_BYTES - 4096, &map), ERR_OUT_OF_RANGE);
	assert_int_equal(map.piece_count, 77);
}

static void test_memory_map_small_vm_lies_low(void **state)
{
	struct memory_map map;

	(void)state;
	assert_int_equal(memory_map_make(256 * MIB, &map), OK);
	assert_int_equal(map.piece_count, 3);
	assert_int_equal(map.e820_count, 3);
	assert_int_equal(map.pieces[0].length_bytes, 640 * 1024);
	assert_int_equal(map.e820[1].type, 2); /* ACPI tables: reserved */
	assert_int_equal(map.pieces[2].gpa, MIB);
	assert_int_equal(map.pieces[2].length_bytes, 255 * MIB);
}

static void test_memory_map_large_vm_goes_on_at_4g(void **state)
{
	struct memory_map map;

	(void)state;
	assert_int_equal(memory_map_make(8 * GIB, &map), OK);
	assert_int_equal(map.piece_count, 4);
	assert_int_equal(map.low_end, 2 * GIB);
	assert_int_equal(map.pieces[2].gpa + map.pieces[2].length_bytes, 2 * GIB);
	assert_int_equal(map.pieces[3].gpa, 4 * GIB);
	assert_int_equal(map.pieces[3].offset_bytes, 2 * GIB);
	assert_int_equal(map.pieces[3].length_bytes, 6 * GIB);
	assert_int_equal(map.e820[3].type, 1);
}

/* As QEMU's Q35: at 2.75 GiB firmware puts something else. */
static void test_memory_map_splits_from_2816m_on(void **state)
{
	struct memory_map map;

	(void)state;
	assert_int_equal(memory_map_make(2816 * MIB - 4096, &map), OK);
	assert_int_equal(map.piece_count, 3);
	assert_int_equal(map.low_end, 2816 * MIB - 4096);
	assert_int_equal(memory_map_make(2816 * MIB, &map), OK);
	assert_int_equal(map.piece_count, 4);
	assert_int_equal(map.pieces[3].length_bytes, 768 * MIB);
	assert_int_equal(memory_map_low_end(2816 * MIB), 2 * GIB);
}

static void test_memory_map_devices_are_above_all_memory(void **state)
{
	(void)state;
	assert_int_equal(memory_map_high_window_gib(256 * MIB), 4);
	assert_int_equal(memory_map_high_window_gib(2 * GIB), 4);
	assert_int_equal(memory_map_high_window_gib(3 * GIB), 5);
	assert_int_equal(memory_map_high_window_gib(3 * GIB + 4096), 6);
	assert_int_equal(memory_map_high_window_gib(64 * GIB), 66);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_map_refuses_too_little),
		cmocka_unit_test(test_memory_map_small_vm_lies_low),
		cmocka_unit_test(test_memory_map_large_vm_goes_on_at_4g),
		cmocka_unit_test(test_memory_map_splits_from_2816m_on),
		cmocka_unit_test(test_memory_map_devices_are_above_all_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
