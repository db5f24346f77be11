/* The PC's I/O ports. Those that ring 0 keeps read as all ones and ignore writes. */
#include "manager/ports.h"

#include "user/calls.h"

static uint32_t read_port(void *context, uint16_t port, unsigned width_bytes)
{
	uint32_t value;

	(void)context;
	return sys_port_read(MANAGER_HANDLE_PORTS, port, width_bytes, &value) == OK ? value : UINT32_MAX;
}

static void write_port(void *context, uint16_t port, unsigned width_bytes, uint32_t value)
{
	(void)context;
	if (sys_port_write(MANAGER_HANDLE_PORTS, port, width_bytes, value) != OK)
		return;
}

const struct ports host_ports = {.read = read_port, .write = write_port};
