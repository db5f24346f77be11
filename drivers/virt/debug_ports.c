/* Port 80h, port E9h, port F4h. */
#include "drivers/virt/debug_ports.h"

#include <stddef.h>

#define TEXT_PRESENT 0xe9

static uint64_t post_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const struct post_port *port = dev;

	(void)offset;
	(void)width;
	(void)now_ns;
	return port->code;
}

static void post_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct post_port *port = dev;

	(void)offset;
	(void)width;
	(void)now_ns;
	port->code = (uint8_t)value;
}

static void post_reset(void *dev)
{
	struct post_port *port = dev;

	port->code = 0;
}

const struct device_ops post_port_ops = {
	.name = "post",
	.width_max = 1,
	.uses_time = false,
	.read = post_read,
	.write = post_write,
	.reset = post_reset,
};

static uint64_t debug_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	(void)dev;
	(void)width;
	(void)now_ns;
	return offset == DEBUG_PORTS_TEXT ? TEXT_PRESENT : 0;
}

static void debug_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	const struct debug_ports *ports = dev;

	(void)width;
	(void)now_ns;
	if (offset == DEBUG_PORTS_TEXT && ports->text != NULL)
		ports->text(ports->ctx, (uint8_t)value);
	else if (offset == DEBUG_PORTS_EXIT && ports->exit != NULL)
		ports->exit(ports->ctx, value << 1 | 1);
}

const struct device_ops debug_ports_ops = {
	.name = "debug",
	.width_max = 4,
	.uses_time = false,
	.read = debug_read,
	.write = debug_write,
};
