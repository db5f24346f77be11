/* The PC's keyboard controller with nothing plugged in, and port 92h. Every command is answered at once, so that
 * software never waits for a timeout: the keyboard's side answers "resend, timed out", the mouse's port fails its test.
 *
 * Registers (offset of the device): 0 data (port 60h), 1 status and command (port 64h), 2 system control port A (92h).
 * A20 can be written and read back and masks nothing: real memory above 1 MiB is always there.
 *
 * Source: IBM, "Personal System/2 Hardware Interface Technical Reference", "Keyboard and Auxiliary Device Controller";
 * Intel ICH9 data sheet, "Processor Interface Registers" (port 92h). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"

#define I8042_DATA   0
#define I8042_STATUS 1
#define I8042_PORT92 2
#define I8042_RAM    32

struct i8042_state {
	uint8_t ram[I8042_RAM]; /* byte 0 is the command byte */
	uint8_t status;
	uint8_t output;         /* output buffer, while status says that it is full */
	uint8_t output_port;
	uint8_t port92;
	uint8_t pending;        /* command whose parameter is expected at the data port; 0: none */
	bool keyboard_level;
	bool mouse_level;
};

struct i8042_wires {
	struct irq_line keyboard; /* IRQ 1 */
	struct irq_line mouse;    /* IRQ 12 */
	void (*reset)(void *ctx); /* the processor's reset line was pulsed: the machine restarts after this access */
	void *ctx;
};

struct i8042 {
	struct i8042_state state;
	struct i8042_wires wires;
};

extern const struct device_ops i8042_ops;

/* As firmware leaves it: self test passed, A20 on, interrupts off, keyboard clock on. */
void i8042_init(struct i8042 *i8042, const struct i8042_wires *wires);
