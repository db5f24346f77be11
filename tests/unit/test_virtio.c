/* A virtio device's status, features, queues' registers and interrupts, as the specification's driver meets them. */
#include "tests/unit/virtio_toy.h"

static const struct ring_buffer good = {RING_DATA, 4, RING_F_WRITE};

static void test_virtio_offers_its_features(void **state)
{
	uint64_t features;

	(void)state;
	features = toy_get(VIRTIO_COMMON_DEVICE_FEATURE, 4);
	toy_put(VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 4, 1);
	features |= (uint64_t)toy_get(VIRTIO_COMMON_DEVICE_FEATURE, 4) << 32;
	assert_int_equal(features, TOY_FEATURE | TOY_MODERN | VIRTIO_FEATURE(VIRTIO_F_INDIRECT_DESC) |
					   VIRTIO_FEATURE(VIRTIO_F_EVENT_IDX) | VIRTIO_FEATURE(VIRTIO_F_RING_PACKED));
	toy_put(VIRTIO_COMMON_DEVICE_FEATURE_SELECT, 4, 2);
	assert_int_equal(toy_get(VIRTIO_COMMON_DEVICE_FEATURE, 4), 0);
}

static void test_virtio_refuses_features_that_were_not_offered(void **state)
{
	static const struct {
		uint64_t features;
		bool is_good;
	} cases[] = {
		{TOY_MODERN, true},
		{TOY_MODERN | TOY_FEATURE, true},
		{TOY_FEATURE, false},
		{TOY_MODERN | VIRTIO_FEATURE(6), false},
		{TOY_MODERN | VIRTIO_FEATURE(VIRTIO_F_ACCESS_PLATFORM), false},
		{TOY_MODERN | VIRTIO_FEATURE(VIRTIO_F_IN_ORDER), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		toy_negotiate(cases[i].features);
		assert_int_equal((toy_status() & VIRTIO_STATUS_FEATURES_OK) != 0, cases[i].is_good);
		assert_int_equal(virtio_has_feature(&toy, VIRTIO_F_VERSION_1), cases[i].is_good);
		toy_put_status(TOY_DRIVER_OK & ~VIRTIO_STATUS_FEATURES_OK);
		assert_int_equal(virtio_is_running(&toy), cases[i].is_good);
	}
}

static void test_virtio_keeps_features_once_they_are_settled(void **state)
{
	(void)state;
	toy_negotiate(TOY_MODERN | TOY_FEATURE);
	toy_put(VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 4, 0);
	toy_put(VIRTIO_COMMON_DRIVER_FEATURE, 4, 0xffffffff);
	assert_int_equal(toy_get(VIRTIO_COMMON_DRIVER_FEATURE, 4), TOY_FEATURE);
	toy_put_status(TOY_DRIVER_OK);
	assert_int_equal(told.starts, 1);
	assert_int_equal(told.started_features, TOY_MODERN | TOY_FEATURE);
}

/* Bits above the 64th that a driver wrote are not forgotten. */
static void test_virtio_refuses_features_from_64_on(void **state)
{
	(void)state;
	toy_put(VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 4, 1);
	toy_put(VIRTIO_COMMON_DRIVER_FEATURE, 4, 1);
	toy_put(VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 4, 2);
	toy_put(VIRTIO_COMMON_DRIVER_FEATURE, 4, 1);
	toy_put_status(VIRTIO_STATUS_FEATURES_OK);
	assert_int_equal(toy_status() & VIRTIO_STATUS_FEATURES_OK, 0);
}

static void test_virtio_status_bits_stay_until_a_reset(void **state)
{
	(void)state;
	toy_run(0);
	toy_put_status(VIRTIO_STATUS_ACKNOWLEDGE);
	assert_int_equal(toy_status(), TOY_DRIVER_OK);
	toy_put_status(VIRTIO_STATUS_NEEDS_RESET);
	assert_int_equal(toy_status(), TOY_DRIVER_OK);
	toy_put_status(TOY_DRIVER_OK);
	assert_int_equal(told.starts, 1);
	told.resets = 0;
	toy_put_status(0);
	assert_int_equal(toy_status(), 0);
	assert_int_equal(told.resets, 1);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 0);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2), PCI_VECTOR_NONE);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_SIZE, 2), TOY_SIZE);
}

static void test_virtio_queue_registers_do_not_change_in_use(void **state)
{
	(void)state;
	toy_run(0);
	toy_put(VIRTIO_COMMON_QUEUE_SELECT, 2, 1);
	toy_put(VIRTIO_COMMON_QUEUE_SIZE, 2, 2);
	toy_put(VIRTIO_COMMON_QUEUE_DESC, 4, 0x9000);
	toy_put(VIRTIO_COMMON_QUEUE_DRIVER, 4, 0x9000);
	toy_put(VIRTIO_COMMON_QUEUE_DEVICE + 4, 4, 1);
	toy_put(VIRTIO_COMMON_QUEUE_ENABLE, 2, 0);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_SIZE, 2), TOY_SIZE);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_DESC, 4), RING_DESC);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_DRIVER, 4), RING_DRIVER);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_DEVICE + 4, 4), 0);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 1);
}

static void test_virtio_queues_that_are_not_there_are_empty(void **state)
{
	(void)state;
	assert_int_equal(toy_get(VIRTIO_COMMON_NUM_QUEUES, 2), TOY_QUEUES);
	toy_negotiate(TOY_MODERN);
	for (uint32_t queue = TOY_QUEUES; queue < 0x10000; queue += 0xfffc) {
		toy_enable((uint16_t)queue, RING_DESC);
		toy_put(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2, 1);
		assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_SIZE, 2), 0);
		assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 0);
		assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_DESC, 4), 0);
		assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2), PCI_VECTOR_NONE);
	}
	assert_int_equal(toy_status() & VIRTIO_STATUS_NEEDS_RESET, 0);
}

/* Each queue has its notification's place, and room for no more entries than the device says. */
static void test_virtio_queue_registers(void **state)
{
	(void)state;
	for (uint16_t queue = 0; queue < TOY_QUEUES; queue++) {
		toy_put(VIRTIO_COMMON_QUEUE_SELECT, 2, queue);
		assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_NOTIFY_OFF, 2), queue);
		toy_put(VIRTIO_COMMON_QUEUE_SIZE, 2, TOY_SIZE * 2);
		assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_SIZE, 2), TOY_SIZE);
		toy_put(VIRTIO_COMMON_QUEUE_SIZE, 2, 2);
		assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_SIZE, 2), 2);
		toy_put(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2, TOY_QUEUES);
		assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2), TOY_QUEUES);
		toy_put(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2, TOY_QUEUES + 1);
		assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2), PCI_VECTOR_NONE);
	}
	toy_put(VIRTIO_COMMON_CONFIG_MSIX_VECTOR, 2, 0);
	assert_int_equal(toy_get(VIRTIO_COMMON_CONFIG_MSIX_VECTOR, 2), 0);
	/* Only whole registers. */
	toy_put(VIRTIO_COMMON_QUEUE_SIZE, 1, 1);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_SIZE, 2), 2);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_SIZE + 1, 1), 0);
}

static void test_virtio_queues_wait_for_features(void **state)
{
	(void)state;
	toy_put_status(VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	toy_enable(1, RING_DESC);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 0);
}

static void test_virtio_bad_rings_ask_for_a_reset(void **state)
{
	(void)state;
	toy_negotiate(TOY_MODERN);
	toy_enable(1, RING_DESC + 8);
	assert_int_equal(toy_get(VIRTIO_COMMON_QUEUE_ENABLE, 2), 0);
	assert_int_equal(toy_status() & VIRTIO_STATUS_NEEDS_RESET, VIRTIO_STATUS_NEEDS_RESET);
	toy_run(0);
	assert_true(virtio_is_running(&toy));
}

static void test_virtio_serves_after_driver_ok(void **state)
{
	uint16_t id;
	uint32_t written;

	(void)state;
	toy_negotiate(TOY_MODERN);
	toy_enable(1, RING_DESC);
	ring_offer(3, &good, 1);
	virtio_notify_ops.write(&toy, VIRTIO_NOTIFY_STEP_BYTES, 2, 1, 0);
	assert_int_equal(told.notified, 0);
	assert_false(virtio_serve(&toy, 1));
	assert_false(virtio_serve_backend(&toy));
	assert_int_equal(told.serves + told.backends, 0);
	/* What came before is looked at now: of the queues that are there. */
	toy_put_status(TOY_DRIVER_OK);
	assert_int_equal(told.notified, 1U << 1);
	assert_false(virtio_serve(&toy, 0));
	assert_false(virtio_serve(&toy, TOY_QUEUES));
	assert_int_equal(told.serves, 0);
	assert_false(virtio_serve(&toy, 1));
	assert_int_equal(told.serves, 1);
	assert_true(ring_used(&id, &written, 1));
	assert_int_equal(id, 3);
	virtio_serve_backend(&toy);
	assert_int_equal(told.backends, 1);
}

static void test_virtio_notifications_say_which_queue(void **state)
{
	(void)state;
	toy_run(0);
	told.notified = 0;
	virtio_notify_ops.write(&toy, 2 * VIRTIO_NOTIFY_STEP_BYTES, 2, 0, 0);
	assert_int_equal(told.notified, 1U << 2);
	toy_put(VIRTIO_NOTIFY_BASE, 2, 0);
	assert_int_equal(told.notified, 1U << 2 | 1U);
	told.notified = 0;
	virtio_notify_ops.write(&toy, 2, 2, 0, 0);
	virtio_notify_ops.write(&toy, TOY_QUEUES * VIRTIO_NOTIFY_STEP_BYTES, 2, 0, 0);
	assert_int_equal(told.notified, 0);
	assert_int_equal(virtio_notify_ops.read(&toy, 0, 4, 0), 0);
}

/* The device is told again of a chain that came while it settled, and of none that it left where it is. */
static void test_virtio_loses_no_chain_and_turns_no_circles(void **state)
{
	(void)state;
	toy_run(0);
	told.notified = 0;
	told.comes_late = true;
	virtio_serve(&toy, 1);
	assert_int_equal(told.notified, 1U << 1);
	assert_int_equal(ring_get16(RING_DEVICE), 0);
	told.notified = 0;
	told.is_idle = true;
	virtio_serve(&toy, 1);
	assert_int_equal(told.notified, 0);
	assert_int_equal(ring_get16(RING_DEVICE), 1);
	told.is_idle = false;
	virtio_serve(&toy, 1);
	assert_int_equal(told.notified, 0);
	assert_int_equal(ring_get16(RING_DEVICE), 0);
}

static void test_virtio_broken_queue_asks_for_a_reset(void **state)
{
	(void)state;
	toy_run(0);
	ring_offer_head(0xffff);
	virtio_serve(&toy, 1);
	assert_int_equal(toy_status(), TOY_DRIVER_OK | VIRTIO_STATUS_NEEDS_RESET);
	assert_true(told.pin);
	assert_int_equal(toy_get(VIRTIO_ISR_BASE, 1), VIRTIO_ISR_CONFIG);
	told.serves = 0;
	ring_offer_head(0);
	assert_false(virtio_serve(&toy, 1));
	assert_int_equal(told.serves, 0);
	/* Told once. */
	virtio_fail(&toy);
	assert_false(told.pin);
	ring_start(TOY_SIZE, 0);
	toy_run(0);
	ring_offer(0, &good, 1);
	virtio_serve(&toy, 1);
	assert_int_equal(told.serves, 1);
	assert_int_equal(toy_status(), TOY_DRIVER_OK);
}

static void test_virtio_pin_follows_the_isr(void **state)
{
	(void)state;
	toy_run(0);
	ring_offer(0, &good, 1);
	virtio_serve(&toy, 1);
	assert_true(told.pin);
	assert_int_equal(toy_config_get(PCI_CONFIG_STATUS, 2) & PCI_STATUS_INTERRUPT, PCI_STATUS_INTERRUPT);
	assert_int_equal(toy_get(VIRTIO_ISR_BASE, 1), VIRTIO_ISR_QUEUE);
	assert_false(told.pin);
	assert_int_equal(toy_get(VIRTIO_ISR_BASE, 1), 0);
	virtio_config_changed(&toy);
	assert_true(told.pin);
	assert_int_equal(toy_get(VIRTIO_COMMON_CONFIG_GENERATION, 1), 1);
	toy_put_status(0);
	assert_false(told.pin);
	assert_int_equal(toy_get(VIRTIO_ISR_BASE, 1), 0);
	assert_int_equal(toy_get(VIRTIO_COMMON_CONFIG_GENERATION, 1), 1);
}

static void test_virtio_messages_have_their_vectors(void **state)
{
	unsigned msix = toy_config_get(PCI_CONFIG_CAPABILITIES, 1);

	(void)state;
	toy_config_put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	toy_config_put(msix + 2, 2, 0x8000);
	for (uint32_t vector = 0; vector <= TOY_QUEUES; vector++) {
		pci_msix_ops.write(&toy.function, vector * 16 + 8, 4, 0x40 + vector, 0);
		pci_msix_ops.write(&toy.function, vector * 16 + 12, 4, 0, 0);
	}
	toy_run(0);
	toy_put(VIRTIO_COMMON_QUEUE_SELECT, 2, 1);
	toy_put(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2, 2);
	toy_put(VIRTIO_COMMON_CONFIG_MSIX_VECTOR, 2, 3);
	ring_offer(0, &good, 1);
	virtio_serve(&toy, 1);
	assert_int_equal(told.messages, 1);
	assert_int_equal(told.message, 0x42);
	assert_false(told.pin);
	assert_int_equal(toy_get(VIRTIO_ISR_BASE, 1), 0);
	virtio_config_changed(&toy);
	assert_int_equal(told.message, 0x43);
	assert_int_equal(toy_get(VIRTIO_ISR_BASE, 1), VIRTIO_ISR_CONFIG);
	toy_put(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2, PCI_VECTOR_NONE);
	ring_offer(0, &good, 1);
	virtio_serve(&toy, 1);
	assert_int_equal(told.messages, 2);
}

/* Drivers that use MSI learn from the ISR status what it was, as with the pin. */
static void test_virtio_msi_is_sent_for_the_pin(void **state)
{
	unsigned msi = toy_config_get(PCI_CONFIG_CAPABILITIES, 1);

	(void)state;
	while (toy_config_get(msi, 1) != PCI_CAPABILITY_MSI)
		msi = toy_config_get(msi + 1, 1);
	toy_config_put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY);
	toy_config_put(msi + 12, 2, 0x51);
	toy_config_put(msi + 2, 2, 1);
	toy_run(0);
	for (unsigned count = 1; count < 3; count++) {
		ring_offer(0, &good, 1);
		virtio_serve(&toy, 1);
		assert_int_equal(told.messages, count); /* also while the status is unread */
	}
	assert_int_equal(told.message, 0x51);
	assert_false(told.pin);
	assert_int_equal(toy_get(VIRTIO_ISR_BASE, 1), VIRTIO_ISR_QUEUE);
	virtio_config_changed(&toy);
	assert_int_equal(told.messages, 3);
	assert_int_equal(toy_get(VIRTIO_ISR_BASE, 1), VIRTIO_ISR_CONFIG);
	assert_int_equal(toy_get(VIRTIO_ISR_BASE, 1), 0);
	toy_config_put(msi + 2, 2, 0);
	assert_false(told.pin);
}

static void test_virtio_device_configuration(void **state)
{
	(void)state;
	memcpy(told.config, "\1\2\3\4\5\6", TOY_CONFIG_BYTES);
	assert_int_equal(toy_get(VIRTIO_CONFIG_BASE, 4), 0x04030201);
	assert_int_equal(toy_get(VIRTIO_CONFIG_BASE + 4, 2), 0x0605);
	assert_int_equal(toy_get(VIRTIO_CONFIG_BASE + 4, 4), 0);
	assert_int_equal(toy_get(VIRTIO_CONFIG_BASE + TOY_CONFIG_BYTES, 1), 0);
	toy_put(VIRTIO_CONFIG_BASE + 5, 1, 9);
	assert_int_equal(told.config[5], 9);
	toy_put(VIRTIO_CONFIG_BASE + 4, 4, 0);
	assert_int_equal(told.config[5], 9);
}

static void test_virtio_reset_is_power_on(void **state)
{
	(void)state;
	toy_run(0);
	virtio_config_changed(&toy);
	toy_config_put(PCI_CONFIG_COMMAND, 2, PCI_COMMAND_MASTER);
	virtio_reset(&toy);
	assert_int_equal(toy_status(), 0);
	assert_int_equal(toy_get(VIRTIO_COMMON_CONFIG_GENERATION, 1), 0);
	assert_int_equal(toy_config_get(PCI_CONFIG_COMMAND, 2), 0);
	assert_false(told.pin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_offers_its_features, toy_setup),
		cmocka_unit_test_setup(test_virtio_refuses_features_that_were_not_offered, toy_setup),
		cmocka_unit_test_setup(test_virtio_keeps_features_once_they_are_settled, toy_setup),
		cmocka_unit_test_setup(test_virtio_refuses_features_from_64_on, toy_setup),
		cmocka_unit_test_setup(test_virtio_status_bits_stay_until_a_reset, toy_setup),
		cmocka_unit_test_setup(test_virtio_queue_registers_do_not_change_in_use, toy_setup),
		cmocka_unit_test_setup(test_virtio_queues_that_are_not_there_are_empty, toy_setup),
		cmocka_unit_test_setup(test_virtio_queue_registers, toy_setup),
		cmocka_unit_test_setup(test_virtio_queues_wait_for_features, toy_setup),
		cmocka_unit_test_setup(test_virtio_bad_rings_ask_for_a_reset, toy_setup),
		cmocka_unit_test_setup(test_virtio_serves_after_driver_ok, toy_setup),
		cmocka_unit_test_setup(test_virtio_notifications_say_which_queue, toy_setup),
		cmocka_unit_test_setup(test_virtio_loses_no_chain_and_turns_no_circles, toy_setup),
		cmocka_unit_test_setup(test_virtio_broken_queue_asks_for_a_reset, toy_setup),
		cmocka_unit_test_setup(test_virtio_pin_follows_the_isr, toy_setup),
		cmocka_unit_test_setup(test_virtio_messages_have_their_vectors, toy_setup),
		cmocka_unit_test_setup(test_virtio_msi_is_sent_for_the_pin, toy_setup),
		cmocka_unit_test_setup(test_virtio_device_configuration, toy_setup),
		cmocka_unit_test_setup(test_virtio_reset_is_power_on, toy_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
