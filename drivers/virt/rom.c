/* A ROM: bytes that stay as they are. */
#include "drivers/virt/rom.h"

#include "lib/base/string.h"

static uint64_t rom_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const struct rom *rom = dev;
	uint64_t value = 0;

	(void)now_ns;
	memcpy(&value, rom->bytes + offset, width);
	return value;
}

static void rom_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	(void)dev;
	(void)offset;
	(void)width;
	(void)value;
	(void)now_ns;
}

const struct device_ops rom_ops = {
	.name = "rom",
	.width_max = 8,
	.uses_time = false,
	.read = rom_read,
	.write = rom_write,
};
