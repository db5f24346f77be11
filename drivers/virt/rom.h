/* Read-only memory as a device, for instructions that read and write it at once: writes are lost. Plain reads and fetches do not
 * come here where the machine maps the memory. Offsets: bytes from the start. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "drivers/virt/device.h"

struct rom {
	const uint8_t *bytes; /* the machine's */
	size_t size_bytes;    /* 0: there is none */
};

extern const struct device_ops rom_ops;
