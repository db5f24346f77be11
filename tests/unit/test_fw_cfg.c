/* fw_cfg through a bus and through DMA, against a guest memory of a few KiB. */
#include "drivers/virt/bus.h"
#include "drivers/virt/fw_cfg.h"
#include "tests/unit/unit.h"

#define MEMORY_BYTES 4096U
#define DESCRIPTOR   0x100U
#define TARGET       0x800U

static uint8_t memory[MEMORY_BYTES];
static struct bus ports;
static struct fw_cfg device;
static unsigned reads;

static const struct fw_cfg_item items[] = {
	{.key = 0, .size_bytes = 4, .bytes = "QEMU"},
	{.key = 0x19, .size_bytes = 10, .bytes = "0123456789"},
	{.key = 0x8003, .size_bytes = 2, .bytes = "ab"},
};

static enum status take(void *ctx, uint64_t gpa, void *out, size_t len_bytes)
{
	(void)ctx;
	reads++;
	if (gpa > MEMORY_BYTES || len_bytes > MEMORY_BYTES - gpa)
		return ERR_OUT_OF_RANGE;
	memcpy(out, memory + gpa, len_bytes);
	return OK;
}

static enum status give(void *ctx, uint64_t gpa, const void *bytes, size_t len_bytes)
{
	(void)ctx;
	if (gpa > MEMORY_BYTES || len_bytes > MEMORY_BYTES - gpa)
		return ERR_OUT_OF_RANGE;
	if (bytes != NULL)
		memcpy(memory + gpa, bytes, len_bytes);
	else
		memset(memory + gpa, 0, len_bytes);
	return OK;
}

static int set_up(void **state)
{
	(void)state;
	memset(memory, 0xcc, sizeof(memory));
	reads = 0;
	bus_init(&ports, 0xffff);
	fw_cfg_init(&device, &(struct fw_cfg_wires){.read = take, .write = give});
	fw_cfg_set_items(&device, items, sizeof(items) / sizeof(items[0]));
	assert_int_equal(bus_attach(&ports, &(struct io_region){0x510, FW_CFG_PORTS_SIZE, FW_CFG_SELECT, &fw_cfg_ops, &device,
							       NULL}), OK);
	assert_int_equal(bus_attach(&ports, &(struct io_region){0x514, FW_CFG_DMA_SIZE, FW_CFG_DMA, &fw_cfg_ops, &device, NULL}),
			 OK);
	return 0;
}

static void assert_data(const char *expected, size_t len)
{
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bus_read(&ports, 0x511, 1, 0), (uint8_t)expected[i]);
}

static void put_big(uint8_t *at, uint64_t value, unsigned len)
{
	for (unsigned i = 0; i < len; i++)
		at[i] = (uint8_t)(value >> (len - 1 - i) * 8);
}

/* Writes a descriptor and starts it; returns the control word afterwards. */
static uint32_t dma(uint64_t descriptor, uint32_t control, uint32_t len, uint64_t address)
{
	put_big(memory + DESCRIPTOR, control, 4);
	put_big(memory + DESCRIPTOR + 4, len, 4);
	put_big(memory + DESCRIPTOR + 8, address, 8);
	bus_write(&ports, 0x514, 4, __builtin_bswap32((uint32_t)(descriptor >> 32)), 0);
	bus_write(&ports, 0x518, 4, __builtin_bswap32((uint32_t)descriptor), 0);
	return (uint32_t)memory[DESCRIPTOR] << 24 | (uint32_t)memory[DESCRIPTOR + 1] << 16 |
	       (uint32_t)memory[DESCRIPTOR + 2] << 8 | memory[DESCRIPTOR + 3];
}

static void test_fw_cfg_data_follows_the_selector(void **state)
{
	(void)state;
	assert_data("QEMU\0\0", 6);
	bus_write(&ports, 0x510, 2, 0x8003, 0);
	assert_data("ab\0", 3);
	bus_write(&ports, 0x510, 2, 0x4019, 0); /* bit 14 is no part of the number */
	assert_data("01", 2);
	assert_int_equal(bus_read(&ports, 0x510, 1, 0), '2');
	bus_write(&ports, 0x510, 2, 0x1234, 0);
	assert_data("\0\0", 2);
}

static void test_fw_cfg_other_accesses_do_nothing(void **state)
{
	(void)state;
	bus_write(&ports, 0x510, 2, 0x19, 0);
	bus_write(&ports, 0x511, 1, 'x', 0);
	bus_write(&ports, 0x510, 1, 0, 0);
	bus_write(&ports, 0x514, 1, 1, 0);
	bus_write(&ports, 0x516, 4, 1, 0);
	bus_write(&ports, 0x518, 2, DESCRIPTOR, 0);
	assert_int_equal(bus_read(&ports, 0x510, 2, 0), 0xffff);
	assert_data("0123456789\0", 11);
	assert_int_equal(reads, 0);
}

static void test_fw_cfg_dma_register_reads_its_signature(void **state)
{
	(void)state;
	assert_int_equal(bus_read(&ports, 0x514, 4, 0), 0x554d4551); /* "QEMU" */
	assert_int_equal(bus_read(&ports, 0x518, 4, 0), 0x47464320); /* " CFG" */
	assert_int_equal(bus_read(&ports, 0x51b, 1, 0), 'G');
}

static void test_fw_cfg_dma_reads_and_fills_with_zeros(void **state)
{
	(void)state;
	assert_int_equal(dma(DESCRIPTOR, 0x19U << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ, 4, TARGET), 0);
	assert_memory_equal(memory + TARGET, "0123\xcc", 5);
	assert_int_equal(dma(DESCRIPTOR, FW_CFG_DMA_SKIP, 3, 0), 0);
	assert_int_equal(dma(DESCRIPTOR, FW_CFG_DMA_READ, 6, TARGET), 0);
	assert_memory_equal(memory + TARGET, "789\0\0\0\xcc", 7);
	assert_int_equal(dma(DESCRIPTOR, FW_CFG_DMA_SKIP, UINT32_MAX, 0), 0);
	assert_int_equal(dma(DESCRIPTOR, FW_CFG_DMA_READ, 1, TARGET), 0);
	assert_int_equal(memory[TARGET], 0);
	assert_int_equal(dma(DESCRIPTOR, 0x77U << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ, 8, TARGET), 0);
	assert_memory_equal(memory + TARGET, "\0\0\0\0\0\0\0\0", 8);
}

static void test_fw_cfg_dma_changes_no_item(void **state)
{
	(void)state;
	assert_int_equal(dma(DESCRIPTOR, 0x19U << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_WRITE, 2, TARGET), FW_CFG_DMA_ERROR);
	assert_data("0123", 4);
	/* A read that is also a write is a read. */
	assert_int_equal(dma(DESCRIPTOR, FW_CFG_DMA_READ | FW_CFG_DMA_WRITE | FW_CFG_DMA_SKIP, 1, TARGET), 0);
	assert_int_equal(memory[TARGET], '4');
}

static void test_fw_cfg_dma_outside_memory_is_an_error(void **state)
{
	const uint32_t read = 0x19U << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ;

	(void)state;
	assert_int_equal(dma(DESCRIPTOR, read, 4, MEMORY_BYTES - 3), FW_CFG_DMA_ERROR);
	assert_int_equal(dma(DESCRIPTOR, read, 4, UINT64_MAX - 1), FW_CFG_DMA_ERROR);
	memory[TARGET] = 0xee;
	assert_int_equal(dma(DESCRIPTOR, read, UINT32_MAX, TARGET), FW_CFG_DMA_ERROR);
	assert_int_equal(memory[TARGET], 0xee); /* so many zeros are refused before anything is written */
	/* An item that was not read whole is still where it was. */
	assert_data("0", 1);
	/* The descriptor itself: nobody can be told, and what lies at the old place stays. */
	assert_int_equal(dma(MEMORY_BYTES - 15, read, 4, TARGET), read);
	assert_int_equal(dma(0x100000000ULL | DESCRIPTOR, read, 4, TARGET), read);
}

static void test_fw_cfg_dma_address_is_used_up(void **state)
{
	(void)state;
	(void)dma(0x100000000ULL | DESCRIPTOR, 0, 0, 0);
	/* The high half is 0 again: one write of the low half suffices. */
	put_big(memory + DESCRIPTOR, 0x19U << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ, 4);
	put_big(memory + DESCRIPTOR + 4, 1, 4);
	put_big(memory + DESCRIPTOR + 8, TARGET, 8);
	bus_write(&ports, 0x518, 4, __builtin_bswap32(DESCRIPTOR), 0);
	assert_int_equal(memory[TARGET], '0');
}

static void test_fw_cfg_reset_selects_the_signature(void **state)
{
	(void)state;
	bus_write(&ports, 0x510, 2, 0x19, 0);
	assert_data("0", 1);
	fw_cfg_ops.reset(&device);
	assert_data("QEMU", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fw_cfg_data_follows_the_selector, set_up),
		cmocka_unit_test_setup(test_fw_cfg_other_accesses_do_nothing, set_up),
		cmocka_unit_test_setup(test_fw_cfg_dma_register_reads_its_signature, set_up),
		cmocka_unit_test_setup(test_fw_cfg_dma_reads_and_fills_with_zeros, set_up),
		cmocka_unit_test_setup(test_fw_cfg_dma_changes_no_item, set_up),
		cmocka_unit_test_setup(test_fw_cfg_dma_outside_memory_is_an_error, set_up),
		cmocka_unit_test_setup(test_fw_cfg_dma_address_is_used_up, set_up),
		cmocka_unit_test_setup(test_fw_cfg_reset_selects_the_signature, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
