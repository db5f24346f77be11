/* Expected values: PCI Local Bus Specification 3.0, "Configuration Space Decoding"; ICH9, "Reset Control Register". */
#include "drivers/virt/bus.h"
#include "drivers/virt/pci_host.h"
#include "tests/unit/unit.h"

static struct pci_host host;
static struct bus bus;
static unsigned resets, held, acquired;
static uint32_t bridge_id = 0x29c08086;

struct function {
	unsigned reg, width;
	uint32_t value;
};

static uint32_t function_read(void *function, unsigned reg, unsigned width)
{
	struct function *f = function;

	f->reg = reg;
	f->width = width;
	return 0x11223344;
}

static void function_write(void *function, unsigned reg, unsigned width, uint32_t value)
{
	*(struct function *)function = (struct function){reg, width, value};
}

static const struct pci_config_ops function_ops = {function_read, function_write};

static void count_reset(void *ctx)
{
	(void)ctx;
	resets++;
}

static void acquire(void *ctx, void *lock)
{
	(void)ctx;
	assert_int_equal(held, 0);
	held = *(const unsigned *)lock;
	acquired++;
}

static void release(void *ctx, void *lock)
{
	(void)ctx;
	assert_int_equal(held, *(const unsigned *)lock);
	held = 0;
}

/* In the host bridge's place: a function that is its vendor, device, and zeros. */
static uint32_t bridge_read(void *function, unsigned reg, unsigned width)
{
	(void)width;
	return reg < 4 ? *(const uint32_t *)function >> reg * 8 : 0;
}

static void bridge_write(void *function, unsigned reg, unsigned width, uint32_t value)
{
	(void)function;
	(void)reg;
	(void)width;
	(void)value;
}

static const struct pci_config_ops bridge_ops = {bridge_read, bridge_write};

static int setup(void **state)
{
	(void)state;
	resets = held = acquired = 0;
	pci_host_init(&host, &(struct pci_host_wires){count_reset, acquire, release, NULL});
	assert_int_equal(pci_host_attach(&host, 0, &bridge_ops, &bridge_id, NULL), OK);
	bus_init(&bus, UINT64_MAX);
	assert_int_equal(bus_attach(&bus, &(struct io_region){0xcf8, 8, 0, &pci_host_ops, &host, NULL}), OK);
	assert_int_equal(bus_attach(&bus, &(struct io_region){0xe0000000, 0x100000, 0, &pci_ecam_ops, &host, NULL}),
			 OK);
	return 0;
}

static uint64_t in(uint64_t port, unsigned width)
{
	return bus_read(&bus, port, width, 0);
}

static void out(uint64_t port, unsigned width, uint64_t value)
{
	bus_write(&bus, port, width, value, 0);
}

static void test_pci_linux_detects_mechanism_1(void **state)
{
	(void)state;
	out(0xcfb, 1, 0x01);
	out(0xcf8, 4, 0x80000000);
	assert_int_equal(in(0xcf8, 4), 0x80000000);
	assert_int_equal(in(0xcfc, 4), 0x29c08086);
	assert_int_equal(in(0xcfc, 2), 0x8086);
	assert_int_equal(in(0xcfe, 2), 0x29c0);
	assert_int_equal(in(0xcff, 1), 0x29);
	out(0xcf8, 4, UINT32_MAX);
	assert_int_equal(in(0xcf8, 4), 0x80fffffc);
}

static void test_pci_empty_slots_read_all_ones(void **state)
{
	(void)state;
	for (uint32_t devfn = 1; devfn < 256; devfn++) {
		out(0xcf8, 4, 0x80000000 | devfn << 8);
		assert_int_equal(in(0xcfc, 4), UINT32_MAX);
		out(0xcfc, 4, 0);
	}
	out(0xcf8, 4, 0x80010000); /* bus 1 */
	assert_int_equal(in(0xcfc, 4), UINT32_MAX);
	out(0xcf8, 4, 0x00000000); /* not enabled */
	assert_int_equal(in(0xcfc, 2), 0xffff);
	assert_int_equal(in(0xcf8, 2), 0xffff);
}

static void test_pci_functions_are_attached_once(void **state)
{
	struct function f = {0};

	(void)state;
	assert_int_equal(pci_host_attach(&host, PCI_DEVFN(3, 1), &function_ops, &f, NULL), OK);
	assert_int_equal(pci_host_attach(&host, PCI_DEVFN(3, 1), &function_ops, &f, NULL), ERR_EXISTS);
	assert_int_equal(pci_host_attach(&host, 0, &function_ops, &f, NULL), ERR_EXISTS);
	assert_int_equal(pci_host_attach(&host, 256, &function_ops, &f, NULL), ERR_OUT_OF_RANGE);
	out(0xcf8, 4, 0x80001910);
	assert_int_equal(in(0xcfe, 2), 0x3344);
	assert_int_equal(f.reg, 0x12);
	out(0xcfc, 4, 0xdeadbeef);
	assert_int_equal(f.value, 0xdeadbeef);
	f.width = 0;
	assert_int_equal(in(0xcfd, 4), UINT32_MAX); /* straddles the ports */
	out(0xcf8, 4, 0x00001910);
	assert_int_equal(in(0xcfc, 4), UINT32_MAX);
	assert_int_equal(f.width, 0);
}

/* Each access is made under its function's lock, and under no other. */
static uint32_t locked_read(void *function, unsigned reg, unsigned width)
{
	(void)reg;
	(void)width;
	assert_int_equal(held, *(const unsigned *)function);
	return 0;
}

static void locked_write(void *function, unsigned reg, unsigned width, uint32_t value)
{
	(void)reg;
	(void)width;
	(void)value;
	assert_int_equal(held, *(const unsigned *)function);
}

static void test_pci_functions_are_entered_under_their_locks(void **state)
{
	static const struct pci_config_ops locked_ops = {locked_read, locked_write};
	unsigned locks[] = {11, 22};

	(void)state;
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pci_host_attach(&host, PCI_DEVFN(3 + i, 0), &locked_ops, &locks[i], &locks[i]), OK);
	for (uint32_t i = 0; i < 2; i++) {
		out(0xcf8, 4, 0x80001800 + i * 0x800);
		(void)in(0xcfc, 4);
		out(0xcfe, 2, 0);
		(void)in(0xe0000000 + (PCI_DEVFN(3 + i, 0) << 12), 4);
		out(0xe0000004 + (PCI_DEVFN(3 + i, 0) << 12), 4, 0);
	}
	assert_int_equal(acquired, 8);
	assert_int_equal(held, 0);
	(void)in(0xe0000000, 4);
	assert_int_equal(acquired, 8);
}

static void test_pci_ecam_reaches_extended_space(void **state)
{
	struct function f = {0};
	uint64_t base = 0xe0000000 + (PCI_DEVFN(3, 1) << 12);

	(void)state;
	assert_int_equal(pci_host_attach(&host, PCI_DEVFN(3, 1), &function_ops, &f, NULL), OK);
	assert_int_equal(in(0xe0000000, 4), 0x29c08086);
	assert_int_equal(in(0xe0000ffc, 4), 0);
	assert_int_equal(in(base + 0xffc, 4), 0x11223344);
	assert_int_equal(f.reg, 0xffc);
	assert_int_equal(in(base + 3, 2), 0xffff); /* crosses a register */
	assert_int_equal(in(base - 2, 4), UINT32_MAX);
	assert_int_equal(in(0xe00ffffc, 8), UINT64_MAX);
}

static void test_pci_reset_control_fires_on_edge(void **state)
{
	(void)state;
	out(0xcf9, 1, 0x02);
	assert_int_equal(resets, 0);
	out(0xcf9, 1, 0x06);
	assert_int_equal(resets, 1);
	out(0xcf9, 1, 0xfe);
	assert_int_equal(resets, 1);
	assert_int_equal(in(0xcf9, 1), 0x0e);
	pci_host_ops.reset(&host);
	assert_int_equal(in(0xcf9, 1), 0);
	out(0xcf9, 2, 0x0606); /* not this register's width */
	assert_int_equal(resets, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pci_linux_detects_mechanism_1, setup),
		cmocka_unit_test_setup(test_pci_empty_slots_read_all_ones, setup),
		cmocka_unit_test_setup(test_pci_functions_are_attached_once, setup),
		cmocka_unit_test_setup(test_pci_functions_are_entered_under_their_locks, setup),
		cmocka_unit_test_setup(test_pci_ecam_reaches_extended_space, setup),
		cmocka_unit_test_setup(test_pci_reset_control_fires_on_edge, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
