/* Expected values: what SeaBIOS and memory testers compute from these bytes. */
#include "vmm/cmos.h"
#include "tests/unit/unit.h"

static struct rtc_cmos rtc;

static unsigned in(uint8_t index, unsigned bytes)
{
	unsigned value = 0;

	for (unsigned i = 0; i < bytes; i++) {
		rtc_cmos_ops.write(&rtc, 0, 1, index + i, 0);
		value |= (unsigned)rtc_cmos_ops.read(&rtc, 1, 1, 0) << i * 8;
	}
	return value;
}

static void fill(uint64_t memory_bytes, uint32_t vcpu_count)
{
	rtc_cmos_init(&rtc, &(struct rtc_cmos_wires){.irq = {NULL, NULL}}, 1700000000, 0);
	cmos_fill(&rtc, memory_bytes, vcpu_count);
}

static void expect_sizes(uint64_t memory_bytes, unsigned extended_kib, unsigned above_16m, unsigned above_4g)
{
	fill(memory_bytes, 1);
	assert_int_equal(in(0x15, 2), 640);
	assert_int_equal(in(0x17, 2), extended_kib);
	assert_int_equal(in(0x30, 2), extended_kib);
	assert_int_equal(in(0x34, 2), above_16m);
	assert_int_equal(in(0x5b, 3), above_4g);
}

static void test_cmos_tells_memory_in_the_units_of_each_place(void **state)
{
	(void)state;
	expect_sizes(2ULL << 20, 1024, 0, 0);
	expect_sizes(16ULL << 20, 15 * 1024, 0, 0);
	expect_sizes(17ULL << 20, 16 * 1024, 16, 0);
	expect_sizes(512ULL << 20, 0xffff, (512 - 16) * 16, 0);
	expect_sizes(2560ULL << 20, 0xffff, (2560 - 16) * 16, 0);
	expect_sizes(5ULL << 30, 0xffff, (2048 - 16) * 16, 3072 * 16);
	expect_sizes(4ULL << 40, 0xffff, (2048 - 16) * 16, 0xffffff);
}

static void test_cmos_tells_cpus_and_equipment(void **state)
{
	(void)state;
	fill(64 << 20, 64);
	assert_int_equal(in(0x5f, 1), 63);
	assert_int_equal(in(0x14, 1), 0x02);
	assert_int_equal(in(0x0f, 1), 0);
	assert_int_equal(in(0x10, 1), 0); /* no floppy */
	assert_int_equal(in(0x12, 1), 0); /* no disk */
}

static void test_cmos_checksum_is_right(void **state)
{
	unsigned sum = 0;

	(void)state;
	fill(512ULL << 20, 1);
	for (uint8_t index = 0x10; index <= 0x2d; index++)
		sum += in(index, 1);
	assert_int_not_equal(sum, 0);
	assert_int_equal(in(0x2e, 1) << 8 | in(0x2f, 1), sum & 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cmos_tells_memory_in_the_units_of_each_place),
		cmocka_unit_test(test_cmos_tells_cpus_and_equipment),
		cmocka_unit_test(test_cmos_checksum_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
