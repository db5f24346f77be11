/* Where a virtio device says that its structures are, and the way to them through configuration space alone. */
#include "tests/unit/virtio_toy.h"

static void expect_structure(uint8_t type, unsigned nth, unsigned bar, uint32_t offset, uint32_t length)
{
	unsigned at = toy_capability(type, nth);

	assert_int_not_equal(at, 0);
	assert_true(toy_config_get(at + 2, 1) >= 16);
	assert_int_equal(toy_config_get(at + 4, 1), bar);
	assert_int_equal(toy_config_get(at + 8, 4), offset);
	assert_int_equal(toy_config_get(at + 12, 4), length);
	assert_true(offset + length <= toy.function.identity.bars[bar].size_bytes);
	toy_config_put(at + 8, 4, 0xffffffff);
	assert_int_equal(toy_config_get(at + 8, 4), offset);
}

static void test_virtio_capabilities_name_the_structures(void **state)
{
	unsigned notify;

	(void)state;
	assert_int_equal(toy_config_get(PCI_CONFIG_VENDOR, 4), 0x10441af4);
	assert_int_equal(toy_config_get(PCI_CONFIG_REVISION, 4), 0xff000001);
	expect_structure(VIRTIO_PCI_CAP_COMMON_CFG, 0, VIRTIO_BAR_REGISTERS, 0, VIRTIO_COMMON_BYTES);
	expect_structure(VIRTIO_PCI_CAP_NOTIFY_CFG, 0, VIRTIO_BAR_NOTIFY, 0, TOY_QUEUES * 4);
	expect_structure(VIRTIO_PCI_CAP_NOTIFY_CFG, 1, VIRTIO_BAR_REGISTERS, VIRTIO_NOTIFY_BASE, TOY_QUEUES * 4);
	expect_structure(VIRTIO_PCI_CAP_ISR_CFG, 0, VIRTIO_BAR_REGISTERS, VIRTIO_ISR_BASE, 1);
	expect_structure(VIRTIO_PCI_CAP_DEVICE_CFG, 0, VIRTIO_BAR_REGISTERS, VIRTIO_CONFIG_BASE, TOY_CONFIG_BYTES);
	notify = toy_capability(VIRTIO_PCI_CAP_NOTIFY_CFG, 0);
	assert_int_equal(toy_config_get(notify + 2, 1), 20);
	assert_int_equal(toy_config_get(notify + 16, 4), VIRTIO_NOTIFY_STEP_BYTES);
}

static void test_virtio_without_configuration_shows_none(void **state)
{
	struct virtio_config config;

	(void)state;
	config = toy.config;
	config.config_bytes = 0;
	assert_int_equal(virtio_init(&toy, &config, &(struct virtio_wires){.notify = toy_notify}), OK);
	assert_int_equal(toy_capability(VIRTIO_PCI_CAP_DEVICE_CFG, 0), 0);
	assert_int_not_equal(toy_capability(VIRTIO_PCI_CAP_PCI_CFG, 0), 0);
}

static void aim(unsigned bar, uint32_t offset, uint32_t length)
{
	unsigned at = toy_capability(VIRTIO_PCI_CAP_PCI_CFG, 0);

	toy_config_put(at + 4, 1, bar);
	toy_config_put(at + 8, 4, offset);
	toy_config_put(at + 12, 4, length);
}

static unsigned data_register(void)
{
	return toy_capability(VIRTIO_PCI_CAP_PCI_CFG, 0) + 16;
}

static void test_virtio_is_reached_through_configuration_space(void **state)
{
	(void)state;
	aim(VIRTIO_BAR_REGISTERS, VIRTIO_COMMON_NUM_QUEUES, 2);
	assert_int_equal(toy_config_get(data_register(), 2), TOY_QUEUES);
	aim(VIRTIO_BAR_REGISTERS, VIRTIO_COMMON_DEVICE_STATUS, 1);
	toy_config_put(data_register(), 1, VIRTIO_STATUS_ACKNOWLEDGE);
	assert_int_equal(toy_status(), VIRTIO_STATUS_ACKNOWLEDGE);
	toy_config_put(data_register(), 4, 0x1200 | VIRTIO_STATUS_DRIVER);
	assert_int_equal(toy_status(), VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	aim(VIRTIO_BAR_MSIX, 8, 4);
	toy_config_put(data_register(), 4, 0x41);
	assert_int_equal(pci_msix_ops.read(&toy.function, 8, 4, 0), 0x41);
	toy_run(0);
	told.notified = 0;
	aim(VIRTIO_BAR_NOTIFY, 2 * VIRTIO_NOTIFY_STEP_BYTES, 2);
	toy_config_put(data_register(), 2, 2);
	assert_int_equal(told.notified, 1U << 2);
}

static void test_virtio_aims_without_sense_find_nothing(void **state)
{
	static const struct {
		unsigned bar;
		uint32_t offset, length;
	} aims[] = {
		{VIRTIO_BAR_REGISTERS, VIRTIO_COMMON_DEVICE_STATUS, 0},
		{VIRTIO_BAR_REGISTERS, VIRTIO_COMMON_DEVICE_STATUS, 3},
		{VIRTIO_BAR_REGISTERS, VIRTIO_COMMON_DEVICE_STATUS, 8},
		{VIRTIO_BAR_REGISTERS, VIRTIO_COMMON_DEVICE_STATUS + 1, 2},
		{VIRTIO_BAR_REGISTERS, VIRTIO_REGISTERS_BYTES, 1},
		{VIRTIO_BAR_REGISTERS, 0xfffffffc, 4},
		{VIRTIO_BAR_REGISTERS + 1, 0, 4},
		{2, 0, 4},
		{6, 0, 4},
		{255, 0, 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(aims) / sizeof(aims[0]); i++) {
		aim(aims[i].bar, aims[i].offset, aims[i].length);
		toy_config_put(data_register(), 4, 0xffffffff);
		assert_int_equal(toy_config_get(data_register(), 4), 0);
		assert_int_equal(toy_status(), 0);
	}
	aim(VIRTIO_BAR_REGISTERS, VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 4);
	toy_config_put(data_register() + 2, 2, 1);
	toy_config_put(data_register(), 2, 1);
	assert_int_equal(toy_get(VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_capabilities_name_the_structures, toy_setup),
		cmocka_unit_test_setup(test_virtio_without_configuration_shows_none, toy_setup),
		cmocka_unit_test_setup(test_virtio_is_reached_through_configuration_space, toy_setup),
		cmocka_unit_test_setup(test_virtio_aims_without_sense_find_nothing, toy_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
