/* drivers/virt/pci_host_bridge, pci_lpc: what firmware and operating systems for the Q35 read and write.
 * Expected values: Intel 3 Series Express Chipset Family, "DRAM Controller Registers"; ICH9, "LPC Interface Bridge Registers". */
#include "drivers/virt/pci_decode.h"
#include "drivers/virt/pci_host_bridge.h"
#include "drivers/virt/pci_lpc.h"
#include "tests/unit/unit.h"

static struct pci_host_bridge bridge;
static struct pci_lpc lpc;
static unsigned routes[PCI_LPC_PIRQS], route_changes;
static uint64_t ecam, ecam_bytes;
static unsigned moves;

static void ecam_moved(void *ctx, uint64_t base, uint64_t size_bytes)
{
	assert_ptr_equal(ctx, &ecam);
	assert_true(ecam != base || ecam_bytes != size_bytes);
	ecam = base;
	ecam_bytes = size_bytes;
	moves++;
}

static void make(uint64_t ecam_base)
{
	const struct pci_host_bridge_wires wires = {.ecam_moved = ecam_moved, .ctx = &ecam};

	ecam = PCI_DECODE_OFF;
	ecam_bytes = 0;
	moves = 0;
	pci_host_bridge_init(&bridge, &wires, ecam_base);
}

static uint32_t get(unsigned reg, unsigned width)
{
	return pci_host_bridge_ops.read(&bridge, reg, width);
}

static void put(unsigned reg, unsigned width, uint32_t value)
{
	pci_host_bridge_ops.write(&bridge, reg, width, value);
}

static void test_pci_host_bridge_is_the_q35(void **state)
{
	(void)state;
	make(0);
	assert_int_equal(get(0, 4), 0x29c08086);
	assert_int_equal(get(4, 2), 0x0006);
	assert_int_equal(get(8, 4), 0x06000002);
	assert_int_equal(get(0x0e, 1), 0);
	assert_int_equal(get(0x2c, 4), 0x11001af4);
	assert_int_equal(get(0x9d, 1), 0x12);
	assert_int_equal(get(0x9e, 1), 0x38);
	put(0x9c, 4, UINT32_MAX);
	assert_int_equal(get(0x9c, 4), 0x00381200);
	put(4, 2, 0);
	assert_int_equal(get(4, 2), 0x0006);
}

static void test_pci_host_bridge_keeps_pam(void **state)
{
	(void)state;
	make(0);
	put(0x90, 4, UINT32_MAX);
	put(0x94, 4, UINT32_MAX);
	assert_int_equal(get(0x90, 4), 0x33333330);
	assert_int_equal(get(0x94, 4), 0x00333333);
	put(0x90, 1, 0x10);
	assert_int_equal(get(0x90, 1), 0x10);
	pci_host_bridge_reset(&bridge);
	assert_int_equal(get(0x90, 4), 0);
}

static void expect_ecam(uint64_t base, uint64_t size_bytes, uint32_t low_register)
{
	assert_true(ecam == base && ecam_bytes == size_bytes);
	assert_int_equal(get(0x60, 4), low_register);
}

static void test_pci_host_bridge_ecam_follows_pciexbar(void **state)
{
	(void)state;
	make(0);
	assert_int_equal(moves, 0);
	assert_int_equal(get(0x60, 4), 0);
	put(0x64, 4, 0);
	put(0x60, 4, 0xb0000001);
	assert_int_equal(ecam, 0xb0000000);
	put(0x60, 4, 0xbc000001); /* 256 MiB: bits 27 and 26 are none of the address, "RO, read 0b" */
	expect_ecam(0xb0000000, 0x10000000, 0xb0000001);
	put(0x60, 4, 0xbc000003); /* 128 MiB: nor is bit 26 */
	expect_ecam(0xb8000000, 0x8000000, 0xb8000003);
	put(0x60, 4, 0xbc000005); /* 64 MiB */
	expect_ecam(0xbc000000, 0x4000000, 0xbc000005);
	put(0x60, 1, 0x03); /* what is no bit of the address any more is gone */
	expect_ecam(0xb8000000, 0x8000000, 0xb8000003);
	put(0x60, 1, 0x05);
	expect_ecam(0xb8000000, 0x4000000, 0xb8000005);
	put(0x60, 1, 0x01);
	expect_ecam(0xb0000000, 0x10000000, 0xb0000001);
	put(0x60, 1, 0x03);
	expect_ecam(0xb0000000, 0x8000000, 0xb0000003); /* another size at the same place */
	put(0x60, 4, 0xbc000007); /* reserved */
	assert_int_equal(ecam, PCI_DECODE_OFF);
	put(0x60, 4, 0xffffffff & ~6U);
	put(0x64, 4, 0xffffffff);
	assert_int_equal(ecam, 0xff0000000ULL);
	assert_int_equal(get(0x60, 4), 0xf0000001);
	assert_int_equal(get(0x64, 4), 0x0000000f);
	put(0x60, 1, 0);
	assert_int_equal(ecam, PCI_DECODE_OFF);
	pci_host_bridge_reset(&bridge);
	assert_int_equal(get(0x60, 4), 0);
}

static void test_pci_host_bridge_without_firmware_has_ecam(void **state)
{
	(void)state;
	make(0xe0000000);
	assert_int_equal(ecam, 0xe0000000);
	assert_int_equal(moves, 1);
	assert_int_equal(get(0x60, 4), 0xe0000001);
	put(0x60, 4, 0);
	assert_int_equal(ecam, PCI_DECODE_OFF);
	pci_host_bridge_reset(&bridge);
	assert_int_equal(ecam, 0xe0000000);
}

static void routed(void *ctx, unsigned pirq, unsigned irq)
{
	assert_ptr_equal(ctx, routes);
	assert_in_range(pirq, 0, PCI_LPC_PIRQS - 1);
	assert_int_not_equal(routes[pirq], irq);
	routes[pirq] = irq;
	route_changes++;
}

static void make_lpc(bool is_configured)
{
	const struct pci_lpc_wires wires = {.routed = routed, .ctx = routes};

	for (unsigned i = 0; i < PCI_LPC_PIRQS; i++)
		routes[i] = PCI_LPC_NO_IRQ;
	route_changes = 0;
	pci_lpc_init(&lpc, &wires, is_configured);
}

static uint32_t lpc_get(unsigned reg, unsigned width)
{
	return pci_lpc_ops.read(&lpc, reg, width);
}

static void lpc_put(unsigned reg, unsigned width, uint32_t value)
{
	pci_lpc_ops.write(&lpc, reg, width, value);
}

static void test_pci_lpc_is_the_ich9(void **state)
{
	(void)state;
	make_lpc(true);
	assert_int_equal(lpc_get(0, 4), 0x29188086);
	assert_int_equal(lpc_get(8, 4), 0x06010002);
	assert_int_equal(lpc_get(0x0e, 1), 0x80);
	assert_int_equal(lpc_get(0x2c, 4), 0x11001af4);
	assert_int_equal(lpc_get(0x40, 4), 0x601);
	assert_int_equal(lpc_get(0x44, 1), 0x80);
	assert_int_equal(lpc_get(0x60, 4), 0x0b0a0b0a);
	assert_int_equal(route_changes, 4);
	assert_true(routes[0] == 10 && routes[1] == 11 && routes[2] == 10 && routes[3] == 11);
}

/* As OVMF and SeaBIOS set it up. */
static void test_pci_lpc_keeps_what_firmware_writes(void **state)
{
	(void)state;
	make_lpc(false);
	assert_int_equal(lpc_get(0x40, 4), 0x001);
	assert_int_equal(lpc_get(0x44, 1), 0);
	lpc_put(0x40, 4, 0x600);
	lpc_put(0x44, 1, 0x80);
	assert_int_equal(lpc_get(0x40, 4), 0x601);
	assert_int_equal(lpc_get(0x44, 1), 0x80);
	lpc_put(0x60, 4, 0x0b0a0b0a);
	lpc_put(0x68, 4, 0xffffffff);
	assert_int_equal(lpc_get(0x60, 4), 0x0b0a0b0a);
	assert_int_equal(lpc_get(0x68, 4), 0x8f8f8f8f);
	lpc_put(0xf0, 4, 0xfed1ffff);
	assert_int_equal(lpc_get(0xf0, 4), 0xfed1c001);
	lpc_put(0xa0, 2, 0x0010);
	assert_int_equal(lpc_get(0xa0, 2), 0x0010);
	pci_function_reset(&lpc.function);
	assert_int_equal(lpc_get(0x60, 4), 0x80808080);
	assert_int_equal(lpc_get(0x40, 4), 0x001);
}

/* "Bit 7, IRQEN#: 0: the PIRQ is routed to one of the ISA-compatible interrupts specified in bits 3:0"; 0 to 2, 8 and 13 are
 * reserved. */
static void test_pci_lpc_pirqs_follow_their_registers(void **state)
{
	(void)state;
	make_lpc(false);
	assert_int_equal(route_changes, 0);
	lpc_put(0x62, 1, 0x05);
	assert_true(routes[2] == 5 && route_changes == 1);
	lpc_put(0x62, 1, 0x05);
	lpc_put(0x60, 1, 0x88);
	lpc_put(0x68, 4, 0x0a0a0a0a);
	assert_int_equal(route_changes, 1);
	for (unsigned irq = 0; irq < 16; irq++) {
		bool is_reserved = irq <= 2 || irq == 8 || irq == 13;

		lpc_put(0x63, 1, irq);
		assert_int_equal(routes[3], is_reserved ? PCI_LPC_NO_IRQ : irq);
	}
	lpc_put(0x60, 4, 0x80800c09);
	assert_true(routes[0] == 9 && routes[1] == 12 && routes[2] == 0 && routes[3] == 0);
	lpc_put(0x61, 1, 0x8c);
	assert_true(routes[0] == 9 && routes[1] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pci_host_bridge_is_the_q35),
		cmocka_unit_test(test_pci_host_bridge_keeps_pam),
		cmocka_unit_test(test_pci_host_bridge_ecam_follows_pciexbar),
		cmocka_unit_test(test_pci_host_bridge_without_firmware_has_ecam),
		cmocka_unit_test(test_pci_lpc_is_the_ich9),
		cmocka_unit_test(test_pci_lpc_keeps_what_firmware_writes),
		cmocka_unit_test(test_pci_lpc_pirqs_follow_their_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
