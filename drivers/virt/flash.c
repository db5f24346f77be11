/* The command set as a machine of four cycles. The guest gives offsets below the size; everything else it writes is a value. */
#include "drivers/virt/flash.h"

#include "lib/base/string.h"

#define COMMAND_ARRAY        0xffU
#define COMMAND_PROGRAM      0x10U
#define COMMAND_PROGRAM_TOO  0x40U
#define COMMAND_ERASE        0x20U
#define COMMAND_CLEAR_STATUS 0x50U
#define COMMAND_LOCK         0x60U
#define COMMAND_STATUS       0x70U
#define COMMAND_IDENTIFIERS  0x90U
#define COMMAND_QUERY        0x98U
#define COMMAND_BUFFER       0xe8U
#define CONFIRM              0xd0U
#define CONFIRM_LOCK         0x01U

#define MANUFACTURER_INTEL   0x89U
#define DEVICE_CODE          0x18U
#define QUERY_MASK           0xffU
#define QUERY_SIZE           0x27U /* a power of two */
#define QUERY_BLOCKS         0x2dU /* less one, 16 bits, */
#define QUERY_BLOCK_SIZE     0x2fU /* in 256 bytes, 16 bits */

/* JESD68.01: "CFI Query Identification String", "System Interface String", "Device Geometry Definition"; then the vendor's. */
static const uint8_t query_table[] = {
	[0x10] = 'Q', [0x11] = 'R', [0x12] = 'Y',
	[0x13] = 0x01, /* Intel's command set, whose table is */
	[0x15] = 0x31, /* there */
	[0x1b] = 0x45, [0x1c] = 0x55, /* 4.5 V to 5.5 V */
	[0x1f] = 7, [0x20] = 7, [0x21] = 10, /* a byte, a buffer: 2 to the 7 us; a block: 2 to the 10 ms; */
	[0x23] = 4, [0x24] = 4, [0x25] = 4,  /* at most 16 times that */
	[0x2a] = 8, /* a buffer of 2 to the 8 bytes */
	[0x2c] = 1, /* all blocks are alike */
	[0x31] = 'P', [0x32] = 'R', [0x33] = 'I', [0x34] = '1', [0x35] = '0',
	[0x3f] = 1, /* one protection field */
};

static bool is_array(uint8_t command)
{
	return command == COMMAND_ARRAY;
}

/* From here on reads give what belongs to command. */
static void enter(struct flash *flash, uint8_t command)
{
	bool was_array = is_array(flash->state.command);

	flash->state.command = command;
	if (was_array != is_array(command))
		flash->wires.shows_contents(flash->wires.ctx, !was_array);
}

static void done(struct flash *flash)
{
	flash->state.status |= FLASH_STATUS_READY;
	flash->state.cycle = FLASH_COMMAND;
}

static void wrong_sequence(struct flash *flash)
{
	flash->state.status |= FLASH_STATUS_ERASE_ERROR | FLASH_STATUS_WRITE_ERROR;
	done(flash);
}

static void begin(struct flash *flash, uint8_t command)
{
	switch (command) {
	case COMMAND_PROGRAM:
	case COMMAND_PROGRAM_TOO:
	case COMMAND_ERASE:
	case COMMAND_LOCK:
	case COMMAND_BUFFER:
		flash->state.cycle = FLASH_SECOND;
		break;
	case COMMAND_STATUS:
	case COMMAND_IDENTIFIERS:
	case COMMAND_QUERY:
		break;
	case COMMAND_CLEAR_STATUS:
		flash->state.status = 0;
		command = COMMAND_ARRAY;
		break;
	default: /* those that ask for the contents, and those that there are not */
		command = COMMAND_ARRAY;
		break;
	}
	if (command == COMMAND_BUFFER) /* the buffer is free */
		flash->state.status |= FLASH_STATUS_READY;
	enter(flash, command);
}

static void erase(struct flash *flash, uint64_t offset)
{
	memset(flash->wires.bytes + (offset & ~(uint64_t)(FLASH_BLOCK_BYTES - 1)), 0xff, FLASH_BLOCK_BYTES);
	done(flash);
}

static void begin_buffer(struct flash *flash, uint8_t count_less_one)
{
	flash->state.left = count_less_one + 1U;
	flash->state.line_known = false;
	memset(flash->state.filled, 0, sizeof(flash->state.filled));
	flash->state.cycle = FLASH_BUFFER_BYTES;
}

static void finish(struct flash *flash, uint64_t offset, uint8_t value)
{
	switch (flash->state.command) {
	case COMMAND_PROGRAM:
	case COMMAND_PROGRAM_TOO:
		flash->wires.bytes[offset] = value;
		done(flash);
		return;
	case COMMAND_BUFFER:
		begin_buffer(flash, value);
		return;
	default: /* erase, lock */
		break;
	}
	if (value == CONFIRM && flash->state.command == COMMAND_ERASE) {
		erase(flash, offset);
	} else if (value == CONFIRM || (value == CONFIRM_LOCK && flash->state.command == COMMAND_LOCK)) {
		done(flash);
	} else {
		wrong_sequence(flash);
		if (value == COMMAND_ARRAY)
			enter(flash, COMMAND_ARRAY);
	}
}

static void take_byte(struct flash *flash, uint64_t offset, uint8_t value)
{
	struct flash_state *state = &flash->state;
	unsigned place = offset & (FLASH_LINE_BYTES - 1);

	if (!state->line_known)
		state->line = (uint32_t)(offset - place);
	state->line_known = true;
	if (offset - place != state->line) {
		wrong_sequence(flash);
		return;
	}
	state->buffer[place] = value;
	state->filled[place / 64] |= 1ULL << place % 64;
	if (--state->left == 0)
		state->cycle = FLASH_BUFFER_CONFIRM;
}

static void write_buffer(struct flash *flash)
{
	const struct flash_state *state = &flash->state;

	for (unsigned i = 0; i < FLASH_LINE_BYTES; i++) {
		if ((state->filled[i / 64] >> i % 64 & 1) != 0)
			flash->wires.bytes[state->line + i] = state->buffer[i];
	}
	done(flash);
}

static void flash_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct flash *flash = dev;
	uint8_t byte = (uint8_t)value;

	(void)width;
	(void)now_ns;
	switch ((enum flash_cycle)flash->state.cycle) {
	case FLASH_COMMAND:
		begin(flash, byte);
		break;
	case FLASH_SECOND:
		finish(flash, offset, byte);
		break;
	case FLASH_BUFFER_BYTES:
		take_byte(flash, offset, byte);
		break;
	case FLASH_BUFFER_CONFIRM:
		if (byte == CONFIRM)
			write_buffer(flash);
		else
			wrong_sequence(flash);
		break;
	}
}

static uint8_t query(const struct flash *flash, unsigned index)
{
	unsigned blocks = flash->wires.size_bytes / FLASH_BLOCK_BYTES - 1;
	unsigned size_shift = 0;

	while (1U << size_shift < flash->wires.size_bytes)
		size_shift++;
	switch (index) {
	case QUERY_SIZE:
		return (uint8_t)size_shift;
	case QUERY_BLOCKS:
		return (uint8_t)blocks;
	case QUERY_BLOCKS + 1:
		return (uint8_t)(blocks >> 8);
	case QUERY_BLOCK_SIZE:
		return (uint8_t)(FLASH_BLOCK_BYTES >> 8);
	default:
		return index < sizeof(query_table) ? query_table[index] : 0;
	}
}

static uint64_t flash_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const struct flash *flash = dev;
	unsigned index = offset & QUERY_MASK;

	(void)width;
	(void)now_ns;
	switch (flash->state.command) {
	case COMMAND_ARRAY:
		return flash->wires.bytes[offset];
	case COMMAND_IDENTIFIERS:
		return index == 0 ? MANUFACTURER_INTEL : index == 1 ? DEVICE_CODE : 0;
	case COMMAND_QUERY:
		return query(flash, index);
	default:
		return flash->state.status;
	}
}

void flash_init(struct flash *flash, const struct flash_wires *wires)
{
	*flash = (struct flash){
		.state = {.command = COMMAND_ARRAY, .status = FLASH_STATUS_READY, .cycle = FLASH_COMMAND},
		.wires = *wires,
	};
}

/* The next command cannot find what was begun before; the contents stay. */
static void flash_reset(void *dev)
{
	struct flash *flash = dev;

	enter(flash, COMMAND_ARRAY);
	flash->state = (struct flash_state){.command = COMMAND_ARRAY, .status = FLASH_STATUS_READY, .cycle = FLASH_COMMAND};
}

const struct device_ops flash_ops = {
	.name = "flash",
	.width_max = 1,
	.uses_time = false,
	.read = flash_read,
	.write = flash_write,
	.reset = flash_reset,
};
