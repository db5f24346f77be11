/* Guest memory's slots and spans: last byte, one past it, wrap-around, holes. */
#include "vmm/gmem.h"
#include "tests/unit/unit.h"

#define LOW_BYTES  0x2000
#define HIGH_BASE  0x100000
#define HIGH_BYTES 0x3000

static _Alignas(4096) uint8_t low[LOW_BYTES];
static _Alignas(4096) uint8_t high[HIGH_BYTES];
static struct gmem gm;

static int build(void **state)
{
	(void)state;
	gm = (struct gmem){0};
	memset(low, 0x11, sizeof(low));
	memset(high, 0x22, sizeof(high));
	assert_int_equal(gmem_add_slot(&gm, gpa(0), LOW_BYTES, low), OK);
	assert_int_equal(gmem_add_slot(&gm, gpa(HIGH_BASE), HIGH_BYTES, high), OK);
	return 0;
}

static void test_gmem_add_slot_refuses_nonsense(void **state)
{
	static _Alignas(4096) uint8_t page[4096];

	(void)state;
	assert_int_equal(gmem_add_slot(&gm, gpa(0x200800), 4096, page), ERR_MISALIGNED);
	assert_int_equal(gmem_add_slot(&gm, gpa(0x200000), 4095, page), ERR_MISALIGNED);
	assert_int_equal(gmem_add_slot(&gm, gpa(0x200000), 4096, page + 8), ERR_MISALIGNED);
	assert_int_equal(gmem_add_slot(&gm, gpa(0x200000), 0, page), ERR_INVALID);
	assert_int_equal(gmem_add_slot(&gm, gpa(UINT64_MAX - 4095), 8192, page), ERR_INVALID);
	assert_int_equal(gmem_add_slot(&gm, gpa(0x1000), 4096, page), ERR_EXISTS);
	assert_int_equal(gmem_add_slot(&gm, gpa(0xff000), 8192, page), ERR_EXISTS);
	assert_int_equal(gmem_add_slot(&gm, gpa(UINT64_MAX - 4095), 4096, page), OK);
	for (unsigned i = 3; i < GMEM_SLOT_MAX; i++)
		assert_int_equal(gmem_add_slot(&gm, gpa(0x200000 + i * 4096), 4096, page), OK);
	assert_int_equal(gmem_add_slot(&gm, gpa(0x300000), 4096, page), ERR_NO_SPACE);
}

static void test_gmem_rom_is_read_and_not_written(void **state)
{
	static _Alignas(4096) uint8_t page[4096];
	static _Atomic bool is_shown = true;
	uint8_t byte = 0;
	uint32_t word;
	uint64_t address;

	(void)state;
	memset(page, 0x33, sizeof(page));
	assert_int_equal(gmem_add_rom(&gm, gpa(0x1000), 4096, page, NULL), ERR_EXISTS);
	assert_int_equal(gmem_add_rom(&gm, gpa(0x200000), 4096, page, &is_shown), OK);
	assert_int_equal(gmem_read(&gm, gpa(0x200fff), &byte, 1), OK);
	assert_int_equal(byte, 0x33);
	assert_int_equal(gmem_read_u32(&gm, gpa(0x200000), &word), OK);
	assert_int_equal(gmem_write(&gm, gpa(0x200000), &byte, 1), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_write_u32(&gm, gpa(0x200000), 0), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_zero(&gm, gpa(0x200000), 4096), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_change_u8(&gm, gpa(0x200000), 0xff, 1), ERR_OUT_OF_RANGE);
	assert_int_equal(page[0], 0x33);
	/* Ring 0 is told of places in the guest's memory only: a record of stolen time in a ROM is none. */
	assert_int_equal(gmem_place(&gm, gpa(0x200fc0), 64, &address), ERR_OUT_OF_RANGE);
	is_shown = false;
	assert_int_equal(gmem_read(&gm, gpa(0x200fff), &byte, 1), ERR_OUT_OF_RANGE);
	is_shown = true;
	assert_int_equal(gmem_read(&gm, gpa(0x200fff), &byte, 1), OK);
	/* RAM is as it was. */
	assert_int_equal(gmem_write_u8(&gm, gpa(HIGH_BASE), 1), OK);
}

static void test_gmem_change_clears_then_sets(void **state)
{
	(void)state;
	high[7] = 0x5a;
	assert_int_equal(gmem_change_u8(&gm, gpa(HIGH_BASE + 7), 0x0a, 0x01), OK);
	assert_int_equal(high[7], 0x51);
	assert_int_equal(gmem_exchange_u8(&gm, gpa(HIGH_BASE + 7), 0x50, 0x77), ERR_BUSY);
	assert_int_equal(high[7], 0x51);
	assert_int_equal(gmem_exchange_u8(&gm, gpa(HIGH_BASE + 7), 0x51, 0x77), OK);
	assert_int_equal(high[7], 0x77);
	assert_int_equal(gmem_exchange_u8(&gm, gpa(HIGH_BASE + HIGH_BYTES), 0, 1), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_change_u8(&gm, gpa(HIGH_BASE + HIGH_BYTES), 0, 1), ERR_OUT_OF_RANGE);
}

static void test_gmem_read_takes_the_last_byte(void **state)
{
	uint8_t byte = 0;

	(void)state;
	high[HIGH_BYTES - 1] = 0x5a;
	assert_int_equal(gmem_read(&gm, gpa(HIGH_BASE + HIGH_BYTES - 1), &byte, 1), OK);
	assert_int_equal(byte, 0x5a);
	assert_int_equal(gmem_read(&gm, gpa(HIGH_BASE + HIGH_BYTES), &byte, 0), OK);
}

static void test_gmem_read_rejects_span_past_end(void **state)
{
	uint8_t bytes[16] = {0x77};

	(void)state;
	assert_int_equal(gmem_read(&gm, gpa(HIGH_BASE + HIGH_BYTES - 1), bytes, 2), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_read(&gm, gpa(HIGH_BASE + HIGH_BYTES), bytes, 1), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_read(&gm, gpa(HIGH_BASE - 1), bytes, 2), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_read(&gm, gpa(UINT64_MAX), bytes, 2), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_read(&gm, gpa(HIGH_BASE), bytes, SIZE_MAX), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_read(&gm, gpa(0), bytes, SIZE_MAX), ERR_OUT_OF_RANGE);
	assert_int_equal(bytes[0], 0x77);
}

static void test_gmem_write_stays_in_its_slot(void **state)
{
	const uint8_t bytes[2] = {0xaa, 0xbb};

	(void)state;
	assert_int_equal(gmem_write(&gm, gpa(LOW_BYTES - 1), bytes, 2), ERR_OUT_OF_RANGE);
	assert_int_equal(low[LOW_BYTES - 1], 0x11);
	assert_int_equal(gmem_write(&gm, gpa(LOW_BYTES - 2), bytes, 2), OK);
	assert_int_equal(low[LOW_BYTES - 1], 0xbb);
	assert_int_equal(gmem_zero(&gm, gpa(HIGH_BASE), HIGH_BYTES + 1), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_zero(&gm, gpa(HIGH_BASE), HIGH_BYTES), OK);
	assert_int_equal(high[HIGH_BYTES - 1], 0);
}

static void test_gmem_values_are_little_endian_at_any_address(void **state)
{
	uint64_t u64 = 0;
	uint32_t u32 = 0;
	uint16_t u16 = 0;
	uint8_t u8 = 0;

	(void)state;
	assert_int_equal(gmem_write_u64(&gm, gpa(0x101), 0x1122334455667788), OK);
	assert_int_equal(gmem_read_u64(&gm, gpa(0x101), &u64), OK);
	assert_int_equal(u64, 0x1122334455667788);
	assert_int_equal(gmem_read_u32(&gm, gpa(0x105), &u32), OK);
	assert_int_equal(u32, 0x11223344);
	assert_int_equal(gmem_read_u16(&gm, gpa(0x102), &u16), OK);
	assert_int_equal(u16, 0x6677);
	assert_int_equal(gmem_read_u8(&gm, gpa(0x108), &u8), OK);
	assert_int_equal(u8, 0x11);
	assert_int_equal(gmem_write_u32(&gm, gpa(LOW_BYTES - 3), 1), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_write_u16(&gm, gpa(LOW_BYTES - 2), 0xc0de), OK);
	assert_int_equal(gmem_write_u8(&gm, gpa(LOW_BYTES), 1), ERR_OUT_OF_RANGE);
}

static void test_gmem_for_boot_image_checks_the_span(void **state)
{
	(void)state;
	assert_ptr_equal(gmem_for_boot_image(&gm, gpa(HIGH_BASE + 8), 8), high + 8);
	assert_null(gmem_for_boot_image(&gm, gpa(HIGH_BASE + 8), HIGH_BYTES - 7));
	assert_null(gmem_for_boot_image(&gm, gpa(0x50000), 1));
}

static void test_gmem_place_checks_the_span(void **state)
{
	uint64_t address = 7;

	(void)state;
	assert_int_equal(gmem_place(&gm, gpa(HIGH_BASE + HIGH_BYTES - 64), 64, &address), OK);
	assert_int_equal(address, (uintptr_t)high + HIGH_BYTES - 64);
	address = 7;
	assert_int_equal(gmem_place(&gm, gpa(HIGH_BASE + HIGH_BYTES - 63), 64, &address), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_place(&gm, gpa(LOW_BYTES), 64, &address), ERR_OUT_OF_RANGE);
	assert_int_equal(gmem_place(&gm, gpa(UINT64_MAX & ~63ULL), 64, &address), ERR_OUT_OF_RANGE);
	assert_int_equal(address, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_gmem_add_slot_refuses_nonsense, build),
		cmocka_unit_test_setup(test_gmem_rom_is_read_and_not_written, build),
		cmocka_unit_test_setup(test_gmem_change_clears_then_sets, build),
		cmocka_unit_test_setup(test_gmem_read_takes_the_last_byte, build),
		cmocka_unit_test_setup(test_gmem_read_rejects_span_past_end, build),
		cmocka_unit_test_setup(test_gmem_write_stays_in_its_slot, build),
		cmocka_unit_test_setup(test_gmem_values_are_little_endian_at_any_address, build),
		cmocka_unit_test_setup(test_gmem_for_boot_image_checks_the_span, build),
		cmocka_unit_test_setup(test_gmem_place_checks_the_span, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
