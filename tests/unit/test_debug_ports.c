/* The POST port and the ports of test guests. */
#include "drivers/virt/bus.h"
#include "drivers/virt/debug_ports.h"
#include "tests/unit/unit.h"

static uint8_t text;
static uint64_t exit_code;

static void take_text(void *ctx, uint8_t byte)
{
	(void)ctx;
	text = byte;
}

static void take_exit(void *ctx, uint64_t code)
{
	(void)ctx;
	exit_code = code;
}

static void test_debug_ports_through_the_bus(void **state)
{
	static struct bus bus;
	struct post_port post = {0};
	struct debug_ports ports = {.text = take_text, .exit = take_exit};

	(void)state;
	bus_init(&bus, 0xffff);
	assert_int_equal(bus_attach(&bus, &(struct io_region){0x80, 1, 0, &post_port_ops, &post, NULL}), OK);
	assert_int_equal(bus_attach(&bus, &(struct io_region){0xe9, 1, 0, &debug_ports_ops, &ports, NULL}), OK);
	assert_int_equal(bus_attach(&bus, &(struct io_region){0xf4, DEBUG_PORTS_EXIT_SIZE, DEBUG_PORTS_EXIT,
							      &debug_ports_ops, &ports, NULL}), OK);
	bus_write(&bus, 0x80, 1, 0x5a, 0);
	assert_int_equal(bus_read(&bus, 0x80, 1, 0), 0x5a);
	assert_int_equal(bus_read(&bus, 0xe9, 1, 0), 0xe9);
	bus_write(&bus, 0xe9, 1, 'x', 0);
	assert_int_equal(text, 'x');
	bus_write(&bus, 0xf4, 4, 0xffffffff, 0);
	assert_int_equal(exit_code, 0x1ffffffff);
	bus_write(&bus, 0xf4, 1, 0x10, 0);
	assert_int_equal(exit_code, 0x21);
	ports = (struct debug_ports){0};
	bus_write(&bus, 0xe9, 1, 'y', 0);
	bus_write(&bus, 0xf4, 2, 1, 0);
	assert_int_equal(text, 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_debug_ports_through_the_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
