/* Ports that exist to be written: POST codes, text, and the end of a test.
 *
 * post_port_ops (port 80h) is a device of its own, with a struct post_port: it needs no time and no lock.
 * debug_ports_ops, offsets: 0 text (port E9h; reads E9h, which tells software that it is there), 4-7 exit code (F4h,
 * 8 to 32 bits wide: writing v ends the machine with code (v << 1) | 1). */
#pragma once
#include <stdint.h>

#include "drivers/virt/device.h"

#define DEBUG_PORTS_TEXT      0
#define DEBUG_PORTS_EXIT      4
#define DEBUG_PORTS_EXIT_SIZE 4

struct post_port {
	uint8_t code; /* as last written */
};

struct debug_ports {
	/* wires; there is no state. NULL: nobody listens */
	void (*text)(void *ctx, uint8_t byte);
	void (*exit)(void *ctx, uint64_t code);
	void *ctx;
};

extern const struct device_ops post_port_ops;
extern const struct device_ops debug_ports_ops;
