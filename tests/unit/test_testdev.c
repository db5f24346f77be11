/* The test device through the buses, as a machine attaches it. */
#include "drivers/virt/bus.h"
#include "drivers/virt/testdev.h"
#include "tests/unit/unit.h"

#define MEMORY 0xff000000ULL

static struct bus ports, memory;
static struct testdev device;
static unsigned line_number, line_calls;
static bool line_level;

static void take_line(void *ctx, unsigned number, bool level)
{
	(void)ctx;
	line_number = number;
	line_level = level;
	line_calls++;
}

static void attach(struct bus *bus, uint64_t base, uint64_t size, uint64_t first)
{
	assert_int_equal(bus_attach(bus, &(struct io_region){base, size, first, &testdev_ops, &device, NULL}), OK);
}

static int set_up(void **state)
{
	(void)state;
	bus_init(&ports, 0xffff);
	bus_init(&memory, UINT64_MAX);
	testdev_init(&device, &(struct testdev_wires){take_line, NULL});
	attach(&ports, 0xe0, TESTDEV_PORTS_SIZE, TESTDEV_SCRATCH);
	attach(&ports, 0xe4, TESTDEV_PORTS_SIZE, TESTDEV_FLUSH);
	attach(&ports, 0xe8, TESTDEV_PORTS_SIZE, TESTDEV_SCRATCH_AGAIN);
	attach(&ports, 0x2000, TESTDEV_LINE_COUNT, TESTDEV_LINES);
	attach(&memory, MEMORY, TESTDEV_MEMORY_BYTES, TESTDEV_MEMORY);
	line_calls = 0;
	return 0;
}

static void test_testdev_scratch_is_four_bytes_of_any_width_at_two_places(void **state)
{
	(void)state;
	bus_write(&ports, 0xe0, 4, 0x44332211, 0);
	bus_write(&ports, 0xe1, 2, 0xbbaa, 0);
	assert_int_equal(bus_read(&ports, 0xe0, 4, 0), 0x44bbaa11);
	assert_int_equal(bus_read(&ports, 0xe9, 1, 0), 0xaa);
	bus_write(&ports, 0xeb, 1, 0x55, 0);
	assert_int_equal(bus_read(&ports, 0xe2, 2, 0), 0x55bb);
	assert_int_equal(bus_read(&ports, 0xe8, 4, 0), 0x55bbaa11);
}

static void test_testdev_flush_changes_nothing(void **state)
{
	struct testdev before;

	(void)state;
	bus_write(&ports, 0xe0, 4, 0x12345678, 0);
	memcpy(&before, &device, sizeof(before));
	bus_write(&ports, 0xe4, 4, 0x100000, 0);
	assert_memory_equal(&before, &device, sizeof(before));
	assert_int_equal(bus_read(&ports, 0xe4, 4, 0), 0);
	assert_int_equal(line_calls, 0);
}

static void test_testdev_lines_take_the_level_written(void **state)
{
	(void)state;
	bus_write(&ports, 0x200e, 1, 1, 0);
	assert_int_equal(line_number, 14);
	assert_true(line_level);
	bus_write(&ports, 0x2017, 1, 0x80, 0);
	assert_int_equal(line_number, 23);
	assert_true(line_level);
	bus_write(&ports, 0x2000, 1, 0, 0);
	assert_int_equal(line_number, 0);
	assert_false(line_level);
	bus_write(&ports, 0x2018, 1, 1, 0);
	assert_int_equal(line_calls, 3);
	assert_int_equal(bus_read(&ports, 0x200e, 1, 0), 0);
}

static void test_testdev_memory_of_every_width_and_alignment(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < TESTDEV_MEMORY_BYTES; i++)
		bus_write(&memory, MEMORY + i, 1, i, 0);
	assert_int_equal(bus_read(&memory, MEMORY + 1, 8, 0), 0x0807060504030201);
	assert_int_equal(bus_read(&memory, MEMORY + 0xfffc, 4, 0), 0xfffefdfc);
	bus_write(&memory, MEMORY + 3, 8, 0xa8a7a6a5a4a3a2a1, 0);
	assert_int_equal(bus_read(&memory, MEMORY + 2, 8, 0), 0xa7a6a5a4a3a2a102);
	assert_int_equal(bus_read(&memory, MEMORY + 10, 2, 0), 0x0ba8);
	/* The last byte, and one past. */
	bus_write(&memory, MEMORY + 0xfffd, 4, 0, 0);
	assert_int_equal(bus_read(&memory, MEMORY + 0xfffe, 2, 0), 0xfffe);
	assert_int_equal(bus_read(&memory, MEMORY + 0xffff, 2, 0), 0xffff);
}

static void test_testdev_reset_clears_its_bytes(void **state)
{
	(void)state;
	bus_write(&ports, 0xe0, 4, UINT32_MAX, 0);
	bus_write(&memory, MEMORY, 8, UINT64_MAX, 0);
	testdev_ops.reset(&device);
	assert_int_equal(bus_read(&ports, 0xe0, 4, 0), 0);
	assert_int_equal(bus_read(&memory, MEMORY, 8, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_testdev_scratch_is_four_bytes_of_any_width_at_two_places, set_up),
		cmocka_unit_test_setup(test_testdev_flush_changes_nothing, set_up),
		cmocka_unit_test_setup(test_testdev_lines_take_the_level_written, set_up),
		cmocka_unit_test_setup(test_testdev_memory_of_every_width_and_alignment, set_up),
		cmocka_unit_test_setup(test_testdev_reset_clears_its_bytes, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
