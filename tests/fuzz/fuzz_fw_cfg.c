/* fw_cfg under accesses and descriptors that the input dictates. Checked besides the sanitizers: nothing is written outside the
 * guest's memory, offsets stay inside items, items stay as they are. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "drivers/virt/bus.h"
#include "drivers/virt/fw_cfg.h"
#include "tests/fake/demand.h"

#define MEMORY_BYTES 0x400U
#define STEP_BYTES   8U
#define STEPS_MAX    4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[MEMORY_BYTES];
static const uint8_t bytes[] = "some bytes that nobody may change";
static const struct fw_cfg_item items[] = {
	{.key = 0, .size_bytes = 4, .bytes = "QEMU"},
	{.key = 1, .size_bytes = 0, .bytes = bytes},
	{.key = 2, .size_bytes = sizeof(bytes), .bytes = bytes},
	{.key = 0x8000, .size_bytes = 1, .bytes = bytes},
};

static enum status take(void *ctx, uint64_t gpa, void *out, size_t len_bytes)
{
	(void)ctx;
	if (gpa > MEMORY_BYTES || len_bytes > MEMORY_BYTES - gpa)
		return ERR_OUT_OF_RANGE;
	memcpy(out, memory + gpa, len_bytes);
	return OK;
}

static enum status give(void *ctx, uint64_t gpa, const void *from, size_t len_bytes)
{
	(void)ctx;
	if (from != NULL && len_bytes > 4) /* longer than an answer and than the first item */
		demand((const uint8_t *)from >= bytes && len_bytes <= (size_t)(bytes + sizeof(bytes) - (const uint8_t *)from));
	if (gpa > MEMORY_BYTES || len_bytes > MEMORY_BYTES - gpa)
		return ERR_OUT_OF_RANGE;
	if (from != NULL)
		memcpy(memory + gpa, from, len_bytes);
	else
		memset(memory + gpa, 0, len_bytes);
	return OK;
}

static uint32_t word(const uint8_t *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static void step(struct bus *bus, const uint8_t *input)
{
	uint64_t address = 0x50f + input[1] % 15;
	unsigned width = 1U << (input[2] & 3);

	switch (input[0] & 3) {
	case 0: /* memory, where descriptors lie */
		memcpy(memory + (word(input + 1) % (MEMORY_BYTES - 4)), input + 4, 4);
		return;
	case 1:
		(void)bus_read(bus, address, width, 0);
		return;
	case 2:
		bus_write(bus, address, width, word(input + 4), 0);
		return;
	default: /* a descriptor that is most likely in memory */
		bus_write(bus, 0x518, 4, __builtin_bswap32(word(input + 4) % MEMORY_BYTES), 0);
		return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bus bus;
	struct fw_cfg device;

	memset(memory, 0, sizeof(memory));
	bus_init(&bus, 0xffff);
	fw_cfg_init(&device, &(struct fw_cfg_wires){.read = take, .write = give});
	fw_cfg_set_items(&device, items, sizeof(items) / sizeof(items[0]));
	demand(bus_attach(&bus, &(struct io_region){0x510, FW_CFG_PORTS_SIZE, FW_CFG_SELECT, &fw_cfg_ops, &device, NULL}) == OK);
	demand(bus_attach(&bus, &(struct io_region){0x514, FW_CFG_DMA_SIZE, FW_CFG_DMA, &fw_cfg_ops, &device, NULL}) == OK);
	for (unsigned i = 0; i < STEPS_MAX && size >= STEP_BYTES; i++, data += STEP_BYTES, size -= STEP_BYTES) {
		step(&bus, data);
		demand(device.state.offset <= sizeof(bytes));
	}
	return 0;
}
