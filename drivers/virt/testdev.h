/* QEMU's pc-testdev: scratch ports, a line to each interrupt input, and memory that is reached as a device is, so that test
 * programs can try string I/O, interrupt routing and instruction emulation.
 *
 * testdev_ops, offsets: 0-3 scratch (ports E0h-E3h), 4-7 flush (E4h), 8-Bh the same scratch bytes again (E8h-EBh),
 * 100h + n interrupt line n (2000h + n), 10000h on: memory (FF000000h). Everything is little-endian, of any width and alignment.
 * Flush takes the address of a page that QEMU unmaps from the guest and maps again: no guest sees a difference, so nothing
 * happens here. It and the lines are write-only: they read 0.
 * Source: QEMU, hw/misc/pc-testdev.c (what it does). */
#pragma once
#include <stdint.h>

#include "drivers/virt/device.h"

#define TESTDEV_SCRATCH       0U
#define TESTDEV_FLUSH         4U
#define TESTDEV_SCRATCH_AGAIN 8U
#define TESTDEV_PORTS_SIZE    4U /* of each of the three */
#define TESTDEV_LINES         0x100U
#define TESTDEV_LINE_COUNT    24U
#define TESTDEV_MEMORY        0x10000U
#define TESTDEV_MEMORY_BYTES  0x10000U

struct testdev_wires {
	/* Interrupt input number, 0 to 23, goes to that level. */
	void (*set_line)(void *ctx, unsigned number, bool level);
	void *ctx;
};

struct testdev {
	struct testdev_wires wires;
	struct testdev_state {
		uint8_t scratch[TESTDEV_PORTS_SIZE];
		uint8_t memory[TESTDEV_MEMORY_BYTES];
	} state;
};

void testdev_init(struct testdev *dev, const struct testdev_wires *wires);

extern const struct device_ops testdev_ops;
