/* drivers/virt/pci_msix. Expected values: PCI Local Bus Specification 3.0, "MSI-X Capability and Table Structures". */
#include "tests/unit/pci_fake.h"

#define CONTROL        0x42U
#define ENABLED        0x8000U
#define ENABLED_MASKED 0xc000U

static uint64_t table_get(uint64_t offset, unsigned width)
{
	return pci_msix_ops.read(&fake, offset, width, 0);
}

static void table_put(uint64_t offset, unsigned width, uint64_t value)
{
	pci_msix_ops.write(&fake, offset, width, value, 0);
}

/* Vector 1 to one local APIC's vector 41h, vectors 0 and 2 to others; the function may send. */
static int setup(void **state)
{
	fake_setup(state);
	put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_MASTER);
	for (unsigned vector = 0; vector < 3; vector++) {
		table_put(vector * 16, 4, 0xfee01000 + vector * 0x1000);
		table_put(vector * 16 + 8, 4, 0x40 + vector);
	}
	return 0;
}

static void test_pci_msix_table_keeps_what_it_may(void **state)
{
	(void)state;
	assert_int_equal(table_get(0x10, 4), 0xfee02000);
	assert_int_equal(table_get(0x1c, 4), 1); /* "the mask bit is set after reset" */
	table_put(0x10, 4, 0xfee0200f);
	table_put(0x14, 4, 0x12345678);
	table_put(0x1c, 4, 0xfffffffe);
	assert_int_equal(table_get(0x10, 4), 0xfee0200c);
	assert_int_equal(table_get(0x14, 4), 0x12345678);
	assert_int_equal(table_get(0x16, 2), 0x1234);
	assert_int_equal(table_get(0x1c, 4), 0);
	table_put(0x19, 1, 0xab);
	assert_int_equal(table_get(0x18, 4), 0xab41);
	table_put(0x12, 4, 0); /* crosses a word */
	assert_int_equal(table_get(0x10, 4), 0xfee0200c);
	assert_int_equal(table_get(0x12, 4), UINT32_MAX);
	table_put(0x40, 4, UINT32_MAX); /* a fifth vector */
	table_put(0x800, 4, UINT32_MAX);
	table_put(0xffc, 4, UINT32_MAX);
	assert_int_equal(table_get(0x40, 4), 0);
	assert_int_equal(table_get(0x800, 4), 0);
	assert_int_equal(table_get(0xffc, 4), 0);
}

static void test_pci_msix_sends_what_is_not_masked(void **state)
{
	(void)state;
	pci_function_send(&fake, 1);
	assert_int_equal(told.messages, 0); /* off: no message, none later */
	put(CONTROL, 2, ENABLED);
	assert_true(pci_function_has_msix(&fake));
	assert_int_equal(get(CONTROL, 2), 0x8003);
	table_put(0x1c, 4, 0);
	assert_int_equal(told.messages, 0);
	pci_function_send(&fake, 1);
	assert_int_equal(told.messages, 1);
	assert_int_equal(told.address, 0xfee02000);
	assert_int_equal(told.data, 0x41);
	pci_function_send(&fake, 4);
	pci_function_send(&fake, PCI_VECTOR_NONE);
	assert_int_equal(told.messages, 1);
}

static void test_pci_msix_masked_vectors_are_pending(void **state)
{
	(void)state;
	put(CONTROL, 2, ENABLED);
	pci_function_send(&fake, 1);
	pci_function_send(&fake, 1);
	pci_function_send(&fake, 2);
	assert_int_equal(told.messages, 0);
	assert_int_equal(table_get(0x800, 4), 6);
	assert_int_equal(table_get(0x804, 4), 0);
	table_put(0x1c, 4, 0);
	assert_int_equal(told.messages, 1);
	assert_int_equal(told.data, 0x41);
	assert_int_equal(table_get(0x800, 4), 4);
	table_put(0x1c, 4, 1);
	table_put(0x1c, 4, 0);
	assert_int_equal(told.messages, 1);
}

static void test_pci_msix_function_mask_holds_all(void **state)
{
	(void)state;
	put(CONTROL, 2, ENABLED_MASKED);
	table_put(0x0c, 4, 0);
	table_put(0x1c, 4, 0);
	pci_function_send(&fake, 0);
	pci_function_send(&fake, 1);
	assert_int_equal(told.messages, 0);
	assert_int_equal(table_get(0x800, 4), 3);
	put(CONTROL + 1, 1, ENABLED >> 8);
	assert_int_equal(told.messages, 2);
	assert_int_equal(table_get(0x800, 4), 0);
}

/* A message is a write to memory: only a bus master makes one. */
static void test_pci_msix_waits_for_bus_master(void **state)
{
	(void)state;
	put(CONTROL, 2, ENABLED);
	table_put(0x1c, 4, 0);
	put(PCI_CONFIG_COMMAND, 2, 0);
	assert_false(pci_function_is_master(&fake));
	pci_function_send(&fake, 1);
	assert_int_equal(told.messages, 0);
	put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_int_equal(told.messages, 1);
}

static void test_pci_msix_off_forgets_what_was_pending(void **state)
{
	(void)state;
	put(CONTROL, 2, ENABLED);
	pci_function_send(&fake, 1);
	put(CONTROL, 2, 0);
	put(CONTROL, 2, ENABLED);
	table_put(0x1c, 4, 0);
	assert_int_equal(told.messages, 0);
	pci_function_send(&fake, 2);
	pci_function_reset(&fake);
	assert_int_equal(table_get(0x800, 4), 0);
	assert_int_equal(table_get(0x1c, 4), 1);
	assert_int_equal(table_get(0x10, 4), 0);
	assert_false(pci_function_has_msix(&fake));
	assert_int_equal(told.messages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pci_msix_table_keeps_what_it_may, setup),
		cmocka_unit_test_setup(test_pci_msix_sends_what_is_not_masked, setup),
		cmocka_unit_test_setup(test_pci_msix_masked_vectors_are_pending, setup),
		cmocka_unit_test_setup(test_pci_msix_function_mask_holds_all, setup),
		cmocka_unit_test_setup(test_pci_msix_waits_for_bus_master, setup),
		cmocka_unit_test_setup(test_pci_msix_off_forgets_what_was_pending, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
