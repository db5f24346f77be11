/* I/O ports as the manager's drivers see them, so that their logic also runs in tests. */
#pragma once
#include <stdint.h>

struct ports {
	/* width_bytes: 1, 2 or 4. All ones where a port cannot be read. */
	uint32_t (*read)(void *context, uint16_t port, unsigned width_bytes);
	void (*write)(void *context, uint16_t port, unsigned width_bytes, uint32_t value);
	void *context;
};

/* The PC's own, by system calls. */
extern const struct ports host_ports;
