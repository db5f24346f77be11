/* drivers/virt/pci_msi. Expected values: PCI Local Bus Specification 3.0, "MSI Capability Structure". */
#include "tests/unit/pci_fake.h"

#define MSI          0x4cU /* behind MSI-X */
#define CONTROL      (MSI + 2)
#define ADDRESS      (MSI + 4)
#define ADDRESS_HIGH (MSI + 8)
#define DATA         (MSI + 12)
#define MASK         (MSI + 16)
#define PENDING      (MSI + 20)
#define ENABLED      0x0001U
#define MSIX_CONTROL 0x42U
#define MSIX_ENABLED 0x8000U

/* The message goes to a local APIC's vector 41h; the function may send. */
static int setup(void **state)
{
	fake_setup(state);
	put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_MASTER);
	put(ADDRESS, 4, 0xfee02000);
	put(DATA, 4, 0x41);
	return 0;
}

static void test_pci_msi_registers_keep_what_they_may(void **state)
{
	(void)state;
	assert_int_equal(get(MSI, 1), 0x05);
	assert_int_equal(get(CONTROL, 2), 0x0180); /* 64-bit address, a mask, one message, off */
	put(MSI, 4, UINT32_MAX);
	assert_int_equal(get(MSI, 1), 0x05);
	assert_int_equal(get(MSI + 1, 1), MSI + 24);
	assert_int_equal(get(CONTROL, 2), 0x01f1);
	for (unsigned reg = ADDRESS; reg <= PENDING; reg += 4)
		put(reg, 4, UINT32_MAX);
	assert_int_equal(get(ADDRESS, 4), 0xfffffffc);
	assert_int_equal(get(ADDRESS_HIGH, 4), 0xffffffff);
	assert_int_equal(get(DATA, 4), 0x0000ffff);
	assert_int_equal(get(MASK, 4), 1);
	assert_int_equal(get(PENDING, 4), 0);
	assert_int_equal(told.messages, 0);
	pci_function_reset(&fake);
	assert_int_equal(get(CONTROL, 2), 0x0180);
	for (unsigned reg = ADDRESS; reg <= PENDING; reg += 4)
		assert_int_equal(get(reg, 4), 0);
}

/* Whatever the vector: there is one message. */
static void test_pci_msi_sends_its_message(void **state)
{
	(void)state;
	pci_function_send(&fake, 0);
	assert_int_equal(told.messages, 0); /* off: no message, none later */
	put(ADDRESS_HIGH, 4, 0x12);
	put(CONTROL, 2, ENABLED | 0x70); /* 128 messages, of which software cannot have more than one */
	assert_true(pci_function_has_msi(&fake));
	assert_int_equal(told.messages, 0);
	pci_function_send(&fake, 3);
	assert_int_equal(told.messages, 1);
	assert_int_equal(told.address, 0x12fee02000ULL);
	assert_int_equal(told.data, 0x41);
	pci_function_send(&fake, PCI_VECTOR_NONE);
	assert_int_equal(told.messages, 2);
	assert_int_equal(told.data, 0x41);
}

static void test_pci_msi_masked_it_is_pending(void **state)
{
	(void)state;
	put(CONTROL, 2, ENABLED);
	put(MASK, 1, 1);
	pci_function_send(&fake, 0);
	pci_function_send(&fake, 1);
	assert_int_equal(told.messages, 0);
	assert_int_equal(get(PENDING, 4), 1);
	put(PENDING, 4, 0); /* read-only */
	assert_int_equal(get(PENDING, 4), 1);
	put(MASK, 4, 0);
	assert_int_equal(told.messages, 1);
	assert_int_equal(get(PENDING, 4), 0);
	put(MASK, 4, 1);
	put(MASK, 4, 0);
	assert_int_equal(told.messages, 1);
}

/* A message is a write to memory: only a bus master makes one. */
static void test_pci_msi_waits_for_bus_master(void **state)
{
	(void)state;
	put(CONTROL, 2, ENABLED);
	put(PCI_CONFIG_COMMAND, 2, 0);
	pci_function_send(&fake, 0);
	assert_int_equal(told.messages, 0);
	assert_int_equal(get(PENDING, 4), 1);
	put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_MASTER);
	assert_int_equal(told.messages, 1);
}

static void test_pci_msi_off_forgets_what_was_pending(void **state)
{
	(void)state;
	put(CONTROL, 2, ENABLED);
	put(MASK, 1, 1);
	pci_function_send(&fake, 0);
	put(CONTROL, 2, 0);
	assert_int_equal(get(PENDING, 4), 0);
	put(MASK, 1, 0);
	put(CONTROL, 2, ENABLED);
	assert_int_equal(told.messages, 0);
	put(MASK, 1, 1);
	pci_function_send(&fake, 0);
	pci_function_reset(&fake);
	assert_int_equal(get(PENDING, 4), 0);
	assert_false(pci_function_has_msi(&fake));
	assert_int_equal(told.messages, 0);
}

/* "While enabled, the function is prohibited from using MSI". Software must not enable both. */
static void test_pci_msi_gives_way_to_msix(void **state)
{
	(void)state;
	put(CONTROL, 2, ENABLED);
	put(MASK, 1, 1);
	pci_function_send(&fake, 0);
	put(MSIX_CONTROL, 2, MSIX_ENABLED);
	assert_false(pci_function_has_msi(&fake));
	assert_int_equal(get(CONTROL, 2) & ENABLED, ENABLED);
	assert_int_equal(get(PENDING, 4), 0);
	put(MASK, 1, 0);
	pci_function_send(&fake, 1); /* masked in MSI-X's table */
	pci_function_send(&fake, PCI_VECTOR_NONE);
	assert_int_equal(told.messages, 0);
	put(MSIX_CONTROL, 2, 0); /* what was pending there is not sent as MSI */
	assert_int_equal(told.messages, 0);
	assert_true(pci_function_has_msi(&fake));
	pci_function_send(&fake, 1);
	assert_int_equal(told.messages, 1);
	assert_int_equal(told.data, 0x41);
}

static void test_pci_msi_silences_the_pin(void **state)
{
	(void)state;
	pci_function_set_pin(&fake, true);
	assert_true(told.pin);
	put(CONTROL, 2, ENABLED);
	assert_false(told.pin);
	put(MSIX_CONTROL, 2, MSIX_ENABLED);
	put(CONTROL, 2, 0);
	assert_false(told.pin);
	put(CONTROL, 2, ENABLED);
	put(MSIX_CONTROL, 2, 0);
	assert_false(told.pin);
	put(MASK, 1, 1); /* masked is not off */
	assert_false(told.pin);
	assert_int_equal(get(PCI_CONFIG_STATUS, 2) & PCI_STATUS_INTERRUPT, PCI_STATUS_INTERRUPT);
	put(CONTROL, 2, 0);
	assert_true(told.pin);
}

static void test_pci_msi_is_not_where_it_is_not_asked_for(void **state)
{
	const struct pci_identity bare = {.vendor = 1, .has_pin = true};
	const struct pci_function_wires wires = {.send = fake_send, .ctx = &told};

	(void)state;
	pci_function_init(&fake, &bare, &wires);
	for (unsigned reg = 0; reg < PCI_CONFIG_BYTES; reg += 4)
		put(reg, 4, UINT32_MAX);
	pci_function_send(&fake, 0);
	assert_false(pci_function_has_msi(&fake));
	assert_int_equal(told.messages, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pci_msi_registers_keep_what_they_may, setup),
		cmocka_unit_test_setup(test_pci_msi_sends_its_message, setup),
		cmocka_unit_test_setup(test_pci_msi_masked_it_is_pending, setup),
		cmocka_unit_test_setup(test_pci_msi_waits_for_bus_master, setup),
		cmocka_unit_test_setup(test_pci_msi_off_forgets_what_was_pending, setup),
		cmocka_unit_test_setup(test_pci_msi_gives_way_to_msix, setup),
		cmocka_unit_test_setup(test_pci_msi_silences_the_pin, setup),
		cmocka_unit_test_setup(test_pci_msi_is_not_where_it_is_not_asked_for, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
