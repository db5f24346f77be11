/* The test device: two arrays of bytes and a row of switches. */
#include "drivers/virt/testdev.h"

#include <stddef.h>

#include "lib/base/string.h"

/* The bytes behind an offset; NULL where there are none. The bus keeps accesses inside a region. */
static uint8_t *bytes_at(struct testdev *dev, uint64_t offset)
{
	if (offset >= TESTDEV_MEMORY)
		return &dev->state.memory[offset - TESTDEV_MEMORY];
	if (offset < TESTDEV_FLUSH || (offset >= TESTDEV_SCRATCH_AGAIN && offset < TESTDEV_SCRATCH_AGAIN + TESTDEV_PORTS_SIZE))
		return &dev->state.scratch[offset % TESTDEV_PORTS_SIZE];
	return NULL;
}

static uint64_t testdev_read(void *device, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const uint8_t *bytes = bytes_at(device, offset);
	uint64_t value = 0;

	(void)now_ns;
	if (bytes != NULL)
		memcpy(&value, bytes, width);
	return value;
}

static void testdev_write(void *device, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct testdev *dev = device;
	uint8_t *bytes = bytes_at(dev, offset);

	(void)now_ns;
	if (bytes != NULL)
		memcpy(bytes, &value, width);
	else if (offset >= TESTDEV_LINES && dev->wires.set_line != NULL)
		dev->wires.set_line(dev->wires.ctx, (unsigned)(offset - TESTDEV_LINES), value != 0);
}

static void testdev_reset(void *device)
{
	struct testdev *dev = device;

	memset(&dev->state, 0, sizeof(dev->state));
}

void testdev_init(struct testdev *dev, const struct testdev_wires *wires)
{
	dev->wires = *wires;
	testdev_reset(dev);
}

const struct device_ops testdev_ops = {
	.name = "testdev",
	.width_max = 8,
	.uses_time = false,
	.read = testdev_read,
	.write = testdev_write,
	.reset = testdev_reset,
};
