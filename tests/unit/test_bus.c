/* The bus of ports and of device memory: who answers an access, and what attaching refuses. */
#include "drivers/virt/bus.h"
#include "drivers/virt/clock.h"
#include "tests/unit/unit.h"

struct probe {
	uint64_t offset;
	unsigned width;
	unsigned calls;
	uint64_t bytes;
};

static uint64_t probe_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	struct probe *probe = dev;

	(void)now_ns;
	probe->offset = offset;
	probe->width = width;
	probe->calls++;
	return UINT64_MAX - 0xf0 + offset; /* more bits than asked for */
}

static void probe_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct probe *probe = dev;

	(void)now_ns;
	probe->offset = offset;
	probe->width = width;
	probe->calls++;
	probe->bytes = probe->bytes << width * 8 % 64 | value;
}

static const struct device_ops wide_ops = {.name = "wide", .width_max = 8, .read = probe_read, .write = probe_write};
static const struct device_ops byte_ops = {.name = "byte", .width_max = 1, .read = probe_read, .write = probe_write};

static enum status attach(struct bus *bus, uint64_t base, uint64_t size)
{
	return bus_attach(bus, &(struct io_region){.base = base, .size = size, .ops = &wide_ops});
}

static void test_bus_attach_refuses_bad_regions(void **state)
{
	static struct bus bus;

	(void)state;
	bus_init(&bus, 0xffff);
	assert_int_equal(attach(&bus, 0x10, 0), ERR_INVALID);
	assert_int_equal(bus_attach(&bus, &(struct io_region){.base = 1, .size = 1}), ERR_INVALID);
	assert_int_equal(attach(&bus, 0x10000, 1), ERR_OUT_OF_RANGE);
	assert_int_equal(attach(&bus, 0xffff, 2), ERR_OUT_OF_RANGE);
	assert_int_equal(attach(&bus, 0x10, UINT64_MAX), ERR_OUT_OF_RANGE);
	assert_int_equal(attach(&bus, 0xffff, 1), OK);
	assert_int_equal(attach(&bus, 0x10, 0x10), OK);
	assert_int_equal(attach(&bus, 0x1f, 1), ERR_EXISTS);
	assert_int_equal(attach(&bus, 0x0f, 2), ERR_EXISTS);
	assert_int_equal(attach(&bus, 0, 0x1000), ERR_EXISTS);
	assert_int_equal(attach(&bus, 0x0f, 1), OK);
	assert_int_equal(attach(&bus, 0x20, 1), OK);
	bus_init(&bus, UINT64_MAX);
	assert_int_equal(attach(&bus, UINT64_MAX, 1), OK);
	assert_int_equal(attach(&bus, 2, UINT64_MAX), ERR_OUT_OF_RANGE);
}

static void test_bus_attach_refuses_when_full(void **state)
{
	static struct bus bus;

	(void)state;
	bus_init(&bus, UINT64_MAX);
	for (uint64_t i = 0; i < BUS_REGIONS_MAX; i++)
		assert_int_equal(attach(&bus, (BUS_REGIONS_MAX - i) * 16, 8), OK);
	assert_int_equal(attach(&bus, 0, 8), ERR_NO_SPACE);
	for (uint64_t i = 1; i <= BUS_REGIONS_MAX; i++) {
		assert_int_equal(bus_find(&bus, i * 16 + 7, 1)->base, i * 16);
		assert_null(bus_find(&bus, i * 16 + 8, 1));
	}
}

static void test_bus_access_is_contained_and_masked(void **state)
{
	struct probe probe = {0};
	static struct bus bus;

	(void)state;
	bus_init(&bus, UINT64_MAX);
	assert_int_equal(bus_attach(&bus, &(struct io_region){0x100, 8, 0x40, &wide_ops, &probe, NULL}), OK);
	assert_int_equal(bus_read(&bus, 0x102, 2, 0), 0xff0f + 0x42);
	assert_int_equal(probe.offset, 0x42);
	assert_int_equal(probe.width, 2);
	assert_int_equal(bus_read(&bus, 0x107, 1, 0), 0x0f + 0x47);
	bus_write(&bus, 0x104, 4, 0x1122334455667788, 0);
	assert_int_equal(probe.bytes, 0x55667788);
	probe.calls = 0;
	assert_int_equal(bus_read(&bus, 0x107, 2, 0), 0xffff); /* straddles the end */
	assert_int_equal(bus_read(&bus, 0xff, 2, 0), 0xffff);  /* straddles the start */
	assert_int_equal(bus_read(&bus, 0x108, 1, 0), 0xff);
	assert_int_equal(bus_read(&bus, UINT64_MAX, 8, 0), UINT64_MAX);
	assert_int_equal(bus_read(&bus, 0x100, 3, 0), 0xffffff);
	assert_int_equal(bus_read(&bus, 0x100, 0, 0), 0);
	assert_int_equal(bus_read(&bus, 0x100, 16, 0), UINT64_MAX);
	bus_write(&bus, 0x107, 8, 0, 0);
	bus_write(&bus, 0x100, 5, 0, 0);
	assert_int_equal(probe.calls, 0);
}

static void test_bus_cuts_wide_access_for_byte_device(void **state)
{
	struct probe probe = {0};
	static struct bus bus;

	(void)state;
	bus_init(&bus, 0xffff);
	assert_int_equal(bus_attach(&bus, &(struct io_region){0x70, 8, 0, &byte_ops, &probe, NULL}), OK);
	bus_write(&bus, 0x70, 4, 0x04030201, 0);
	assert_int_equal(probe.calls, 4);
	assert_int_equal(probe.bytes, 0x01020304); /* lowest first */
	assert_int_equal(bus_read(&bus, 0x74, 4, 0), 0x16151413);
	assert_int_equal(probe.width, 1);
}

/* 1193182 Hz is the 8254's clock, 3579545 Hz the ACPI power management timer's. */
static void test_clock_is_exact_and_invertible(void **state)
{
	static const uint32_t rates[] = {1, 32768, 1193182, 3579545, 1000000000, UINT32_MAX};

	(void)state;
	assert_int_equal(clock_ticks(86400 * NS_PER_SECOND, 1193182), 86400ULL * 1193182);
	assert_int_equal(clock_ticks(NS_PER_SECOND - 1, 32768), 32767);
	assert_int_equal(clock_ns(UINT64_MAX, 1), UINT64_MAX);
	for (unsigned r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		for (uint64_t ticks = 1; ticks < UINT64_MAX / NS_PER_SECOND / 8; ticks = ticks * 7 + 1) {
			uint64_t ns = clock_ns(ticks, rates[r]);

			assert_true(clock_ticks(ns, rates[r]) >= ticks);
			assert_true(clock_ticks(ns - 1, rates[r]) < ticks);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bus_attach_refuses_bad_regions),
		cmocka_unit_test(test_bus_attach_refuses_when_full),
		cmocka_unit_test(test_bus_access_is_contained_and_masked),
		cmocka_unit_test(test_bus_cuts_wide_access_for_byte_device),
		cmocka_unit_test(test_clock_is_exact_and_invertible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
