/* How a driver of real hardware reaches I/O ports: injected, so that it runs in host tests and knows no system call. */
#pragma once
#include <stdint.h>

struct port_io {
	uint8_t (*in)(void *context, uint16_t port);
	void (*out)(void *context, uint16_t port, uint8_t value);
	void *context;
};
