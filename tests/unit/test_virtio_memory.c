/* Guest memory as devices see it: one memory, whatever slots it lies in. */
#include "tests/unit/unit.h"
#include "vmm/virtio_memory.h"

#define SLOT_BYTES 0x2000U
#define ROM_BASE   0x10000U

static _Alignas(4096) uint8_t low[SLOT_BYTES], high[SLOT_BYTES], rom[SLOT_BYTES];
static struct gmem gm;
static struct guest_memory memory;

static int build(void **state)
{
	(void)state;
	gm = (struct gmem){0};
	memset(low, 1, sizeof(low));
	memset(high, 2, sizeof(high));
	memset(rom, 3, sizeof(rom));
	/* high lies behind low for the guest, not here. */
	assert_int_equal(gmem_add_slot(&gm, gpa(0), SLOT_BYTES, low), OK);
	assert_int_equal(gmem_add_slot(&gm, gpa(SLOT_BYTES), SLOT_BYTES, high), OK);
	assert_int_equal(gmem_add_rom(&gm, gpa(ROM_BASE), SLOT_BYTES, rom, NULL), OK);
	memory = virtio_memory(&gm);
	return 0;
}

static void test_virtio_memory_cuts_spans_at_slots(void **state)
{
	uint8_t bytes[16];

	(void)state;
	assert_int_equal(guest_memory_read(&memory, SLOT_BYTES - 6, bytes, 16), OK);
	assert_memory_equal(bytes, "\1\1\1\1\1\1\2\2\2\2\2\2\2\2\2\2", 16);
	assert_int_equal(guest_memory_write(&memory, SLOT_BYTES - 3, "abcdefg", 7), OK);
	assert_memory_equal(low + SLOT_BYTES - 3, "abc", 3);
	assert_memory_equal(high, "defg\2", 5);
}

static void test_virtio_memory_copies_nothing_of_a_bad_span(void **state)
{
	uint8_t bytes[16] = {9, 9};

	(void)state;
	assert_int_equal(guest_memory_read(&memory, 2 * SLOT_BYTES - 2, bytes, 3), ERR_OUT_OF_RANGE);
	assert_int_equal(bytes[0], 9);
	assert_int_equal(guest_memory_write(&memory, 2 * SLOT_BYTES - 2, "xyz", 3), ERR_OUT_OF_RANGE);
	assert_int_equal(high[SLOT_BYTES - 2], 2);
	assert_int_equal(guest_memory_write(&memory, UINT64_MAX - 1, "xyz", 3), ERR_OUT_OF_RANGE);
	assert_int_equal(guest_memory_write(&memory, ROM_BASE, "xyz", 3), ERR_OUT_OF_RANGE);
	assert_int_equal(guest_memory_write(&memory, ROM_BASE, "wxyz", 4), ERR_OUT_OF_RANGE);
	assert_int_equal(guest_memory_read(&memory, ROM_BASE + 1, bytes, 3), OK);
	assert_int_equal(bytes[0], 3);
}

static void test_virtio_memory_moves_single_values(void **state)
{
	static const size_t widths[] = {2, 4, 8};
	const uint64_t value = 0x1122334455667788;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		uint64_t read = 0;

		assert_int_equal(guest_memory_write(&memory, 0x100, &value, widths[i]), OK);
		assert_memory_equal(low + 0x100, &value, widths[i]);
		assert_int_equal(low[0x100 + widths[i]], 1);
		assert_int_equal(guest_memory_read(&memory, 0x100, &read, widths[i]), OK);
		assert_memory_equal(&read, &value, widths[i]);
		assert_int_equal(guest_memory_read(&memory, 2 * SLOT_BYTES, &read, widths[i]), ERR_OUT_OF_RANGE);
		assert_int_equal(guest_memory_write(&memory, 2 * SLOT_BYTES, &read, widths[i]), ERR_OUT_OF_RANGE);
		memset(low, 1, sizeof(low));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_memory_cuts_spans_at_slots, build),
		cmocka_unit_test_setup(test_virtio_memory_copies_nothing_of_a_bad_span, build),
		cmocka_unit_test_setup(test_virtio_memory_moves_single_values, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
