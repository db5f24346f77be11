/* Configuration space with header type 0: what software may change of it, and what follows from a change. Messages: pci_msi.c and
 * pci_msix.c. */
#include "drivers/virt/pci_function.h"

#include "drivers/virt/pci_config.h"
#include "drivers/virt/pci_decode.h"
#include "drivers/virt/pci_msi.h"
#include "drivers/virt/pci_msix.h"
#include "lib/base/string.h"

#define BAR_BYTES       4U
#define BAR_REGISTER(bar) (PCI_CONFIG_BARS + (bar) * BAR_BYTES)
#define IO_END          0x10000ULL
#define MEMORY_32_END   0xffffffffULL /* sizing leaves the last window's address in a register: that one is no place */
#define MEMORY_64_END   (1ULL << 52)
#define CAPABILITY_ALIGNMENT 4U

/* PCI Express capability, version 2, of a root complex integrated endpoint: no link, no slot. */
#define EXPRESS_BYTES   0x3cU
#define EXPRESS_FLAGS   0x0092U
#define EXPRESS_ROLE_BASED_ERRORS 0x00008000U
#define EXPRESS_CONTROL_WRITABLE  0x78ffU

static uint32_t load(const uint8_t *bytes, unsigned width)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (uint32_t)bytes[i] << i * 8;
	return value;
}

static void store(uint8_t *bytes, unsigned width, uint32_t value)
{
	for (unsigned i = 0; i < width; i++)
		bytes[i] = (uint8_t)(value >> i * 8);
}

uint32_t pci_function_register(const struct pci_function *function, unsigned reg, unsigned width)
{
	return load(&function->state.config[reg], width);
}

void pci_function_define(struct pci_function *function, unsigned reg, unsigned width, uint32_t value, uint32_t writable)
{
	store(&function->state.config[reg], width, value);
	store(&function->initial[reg], width, value);
	store(&function->writable[reg], width, writable);
}

static uint32_t command(const struct pci_function *function)
{
	return pci_function_register(function, PCI_CONFIG_COMMAND, 2);
}

bool pci_function_is_master(const struct pci_function *function)
{
	return (command(function) & PCI_COMMAND_MASTER) != 0;
}

/* The address in a BAR, whether or not it is enabled. */
static uint64_t bar_address(const struct pci_function *function, unsigned bar)
{
	const struct pci_bar *identity = &function->identity.bars[bar];
	uint64_t raw = pci_function_register(function, BAR_REGISTER(bar), BAR_BYTES);

	if (identity->is_io)
		return raw & ~(uint64_t)PCI_BAR_FLAGS_IO;
	if (identity->is_64bit)
		raw |= (uint64_t)pci_function_register(function, BAR_REGISTER(bar + 1), BAR_BYTES) << 32;
	return raw & ~(uint64_t)PCI_BAR_FLAGS_MEMORY;
}

/* Where a BAR answers. At 0 there is never a device. */
static uint64_t bar_base(const struct pci_function *function, unsigned bar)
{
	const struct pci_bar *identity = &function->identity.bars[bar];
	uint64_t base = bar_address(function, bar);
	uint64_t end = identity->is_io ? IO_END : identity->is_64bit ? MEMORY_64_END : MEMORY_32_END;
	uint32_t enable = identity->is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;

	if (identity->size_bytes == 0 || (command(function) & enable) == 0 || base == 0 || base >= end ||
	    identity->size_bytes > end - base)
		return PCI_DECODE_OFF;
	return base;
}

static void tell_bars(struct pci_function *function)
{
	for (unsigned bar = 0; bar < PCI_BARS_MAX; bar++) {
		uint64_t base = bar_base(function, bar);

		if (base == function->told[bar])
			continue;
		function->told[bar] = base;
		if (function->wires.bar_moved != NULL)
			function->wires.bar_moved(function->wires.ctx, bar, base);
	}
}

static void drive_pin(struct pci_function *function)
{
	bool level = function->state.pin_level && (command(function) & PCI_COMMAND_PIN_OFF) == 0 &&
		     !pci_function_has_msix(function) && !pci_function_has_msi(function);

	if (function->identity.has_pin && function->wires.pin.set != NULL)
		function->wires.pin.set(function->wires.pin.ctx, level);
}

void pci_function_set_pin(struct pci_function *function, bool level)
{
	function->state.pin_level = level;
	drive_pin(function);
}

/* What the registers say now. */
static void follow_config(struct pci_function *function)
{
	tell_bars(function);
	drive_pin(function);
	pci_msix_send_pending(function);
	pci_msi_send_pending(function);
}

static bool is_in_window(const struct pci_function *function, unsigned reg)
{
	return reg - function->window.first < function->window.count;
}

static uint32_t function_read(void *dev, unsigned reg, unsigned width)
{
	const struct pci_function *function = dev;
	uint32_t value;

	if (reg >= PCI_CONFIG_BYTES)
		return 0; /* of PCI Express: no extended capability */
	if (is_in_window(function, reg))
		return function->window.read(function->window.ctx, reg, width);
	value = pci_function_register(function, reg, width);
	/* "reflects the state of the interrupt in the device", whether or not it gets to the pin. */
	if (function->state.pin_level && reg <= PCI_CONFIG_STATUS && reg + width > PCI_CONFIG_STATUS)
		value |= PCI_STATUS_INTERRUPT << (PCI_CONFIG_STATUS - reg) * 8;
	return value;
}

static void function_write(void *dev, unsigned reg, unsigned width, uint32_t value)
{
	struct pci_function *function = dev;

	if (reg >= PCI_CONFIG_BYTES)
		return;
	if (is_in_window(function, reg)) {
		function->window.write(function->window.ctx, reg, width, value);
		return;
	}
	for (unsigned i = 0; i < width; i++) {
		uint8_t *byte = &function->state.config[reg + i];
		uint8_t writable = function->writable[reg + i];

		*byte = (uint8_t)((*byte & ~writable) | (value >> i * 8 & writable));
	}
	follow_config(function);
}

const struct pci_config_ops pci_function_ops = {.read = function_read, .write = function_write};

static void define_bar(struct pci_function *function, unsigned bar)
{
	const struct pci_bar *identity = &function->identity.bars[bar];
	uint64_t writable = ~(identity->size_bytes - 1);
	uint32_t flags = PCI_BAR_IO;

	if (identity->size_bytes == 0)
		return;
	if (!identity->is_io)
		flags = (identity->is_64bit ? PCI_BAR_64BIT : 0) | (identity->is_prefetchable ? PCI_BAR_PREFETCHABLE : 0);
	pci_function_define(function, BAR_REGISTER(bar), BAR_BYTES, flags, (uint32_t)writable);
	if (identity->is_64bit && !identity->is_io && bar + 1 < PCI_BARS_MAX)
		pci_function_define(function, BAR_REGISTER(bar + 1), BAR_BYTES, 0, (uint32_t)(writable >> 32));
}

/* "Devices that do not respond to I/O accesses hardwire this bit to 0", and so for memory. */
static uint32_t command_writable(const struct pci_identity *identity)
{
	uint32_t writable = PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_PIN_OFF;

	for (unsigned bar = 0; bar < PCI_BARS_MAX; bar++) {
		if (identity->bars[bar].size_bytes != 0)
			writable |= identity->bars[bar].is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	}
	return writable;
}

static void define_header(struct pci_function *function)
{
	const struct pci_identity *identity = &function->identity;

	pci_function_define(function, PCI_CONFIG_VENDOR, 2, identity->vendor, 0);
	pci_function_define(function, PCI_CONFIG_DEVICE, 2, identity->device, 0);
	pci_function_define(function, PCI_CONFIG_COMMAND, 2, 0, command_writable(identity));
	pci_function_define(function, PCI_CONFIG_REVISION, 1, identity->revision, 0);
	pci_function_define(function, PCI_CONFIG_CLASS, 3, identity->class_code, 0);
	pci_function_define(function, PCI_CONFIG_SUBSYSTEM_VENDOR, 2, identity->subsystem_vendor, 0);
	pci_function_define(function, PCI_CONFIG_SUBSYSTEM, 2, identity->subsystem, 0);
	if (identity->has_pin) {
		pci_function_define(function, PCI_CONFIG_INTERRUPT_LINE, 1, 0, 0xff);
		pci_function_define(function, PCI_CONFIG_INTERRUPT_PIN, 1, 1, 0);
	}
	for (unsigned bar = 0; bar < PCI_BARS_MAX; bar++)
		define_bar(function, bar);
}

static void add_express(struct pci_function *function)
{
	uint8_t body[EXPRESS_BYTES - 2] = {0}, writable[EXPRESS_BYTES - 2] = {0};
	unsigned offset;

	store(&body[0], 2, EXPRESS_FLAGS);
	store(&body[2], 4, EXPRESS_ROLE_BASED_ERRORS);
	store(&writable[6], 2, EXPRESS_CONTROL_WRITABLE);
	/* One of the first capabilities: there is room. */
	if (pci_function_add_capability(function, PCI_CAPABILITY_EXPRESS, body, writable, EXPRESS_BYTES, &offset) != OK)
		return;
}

void pci_function_init(struct pci_function *function, const struct pci_identity *identity, const struct pci_function_wires *wires)
{
	*function = (struct pci_function){
		.wires = *wires,
		.identity = *identity,
		.next_capability = PCI_CONFIG_DEVICE_SPECIFIC,
		.last_capability = PCI_CONFIG_CAPABILITIES,
	};
	if (identity->vector_count > PCI_VECTORS_MAX)
		function->identity.vector_count = PCI_VECTORS_MAX;
	for (unsigned bar = 0; bar < PCI_BARS_MAX; bar++)
		function->told[bar] = PCI_DECODE_OFF;
	define_header(function);
	pci_msix_reset(function);
	if (identity->vector_count != 0)
		function->msix_capability = (uint8_t)pci_msix_init(function);
	if (identity->has_msi)
		function->msi_capability = (uint8_t)pci_msi_init(function);
	if (identity->is_express)
		add_express(function);
}

enum status pci_function_add_capability(struct pci_function *function, uint8_t id, const void *body, const void *writable,
					unsigned len_bytes, unsigned *offset)
{
	const uint8_t *from = body, *mask = writable;
	unsigned at = function->next_capability;
	unsigned room = (len_bytes + CAPABILITY_ALIGNMENT - 1) & ~(CAPABILITY_ALIGNMENT - 1);

	/* next_capability is 0 where the last byte is taken. */
	if (at == 0 || len_bytes > PCI_CONFIG_BYTES - at)
		return ERR_NO_SPACE;
	pci_function_define(function, at, 2, id, 0);
	for (unsigned i = 0; i + 2 < len_bytes; i++)
		pci_function_define(function, at + 2 + i, 1, from[i], mask == NULL ? 0 : mask[i]);
	/* A capability's pointer is its second byte, the list's head the only one of its register. */
	pci_function_define(function, function->last_capability, 1, at, 0);
	pci_function_define(function, PCI_CONFIG_STATUS, 2, PCI_STATUS_CAPABILITIES, 0);
	function->last_capability = (uint8_t)(at + 1);
	function->next_capability = (uint8_t)(at + room);
	*offset = at;
	return OK;
}

void pci_function_place_bar(struct pci_function *function, unsigned bar, uint64_t base)
{
	const struct pci_bar *identity = &function->identity.bars[bar];
	uint32_t enabled = command(function) | (identity->is_io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
	uint32_t flags = identity->is_io ? PCI_BAR_FLAGS_IO : PCI_BAR_FLAGS_MEMORY;
	uint8_t *registers[] = {function->state.config, function->initial};

	for (unsigned i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		uint8_t *at = registers[i] + BAR_REGISTER(bar);

		store(at, BAR_BYTES, (uint32_t)base | (load(at, BAR_BYTES) & flags));
		if (identity->is_64bit)
			store(at + BAR_BYTES, BAR_BYTES, (uint32_t)(base >> 32));
		store(registers[i] + PCI_CONFIG_COMMAND, 2, enabled);
	}
	follow_config(function);
}

uint64_t pci_function_bar(const struct pci_function *function, unsigned bar)
{
	return function->told[bar];
}

void pci_function_reset(struct pci_function *function)
{
	memcpy(function->state.config, function->initial, PCI_CONFIG_BYTES);
	function->state.pin_level = false;
	pci_msix_reset(function);
	follow_config(function);
}
