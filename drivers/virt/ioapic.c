/* The redirection table and when its entries send. A level-triggered entry sends once and sets remote IRR; the EOI of
 * its vector clears it and looks at the line again. */
#include "drivers/virt/ioapic.h"

#include <stddef.h>

/* Memory-mapped registers */
#define IOAPIC_IOREGSEL 0x00
#define IOAPIC_IOWIN    0x10
#define IOAPIC_EOI      0x40
/* Registers behind the window */
#define IOAPIC_REG_ID          0x00
#define IOAPIC_REG_VERSION     0x01
#define IOAPIC_REG_ARBITRATION 0x02
#define IOAPIC_REG_REDIRECTION 0x10
#define IOAPIC_ID_SHIFT        24
#define IOAPIC_ID_MASK         0x0f
/* Redirection table entry */
#define ENTRY_VECTOR           0x00000000000000ffULL
#define ENTRY_DELIVERY_SHIFT   8
#define ENTRY_DELIVERY_MASK    7U
#define ENTRY_LOGICAL          0x0000000000000800ULL
#define ENTRY_REMOTE_IRR       0x0000000000004000ULL
#define ENTRY_LEVEL            0x0000000000008000ULL
#define ENTRY_MASKED           0x0000000000010000ULL
#define ENTRY_WRITABLE         0xfffe00000001afffULL /* without delivery status and remote IRR */
#define ENTRY_DESTINATION_SHIFT     56
#define ENTRY_DESTINATION_EXT_SHIFT 49 /* bits 8 to 14 of a destination above 255 (KVM's extended destination id) */
#define ENTRY_DESTINATION_EXT_MASK  0x7fU
/* Message address and data */
#define MSI_ADDRESS                 0xfee00000U
#define MSI_DESTINATION_SHIFT       12
#define MSI_DESTINATION_EXT_SHIFT   5
#define MSI_REDIRECTION_HINT        0x8U
#define MSI_LOGICAL                 0x4U
#define MSI_DATA_LEVEL_ASSERTED     0xc000U

enum delivery_mode {
	DELIVERY_FIXED = 0,
	DELIVERY_LOWEST_PRIORITY = 1,
	DELIVERY_SMI = 2,
	DELIVERY_RESERVED_3 = 3,
	DELIVERY_NMI = 4,
	DELIVERY_INIT = 5,
	DELIVERY_RESERVED_6 = 6,
	DELIVERY_EXTINT = 7,
};

static enum delivery_mode delivery_mode(uint64_t entry)
{
	return (enum delivery_mode)(entry >> ENTRY_DELIVERY_SHIFT & ENTRY_DELIVERY_MASK);
}

/* Only fixed and lowest priority interrupts know levels: the others are "treated as edge triggered". */
static bool is_level(uint64_t entry)
{
	return (entry & ENTRY_LEVEL) && delivery_mode(entry) <= DELIVERY_LOWEST_PRIORITY;
}

static void send(const struct ioapic *ioapic, uint64_t entry)
{
	enum delivery_mode mode = delivery_mode(entry);
	uint32_t address = MSI_ADDRESS;
	uint32_t data = (uint32_t)(entry & ENTRY_VECTOR) | (uint32_t)mode << ENTRY_DELIVERY_SHIFT;

	if (mode == DELIVERY_RESERVED_3 || mode == DELIVERY_RESERVED_6 || ioapic->wires.send == NULL)
		return;
	address |= (uint32_t)(entry >> ENTRY_DESTINATION_SHIFT) << MSI_DESTINATION_SHIFT;
	address |= (uint32_t)(entry >> ENTRY_DESTINATION_EXT_SHIFT & ENTRY_DESTINATION_EXT_MASK)
		   << MSI_DESTINATION_EXT_SHIFT;
	address |= entry & ENTRY_LOGICAL ? MSI_LOGICAL : 0;
	address |= mode == DELIVERY_LOWEST_PRIORITY ? MSI_REDIRECTION_HINT : 0;
	data |= is_level(entry) ? MSI_DATA_LEVEL_ASSERTED : 0;
	ioapic->wires.send(ioapic->wires.ctx, address, data);
}

/* Sends a level-triggered entry whose line is asserted and that may send. */
static void service_level(struct ioapic *ioapic, unsigned pin)
{
	uint64_t entry = ioapic->state.entries[pin];

	if (!is_level(entry) || (entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) || !(ioapic->state.lines & 1U << pin))
		return;
	ioapic->state.entries[pin] |= ENTRY_REMOTE_IRR;
	send(ioapic, entry);
}

/* An entry needs EOIs from when it is unmasked until its last interrupt ended. */
static void update_eoi_vectors(struct ioapic *ioapic)
{
	uint64_t vectors[IOAPIC_VECTOR_WORDS] = {0};
	bool changed = false;

	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t entry = ioapic->state.entries[pin];

		if (is_level(entry) && (!(entry & ENTRY_MASKED) || (entry & ENTRY_REMOTE_IRR)))
			vectors[(entry & ENTRY_VECTOR) / 64] |= 1ULL << (entry & ENTRY_VECTOR) % 64;
	}
	for (unsigned i = 0; i < IOAPIC_VECTOR_WORDS; i++) {
		changed |= ioapic->state.eoi_vectors[i] != vectors[i];
		ioapic->state.eoi_vectors[i] = vectors[i];
	}
	if (changed && ioapic->wires.eoi_vectors_changed != NULL)
		ioapic->wires.eoi_vectors_changed(ioapic->wires.ctx);
}

/* Switching an entry to edge clears its remote IRR: how version 11h's lost EOIs are repaired by software. */
static void write_entry_half(struct ioapic *ioapic, unsigned pin, bool high, uint32_t value)
{
	uint64_t *entry = &ioapic->state.entries[pin];
	uint64_t writable = high ? ENTRY_WRITABLE & ~0xffffffffULL : ENTRY_WRITABLE & 0xffffffffULL;

	*entry = (*entry & ~writable) | ((high ? (uint64_t)value << 32 : value) & writable);
	if (!is_level(*entry))
		*entry &= ~ENTRY_REMOTE_IRR;
	if (!high)
		update_eoi_vectors(ioapic);
	service_level(ioapic, pin);
}

static uint32_t read_window(const struct ioapic_state *state)
{
	unsigned index = state->select - IOAPIC_REG_REDIRECTION;

	switch (state->select) {
	case IOAPIC_REG_ID:
		return (uint32_t)state->id << IOAPIC_ID_SHIFT;
	case IOAPIC_REG_VERSION:
		return (IOAPIC_PINS - 1) << 16 | state->version;
	case IOAPIC_REG_ARBITRATION:
		return (uint32_t)state->arbitration_id << IOAPIC_ID_SHIFT;
	default:
		if (state->select < IOAPIC_REG_REDIRECTION || index / 2 >= IOAPIC_PINS)
			return 0;
		return (uint32_t)(state->entries[index / 2] >> (index & 1 ? 32 : 0));
	}
}

static void write_window(struct ioapic *ioapic, uint32_t value)
{
	struct ioapic_state *state = &ioapic->state;
	unsigned index = state->select - IOAPIC_REG_REDIRECTION;

	if (state->select == IOAPIC_REG_ID) {
		state->id = value >> IOAPIC_ID_SHIFT & IOAPIC_ID_MASK;
		state->arbitration_id = state->id; /* "loaded when the IOAPIC ID register is written" */
	} else if (state->select >= IOAPIC_REG_REDIRECTION && index / 2 < IOAPIC_PINS) {
		write_entry_half(ioapic, index / 2, index & 1, value);
	}
}

/* Registers are 32 bits wide at multiples of 16; parts of them can be read, and IOREGSEL can be written as a byte. */
static uint64_t ioapic_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const struct ioapic *ioapic = dev;
	unsigned shift = (unsigned)(offset & 3) * 8;

	(void)width;
	(void)now_ns;
	if ((offset & ~3ULL) == IOAPIC_IOREGSEL)
		return (uint32_t)ioapic->state.select >> shift;
	if ((offset & ~3ULL) == IOAPIC_IOWIN)
		return read_window(&ioapic->state) >> shift;
	return 0;
}

static void ioapic_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct ioapic *ioapic = dev;

	(void)now_ns;
	if (offset == IOAPIC_IOREGSEL)
		ioapic->state.select = (uint8_t)value;
	else if (offset == IOAPIC_IOWIN && width == 4)
		write_window(ioapic, (uint32_t)value);
	else if (offset == IOAPIC_EOI && ioapic->state.version >= IOAPIC_VERSION_20)
		ioapic_eoi(ioapic, (uint8_t)value);
}

static void ioapic_reset(void *dev)
{
	struct ioapic *ioapic = dev;

	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->state.entries[pin] = ENTRY_MASKED;
	ioapic->state.select = 0;
	ioapic->state.arbitration_id = ioapic->state.id;
	update_eoi_vectors(ioapic);
}

void ioapic_init(struct ioapic *ioapic, const struct ioapic_wires *wires, uint8_t id, uint8_t version)
{
	*ioapic = (struct ioapic){.state = {.id = id & IOAPIC_ID_MASK, .version = version}, .wires = *wires};
	ioapic_reset(ioapic);
}

void ioapic_set_line(struct ioapic *ioapic, unsigned pin, bool level)
{
	uint32_t bit = pin < IOAPIC_PINS ? 1U << pin : 0;
	bool rises = level && !(ioapic->state.lines & bit);

	if (bit == 0)
		return;
	ioapic->state.lines = level ? ioapic->state.lines | bit : ioapic->state.lines & ~bit;
	/* "Edge-sensitive interrupts signaled on a masked interrupt pin are ignored." */
	if (is_level(ioapic->state.entries[pin]))
		service_level(ioapic, pin);
	else if (rises && !(ioapic->state.entries[pin] & ENTRY_MASKED))
		send(ioapic, ioapic->state.entries[pin]);
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
	bool ended = false;

	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t entry = ioapic->state.entries[pin];

		if (!(entry & ENTRY_REMOTE_IRR) || (entry & ENTRY_VECTOR) != vector)
			continue;
		ioapic->state.entries[pin] &= ~ENTRY_REMOTE_IRR;
		ended = true;
		service_level(ioapic, pin);
	}
	if (ended)
		update_eoi_vectors(ioapic);
}

void ioapic_eoi_vectors(const struct ioapic *ioapic, uint64_t vectors[IOAPIC_VECTOR_WORDS])
{
	for (unsigned i = 0; i < IOAPIC_VECTOR_WORDS; i++)
		vectors[i] = ioapic->state.eoi_vectors[i];
}

const struct device_ops ioapic_ops = {
	.name = "ioapic",
	.width_max = 4,
	.uses_time = false,
	.read = ioapic_read,
	.write = ioapic_write,
	.reset = ioapic_reset,
};
