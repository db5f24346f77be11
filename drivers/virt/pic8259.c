/* Both 8259A chips: command words, priorities, acknowledge. Each entry ends in update_output(), which carries the
 * slave's INT to the master and the master's to the machine. */
#include "drivers/virt/pic8259.h"

#include <stddef.h>

#define CASCADE_INPUT 2
#define CASCADE_BIT   0x04
#define NO_INPUT      8U /* a priority below all */
#define SPURIOUS      7U

/* Data sheet, "Initialization Command Words" */
#define ICW1_INITIALIZE 0x10
#define ICW1_SINGLE     0x02 /* bit 3, LTIM, is the ELCR's business: ICH9, "ICW1" */
#define ICW1_NEEDS_ICW4 0x01
#define ICW2_VECTOR     0xf8
#define ICW4_NESTED     0x10
#define ICW4_AUTO_EOI   0x02
/* "Operation Command Words" */
#define OCW2_LEVEL            0x07
#define OCW2_COMMAND_SHIFT    5
#define OCW3_SELECT           0x08
#define OCW3_SPECIAL_MASK_SET 0x40
#define OCW3_SPECIAL_MASK     0x20
#define OCW3_POLL             0x04
#define OCW3_READ_SET         0x02
#define OCW3_READ_ISR         0x01
#define POLL_REQUEST          0x80
/* ICH9: "Master/Slave Controller Edge/Level Triggered Register": timer, keyboard, cascade, RTC and FPU stay edge. */
#define ELCR_MASTER_WRITABLE 0xf8
#define ELCR_SLAVE_WRITABLE  0xde

enum ocw2_command {
	OCW2_ROTATE_AUTO_EOI_CLEAR = 0,
	OCW2_EOI = 1,
	OCW2_NOTHING = 2,
	OCW2_EOI_SPECIFIC = 3,
	OCW2_ROTATE_AUTO_EOI_SET = 4,
	OCW2_ROTATE_EOI = 5,
	OCW2_SET_PRIORITY = 6,
	OCW2_ROTATE_EOI_SPECIFIC = 7,
};

/* The interrupt request register: what waits for acknowledge, masked or not. */
static uint8_t requests(const struct pic8259_chip *chip)
{
	return (uint8_t)((chip->edges & ~chip->elcr) | (chip->lines & chip->elcr));
}

/* Place of the best input among bits, 0 = highest priority; NO_INPUT for none. */
static unsigned best_place(const struct pic8259_chip *chip, uint8_t bits)
{
	for (unsigned place = 0; place < 8; place++) {
		if (bits & 1U << ((chip->lowest + 1U + place) & 7))
			return place;
	}
	return NO_INPUT;
}

static unsigned input_at(const struct pic8259_chip *chip, unsigned place)
{
	return (chip->lowest + 1U + place) & 7;
}

/* In-service inputs that hold back requests of their priority and below. In special mask mode a masked one does not;
 * in special fully nested mode the slave may interrupt its own service. */
static uint8_t blocking_services(const struct pic8259_chip *chip)
{
	uint8_t services = chip->isr;

	if (chip->special_mask)
		services &= (uint8_t)~chip->imr;
	if (chip->special_fully_nested)
		services &= (uint8_t)~CASCADE_BIT;
	return services;
}

/* The input that raises INT now; NO_INPUT for none. */
static unsigned pending_input(const struct pic8259_chip *chip)
{
	unsigned request = best_place(chip, requests(chip) & (uint8_t)~chip->imr);

	if (chip->icw_next != 0 || request == NO_INPUT || request >= best_place(chip, blocking_services(chip)))
		return NO_INPUT;
	return input_at(chip, request);
}

static void chip_set_line(struct pic8259_chip *chip, unsigned input, bool level)
{
	uint8_t bit = (uint8_t)(1U << input);

	if (level && !(chip->lines & bit))
		chip->edges |= bit;
	chip->lines = (uint8_t)(level ? chip->lines | bit : chip->lines & ~bit);
}

static void update_output(struct pic8259 *pic)
{
	struct pic8259_state *state = &pic->state;
	bool slave_output = pending_input(&state->slave) != NO_INPUT;
	bool output;

	/* Between the chips nothing is late, so that the data sheet's rule holds: the request follows the line. */
	chip_set_line(&state->master, CASCADE_INPUT, slave_output);
	if (!slave_output)
		state->master.edges &= (uint8_t)~CASCADE_BIT;
	output = pending_input(&state->master) != NO_INPUT;
	if (output != state->output && pic->wires.output.set != NULL)
		pic->wires.output.set(pic->wires.output.ctx, output);
	state->output = output;
}

/* "Interrupt Sequence": the chip's best input goes into service. Returns it, or SPURIOUS. */
static unsigned chip_acknowledge(struct pic8259_chip *chip)
{
	unsigned input = pending_input(chip);
	uint8_t bit = (uint8_t)(1U << (input & 7));

	if (input == NO_INPUT)
		return SPURIOUS;
	chip->edges &= (uint8_t)~bit;
	if (!chip->auto_eoi)
		chip->isr |= bit;
	else if (chip->rotate_in_auto_eoi)
		chip->lowest = (uint8_t)input;
	return input;
}

/* "Poll Command": the next read acts as acknowledge and tells the input. */
static uint8_t chip_poll(struct pic8259_chip *chip)
{
	bool requested = pending_input(chip) != NO_INPUT;
	unsigned input = chip_acknowledge(chip);

	chip->polled = false;
	return requested ? (uint8_t)(POLL_REQUEST | input) : 0;
}

/* A non-specific EOI ends the service of highest priority, but none that is masked in special mask mode. */
static void end_best_service(struct pic8259_chip *chip, bool rotate)
{
	uint8_t services = chip->special_mask ? (uint8_t)(chip->isr & ~chip->imr) : chip->isr;
	unsigned place = best_place(chip, services);
	unsigned input = input_at(chip, place);

	if (place == NO_INPUT)
		return;
	chip->isr &= (uint8_t) ~(1U << input);
	if (rotate)
		chip->lowest = (uint8_t)input;
}

static void write_icw1(struct pic8259_chip *chip, uint8_t value)
{
	*chip = (struct pic8259_chip){
		.lines = chip->lines,
		.elcr = chip->elcr,
		.lowest = 7,
		.icw_next = 2,
		.needs_icw4 = (value & ICW1_NEEDS_ICW4) != 0,
		.single = (value & ICW1_SINGLE) != 0,
	};
}

static void write_ocw2(struct pic8259_chip *chip, uint8_t value)
{
	unsigned level = value & OCW2_LEVEL;

	switch ((enum ocw2_command)(value >> OCW2_COMMAND_SHIFT)) {
	case OCW2_ROTATE_AUTO_EOI_CLEAR:
		chip->rotate_in_auto_eoi = false;
		return;
	case OCW2_ROTATE_AUTO_EOI_SET:
		chip->rotate_in_auto_eoi = true;
		return;
	case OCW2_EOI:
		end_best_service(chip, false);
		return;
	case OCW2_ROTATE_EOI:
		end_best_service(chip, true);
		return;
	case OCW2_EOI_SPECIFIC:
		chip->isr &= (uint8_t) ~(1U << level);
		return;
	case OCW2_ROTATE_EOI_SPECIFIC:
		chip->isr &= (uint8_t) ~(1U << level);
		chip->lowest = (uint8_t)level;
		return;
	case OCW2_SET_PRIORITY:
		chip->lowest = (uint8_t)level;
		return;
	case OCW2_NOTHING:
		return;
	}
}

static void write_ocw3(struct pic8259_chip *chip, uint8_t value)
{
	if (value & OCW3_SPECIAL_MASK_SET)
		chip->special_mask = (value & OCW3_SPECIAL_MASK) != 0;
	if (value & OCW3_POLL)
		chip->polled = true;
	else if (value & OCW3_READ_SET)
		chip->reads_isr = (value & OCW3_READ_ISR) != 0;
}

static void write_command(struct pic8259_chip *chip, uint8_t value)
{
	if (value & ICW1_INITIALIZE)
		write_icw1(chip, value);
	else if (value & OCW3_SELECT)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
}

/* The odd address: ICW2 to ICW4 in turn, then the mask. ICW3 says what the board's wiring says: it is not kept. */
static void write_data(struct pic8259_chip *chip, uint8_t value)
{
	switch (chip->icw_next) {
	case 2:
		chip->vector_base = value & ICW2_VECTOR;
		chip->icw_next = chip->single ? (chip->needs_icw4 ? 4 : 0) : 3;
		return;
	case 3:
		chip->icw_next = chip->needs_icw4 ? 4 : 0;
		return;
	case 4:
		chip->auto_eoi = (value & ICW4_AUTO_EOI) != 0;
		chip->special_fully_nested = (value & ICW4_NESTED) != 0;
		chip->icw_next = 0;
		return;
	default:
		chip->imr = value;
		return;
	}
}

static uint8_t chip_read(const struct pic8259_chip *chip, bool data)
{
	if (data)
		return chip->imr;
	return chip->reads_isr ? chip->isr : requests(chip);
}

static uint64_t pic_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	struct pic8259 *pic = dev;
	struct pic8259_chip *chip = offset & 2 ? &pic->state.slave : &pic->state.master;
	uint8_t value;

	(void)width;
	(void)now_ns;
	if (offset >= PIC8259_ELCR)
		return offset & 1 ? pic->state.slave.elcr : pic->state.master.elcr;
	if (!chip->polled)
		return chip_read(chip, (offset & 1) != 0);
	value = chip_poll(chip);
	update_output(pic);
	return value;
}

static void pic_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct pic8259 *pic = dev;
	struct pic8259_chip *chip = offset & 2 ? &pic->state.slave : &pic->state.master;

	(void)width;
	(void)now_ns;
	if (offset == PIC8259_ELCR)
		pic->state.master.elcr = value & ELCR_MASTER_WRITABLE;
	else if (offset == PIC8259_ELCR + 1)
		pic->state.slave.elcr = value & ELCR_SLAVE_WRITABLE;
	else if (offset & 1)
		write_data(chip, (uint8_t)value);
	else
		write_command(chip, (uint8_t)value);
	/* "Programmed in the master" only: the slave's input 2 is IRQ10, no cascade. */
	pic->state.slave.special_fully_nested = false;
	update_output(pic);
}

static void pic_reset(void *dev)
{
	struct pic8259 *pic = dev;
	struct pic8259_chip blank = {.imr = 0xff, .lowest = 7};
	struct pic8259_state *state = &pic->state;
	uint8_t master_lines = state->master.lines;
	uint8_t slave_lines = state->slave.lines;

	state->master = blank;
	state->master.lines = master_lines;
	state->slave = blank;
	state->slave.lines = slave_lines;
	update_output(pic);
}

void pic8259_init(struct pic8259 *pic, const struct pic8259_wires *wires)
{
	*pic = (struct pic8259){.wires = *wires};
	pic_reset(pic);
}

void pic8259_set_line(struct pic8259 *pic, unsigned line, bool level)
{
	if (line >= PIC8259_LINES || line == CASCADE_INPUT)
		return;
	chip_set_line(line < 8 ? &pic->state.master : &pic->state.slave, line & 7, level);
	update_output(pic);
}

uint8_t pic8259_acknowledge(struct pic8259 *pic)
{
	struct pic8259_chip *chip = &pic->state.master;
	unsigned input;

	if (pending_input(chip) == CASCADE_INPUT) {
		(void)chip_acknowledge(chip);
		/* INT of the slave falls at its acknowledge: what waits behind is a new edge for the master. */
		chip->lines &= (uint8_t)~CASCADE_BIT;
		chip = &pic->state.slave;
	}
	input = chip_acknowledge(chip);
	update_output(pic);
	return (uint8_t)(chip->vector_base | input);
}

const struct device_ops pic8259_ops = {
	.name = "8259",
	.width_max = 1,
	.uses_time = false,
	.read = pic_read,
	.write = pic_write,
	.reset = pic_reset,
};
