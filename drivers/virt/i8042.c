/* Commands and answers of the keyboard controller. The output buffer holds one answer; a newer one replaces it. */
#include "drivers/virt/i8042.h"

#include <stddef.h>

/* Status register */
#define STATUS_OUTPUT_FULL  0x01
#define STATUS_SYSTEM       0x04
#define STATUS_COMMAND      0x08
#define STATUS_UNLOCKED     0x10
#define STATUS_AUX_FULL     0x20
#define STATUS_TIMED_OUT    0x40
/* Command byte */
#define COMMAND_BYTE_KEYBOARD_IRQ 0x01
#define COMMAND_BYTE_MOUSE_IRQ    0x02
#define COMMAND_BYTE_SYSTEM       0x04
#define COMMAND_BYTE_NO_KEYBOARD  0x10
#define COMMAND_BYTE_NO_MOUSE     0x20
/* Output port */
#define OUTPUT_PORT_NO_RESET 0x01
#define OUTPUT_PORT_A20      0x02
/* Port 92h */
#define PORT92_RESET    0x01
#define PORT92_A20      0x02
#define PORT92_WRITABLE 0x03
/* Answers */
#define ANSWER_SELF_TEST_PASSED  0x55
#define ANSWER_NO_PASSWORD       0xf1
#define ANSWER_KEYBOARD_PORT_OK  0x00
#define ANSWER_MOUSE_CLOCK_LOW   0x01
#define ANSWER_RESEND            0xfe
#define INPUT_PORT               0xb0 /* not inhibited, no manufacturing jumper, second 256 KiB enabled */

enum i8042_command {
	CMD_READ_RAM = 0x20, /* to 3Fh */
	CMD_WRITE_RAM = 0x60, /* to 7Fh */
	CMD_TEST_PASSWORD = 0xa4,
	CMD_DISABLE_MOUSE = 0xa7,
	CMD_ENABLE_MOUSE = 0xa8,
	CMD_TEST_MOUSE = 0xa9,
	CMD_SELF_TEST = 0xaa,
	CMD_TEST_KEYBOARD = 0xab,
	CMD_DISABLE_KEYBOARD = 0xad,
	CMD_ENABLE_KEYBOARD = 0xae,
	CMD_READ_INPUT_PORT = 0xc0,
	CMD_READ_OUTPUT_PORT = 0xd0,
	CMD_WRITE_OUTPUT_PORT = 0xd1,
	CMD_ECHO_AS_KEYBOARD = 0xd2,
	CMD_ECHO_AS_MOUSE = 0xd3,
	CMD_TO_MOUSE = 0xd4,
	CMD_A20_OFF = 0xdd,
	CMD_A20_ON = 0xdf,
	CMD_PULSE = 0xf0, /* to FFh: the lower bits that are 0 name the lines */
};

static void set_line(const struct irq_line *line, bool *present, bool level)
{
	if (*present != level && line->set != NULL)
		line->set(line->ctx, level);
	*present = level;
}

static void update_lines(struct i8042 *i8042)
{
	struct i8042_state *state = &i8042->state;
	bool full = (state->status & STATUS_OUTPUT_FULL) != 0;
	bool aux = (state->status & STATUS_AUX_FULL) != 0;

	set_line(&i8042->wires.keyboard, &state->keyboard_level,
		 full && !aux && (state->ram[0] & COMMAND_BYTE_KEYBOARD_IRQ));
	set_line(&i8042->wires.mouse, &state->mouse_level,
		 full && aux && (state->ram[0] & COMMAND_BYTE_MOUSE_IRQ));
}

static void pulse_reset(const struct i8042 *i8042)
{
	if (i8042->wires.reset != NULL)
		i8042->wires.reset(i8042->wires.ctx);
}

/* flags: STATUS_AUX_FULL, STATUS_TIMED_OUT. A new byte in a full buffer is a new edge of its line. */
static void answer(struct i8042 *i8042, uint8_t byte, uint8_t flags)
{
	struct i8042_state *state = &i8042->state;

	state->status &= (uint8_t) ~(STATUS_OUTPUT_FULL | STATUS_AUX_FULL | STATUS_TIMED_OUT);
	update_lines(i8042);
	state->status |= (uint8_t)(STATUS_OUTPUT_FULL | flags);
	state->output = byte;
}

static void write_output_port(struct i8042 *i8042, uint8_t value)
{
	i8042->state.output_port = value;
	if (!(value & OUTPUT_PORT_NO_RESET))
		pulse_reset(i8042);
}

static void set_command_bits(struct i8042_state *state, uint8_t clear, uint8_t set)
{
	state->ram[0] = (uint8_t)((state->ram[0] & ~clear) | set);
}

static uint8_t read_output_port(const struct i8042_state *state)
{
	return (uint8_t)((state->output_port & ~0x30U) | (state->keyboard_level ? 0x10U : 0) |
			 (state->mouse_level ? 0x20U : 0));
}

/* Commands 80h and up. What is not here has no effect and no answer. */
static void do_command(struct i8042 *i8042, uint8_t command)
{
	struct i8042_state *state = &i8042->state;

	switch (command) {
	case CMD_TEST_PASSWORD:
		answer(i8042, ANSWER_NO_PASSWORD, 0);
		return;
	case CMD_DISABLE_MOUSE:
		set_command_bits(state, 0, COMMAND_BYTE_NO_MOUSE);
		return;
	case CMD_ENABLE_MOUSE:
		set_command_bits(state, COMMAND_BYTE_NO_MOUSE, 0);
		return;
	case CMD_TEST_MOUSE:
		answer(i8042, ANSWER_MOUSE_CLOCK_LOW, 0);
		return;
	case CMD_SELF_TEST:
		state->status |= STATUS_SYSTEM;
		answer(i8042, ANSWER_SELF_TEST_PASSED, 0);
		return;
	case CMD_TEST_KEYBOARD:
		answer(i8042, ANSWER_KEYBOARD_PORT_OK, 0);
		return;
	case CMD_DISABLE_KEYBOARD:
		set_command_bits(state, 0, COMMAND_BYTE_NO_KEYBOARD);
		return;
	case CMD_ENABLE_KEYBOARD:
		set_command_bits(state, COMMAND_BYTE_NO_KEYBOARD, 0);
		return;
	case CMD_READ_INPUT_PORT:
		answer(i8042, INPUT_PORT, 0);
		return;
	case CMD_READ_OUTPUT_PORT:
		answer(i8042, read_output_port(state), 0);
		return;
	case CMD_WRITE_OUTPUT_PORT:
	case CMD_ECHO_AS_KEYBOARD:
	case CMD_ECHO_AS_MOUSE:
	case CMD_TO_MOUSE:
		state->pending = command;
		return;
	case CMD_A20_OFF:
		state->output_port &= (uint8_t)~OUTPUT_PORT_A20;
		return;
	case CMD_A20_ON:
		state->output_port |= OUTPUT_PORT_A20;
		return;
	default:
		if (command >= CMD_PULSE && !(command & OUTPUT_PORT_NO_RESET))
			pulse_reset(i8042);
		return;
	}
}

static void write_command(struct i8042 *i8042, uint8_t command)
{
	struct i8042_state *state = &i8042->state;

	state->pending = 0;
	state->status |= STATUS_COMMAND;
	if (command >= CMD_READ_RAM && command < CMD_READ_RAM + I8042_RAM)
		answer(i8042, state->ram[command - CMD_READ_RAM], 0);
	else if (command >= CMD_WRITE_RAM && command < CMD_WRITE_RAM + I8042_RAM)
		state->pending = command;
	else
		do_command(i8042, command);
}

/* A byte for the keyboard, the mouse or a command that waits for it. Without a mouse, the byte that should come back
 * through its port comes back without the mark: drivers take that for "no such port" and ask no further. */
static void write_data(struct i8042 *i8042, uint8_t value)
{
	struct i8042_state *state = &i8042->state;
	uint8_t pending = state->pending;

	state->pending = 0;
	state->status &= (uint8_t)~STATUS_COMMAND;
	if (pending == 0) {
		answer(i8042, ANSWER_RESEND, STATUS_TIMED_OUT);
	} else if (pending == CMD_WRITE_OUTPUT_PORT) {
		write_output_port(i8042, value);
	} else if (pending == CMD_ECHO_AS_KEYBOARD || pending == CMD_ECHO_AS_MOUSE) {
		answer(i8042, value, 0);
	} else if (pending == CMD_TO_MOUSE) {
		answer(i8042, ANSWER_RESEND, STATUS_AUX_FULL | STATUS_TIMED_OUT);
	} else {
		state->ram[(pending - CMD_WRITE_RAM) % I8042_RAM] = value;
		if (state->ram[0] & COMMAND_BYTE_SYSTEM)
			state->status |= STATUS_SYSTEM;
		else
			state->status &= (uint8_t)~STATUS_SYSTEM;
	}
}

static void write_port92(struct i8042 *i8042, uint8_t value)
{
	bool rises = (value & PORT92_RESET) && !(i8042->state.port92 & PORT92_RESET);

	i8042->state.port92 = value & PORT92_WRITABLE;
	if (rises)
		pulse_reset(i8042);
}

static uint8_t read_data(struct i8042_state *state)
{
	state->status &= (uint8_t) ~(STATUS_OUTPUT_FULL | STATUS_AUX_FULL | STATUS_TIMED_OUT);
	return state->output;
}

static uint64_t i8042_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	struct i8042 *i8042 = dev;
	uint8_t value;

	(void)width;
	(void)now_ns;
	if (offset == I8042_STATUS)
		return i8042->state.status;
	if (offset == I8042_PORT92)
		return i8042->state.port92;
	value = read_data(&i8042->state);
	update_lines(i8042);
	return value;
}

static void i8042_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct i8042 *i8042 = dev;

	(void)width;
	(void)now_ns;
	if (offset == I8042_STATUS)
		write_command(i8042, (uint8_t)value);
	else if (offset == I8042_PORT92)
		write_port92(i8042, (uint8_t)value);
	else
		write_data(i8042, (uint8_t)value);
	update_lines(i8042);
}

static void i8042_reset(void *dev)
{
	struct i8042 *i8042 = dev;
	struct i8042_state *state = &i8042->state;
	bool keyboard_level = state->keyboard_level;
	bool mouse_level = state->mouse_level;

	*state = (struct i8042_state){
		.ram = {COMMAND_BYTE_SYSTEM | COMMAND_BYTE_NO_MOUSE},
		.status = STATUS_UNLOCKED | STATUS_SYSTEM,
		.output_port = OUTPUT_PORT_NO_RESET | OUTPUT_PORT_A20,
		.port92 = PORT92_A20,
		.keyboard_level = keyboard_level,
		.mouse_level = mouse_level,
	};
	update_lines(i8042);
}

void i8042_init(struct i8042 *i8042, const struct i8042_wires *wires)
{
	*i8042 = (struct i8042){.wires = *wires};
	i8042_reset(i8042);
}

const struct device_ops i8042_ops = {
	.name = "i8042",
	.width_max = 1,
	.uses_time = false,
	.read = i8042_read,
	.write = i8042_write,
	.reset = i8042_reset,
};
