/* drivers/virt/ivshmem.c: identity, registers, rings in and out. */
#include "drivers/virt/ivshmem.h"
#include "drivers/virt/pci_decode.h"
#include "tests/unit/unit.h"

#define MSIX_VECTOR_CONTROL 12U

static struct ivshmem device;
static struct {
	unsigned rings, peer, vector, messages;
	uint32_t data;
} seen;

static void ring(void *ctx, unsigned peer, unsigned vector)
{
	assert_ptr_equal(ctx, &seen);
	seen.rings++;
	seen.peer = peer;
	seen.vector = vector;
}

static void send(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	assert_int_equal(address, 0xfee00000);
	seen.messages++;
	seen.data = data;
}

static void bar_moved(void *ctx, unsigned bar, uint64_t base)
{
	(void)ctx;
	(void)bar;
	(void)base;
}

static void pin(void *ctx, bool level)
{
	(void)ctx;
	(void)level;
}

static int setup(void **state)
{
	const struct ivshmem_config config = {.size_bytes = 0x100000, .own_id = 3, .vector_count = 2};
	const struct ivshmem_wires wires = {
		.pci = {.bar_moved = bar_moved, .send = send, .pin = {.set = pin}}, .ring = ring, .ctx = &seen};

	(void)state;
	memset(&seen, 0, sizeof(seen));
	ivshmem_init(&device, &config, &wires);
	return 0;
}

static uint32_t config_read(unsigned reg, unsigned width)
{
	return pci_function_ops.read(&device.function, reg, width);
}

static uint64_t get(uint64_t offset, unsigned width)
{
	return ivshmem_ops.read(&device, offset, width, 0);
}

static void put(uint64_t offset, unsigned width, uint64_t value)
{
	ivshmem_ops.write(&device, offset, width, value, 0);
}

static void test_ivshmem_it_is_qemus_device(void **state)
{
	(void)state;
	assert_int_equal(config_read(0, 4), 0x11101af4);
	assert_int_equal(config_read(8, 4), 0x05000001);
	assert_int_equal(config_read(0x3d, 1), 0); /* no pin */
	pci_function_ops.write(&device.function, 0x18, 4, 0xffffffff);
	pci_function_ops.write(&device.function, 0x1c, 4, 0xffffffff);
	assert_int_equal(config_read(0x18, 4), 0xfff0000c); /* 1 MiB, 64-bit, prefetchable */
	assert_int_equal(config_read(0x1c, 4), 0xffffffff);
}

static void test_ivshmem_has_registers(void **state)
{
	(void)state;
	assert_int_equal(get(IVSHMEM_POSITION, 4), 3);
	put(IVSHMEM_POSITION, 4, 9);
	assert_int_equal(get(IVSHMEM_POSITION, 4), 3);
	put(IVSHMEM_INTERRUPT_MASK, 4, 0x12345678);
	assert_int_equal(get(IVSHMEM_INTERRUPT_MASK, 4), 0x12345678);
	put(IVSHMEM_INTERRUPT_STATUS, 4, 0xffffffff);
	assert_int_equal(get(IVSHMEM_INTERRUPT_STATUS, 4), 0);
	assert_int_equal(get(IVSHMEM_DOORBELL, 4), 0);
	assert_int_equal(get(0xfc, 4), 0);
	assert_int_equal(get(IVSHMEM_POSITION, 1), 0);
	ivshmem_ops.reset(&device);
	assert_int_equal(get(IVSHMEM_INTERRUPT_MASK, 4), 0);
	assert_int_equal(seen.rings, 0);
}

static void test_ivshmem_a_write_to_the_doorbell_rings(void **state)
{
	(void)state;
	put(IVSHMEM_DOORBELL, 4, 0xfffe0007);
	assert_int_equal(seen.rings, 1);
	assert_int_equal(seen.peer, 0xfffe);
	assert_int_equal(seen.vector, 7);
	put(IVSHMEM_DOORBELL, 2, 1);
	put(IVSHMEM_DOORBELL + 2, 2, 1);
	put(IVSHMEM_DOORBELL, 1, 1);
	assert_int_equal(seen.rings, 1);
}

static void enable_vector(unsigned vector, uint32_t data)
{
	pci_msix_ops.write(&device.function, vector * 16, 4, 0xfee00000, 0);
	pci_msix_ops.write(&device.function, vector * 16 + 8, 4, data, 0);
	pci_msix_ops.write(&device.function, vector * 16 + MSIX_VECTOR_CONTROL, 4, 0, 0);
}

static void test_ivshmem_rings_become_messages(void **state)
{
	unsigned capability = config_read(0x34, 1);

	(void)state;
	assert_int_equal(config_read(capability, 1), 0x11);
	enable_vector(1, 0x41);
	ivshmem_receive(&device, 1);
	assert_int_equal(seen.messages, 0); /* MSI-X is off: lost */
	pci_function_ops.write(&device.function, 4, 2, 0x6);
	pci_function_ops.write(&device.function, capability + 2, 2, 0x8000);
	assert_int_equal(seen.messages, 0);
	ivshmem_receive(&device, 1);
	assert_int_equal(seen.messages, 1);
	assert_int_equal(seen.data, 0x41);
	ivshmem_receive(&device, 2); /* there are two */
	assert_int_equal(seen.messages, 1);
}

/* With MSI there is one message for all of them. */
static void test_ivshmem_rings_become_the_message_of_msi(void **state)
{
	unsigned capability = config_read(config_read(0x34, 1) + 1, 1);

	(void)state;
	assert_int_equal(config_read(capability, 1), 0x05);
	pci_function_ops.write(&device.function, 4, 2, 0x6);
	pci_function_ops.write(&device.function, capability + 4, 4, 0xfee00000);
	pci_function_ops.write(&device.function, capability + 12, 2, 0x52);
	pci_function_ops.write(&device.function, capability + 2, 2, 1);
	ivshmem_receive(&device, 0);
	ivshmem_receive(&device, 1);
	assert_int_equal(seen.messages, 2);
	assert_int_equal(seen.data, 0x52);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ivshmem_it_is_qemus_device, setup),
		cmocka_unit_test_setup(test_ivshmem_has_registers, setup),
		cmocka_unit_test_setup(test_ivshmem_a_write_to_the_doorbell_rings, setup),
		cmocka_unit_test_setup(test_ivshmem_rings_become_messages, setup),
		cmocka_unit_test_setup(test_ivshmem_rings_become_the_message_of_msi, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
