/* MSI-X: a message of its own for each vector, in a table that software fills, with masks and pending bits. */
#include "drivers/virt/pci_msix.h"

#include "drivers/virt/pci_config.h"
#include "drivers/virt/pci_function.h"
#include "drivers/virt/pci_msi.h"

/* Capability: message control at 2, table at 4, pending bits at 8; offsets carry the BAR in their low bits. */
#define CAPABILITY_BYTES 12U
#define CONTROL          2U
#define CONTROL_ENABLE   0x8000U
#define CONTROL_MASK_ALL 0x4000U

#define ENTRY_BYTES      16U
#define ENTRY_MASKED     1U
#define ADDRESS_WRITABLE 0xfffffffffffffffcULL

unsigned pci_msix_init(struct pci_function *function)
{
	const struct pci_identity *identity = &function->identity;
	const unsigned last = identity->vector_count - 1U;
	const uint8_t body[CAPABILITY_BYTES - 2] = {
		(uint8_t)last, (uint8_t)(last >> 8),
		identity->msix_bar, 0, 0, 0,
		identity->msix_bar | (PCI_MSIX_PENDING & 0xff), PCI_MSIX_PENDING >> 8, 0, 0,
	};
	static const uint8_t writable[CAPABILITY_BYTES - 2] = {0, (CONTROL_ENABLE | CONTROL_MASK_ALL) >> 8};
	unsigned offset = 0;

	/* The first capability of all: there is room. */
	if (pci_function_add_capability(function, PCI_CAPABILITY_MSIX, body, writable, CAPABILITY_BYTES, &offset) != OK)
		return 0;
	return offset;
}

static unsigned control(const struct pci_function *function)
{
	const uint8_t *at = &function->state.config[function->msix_capability + CONTROL];

	return function->msix_capability == 0 ? 0 : at[0] | (unsigned)at[1] << 8;
}

bool pci_function_has_msix(const struct pci_function *function)
{
	return (control(function) & CONTROL_ENABLE) != 0;
}

static bool may_send(const struct pci_function *function, unsigned vector)
{
	return (control(function) & CONTROL_MASK_ALL) == 0 && pci_function_is_master(function) &&
	       (function->state.entries[vector].control & ENTRY_MASKED) == 0;
}

void pci_function_send(struct pci_function *function, unsigned vector)
{
	const struct pci_msix_entry *entry;

	if (!pci_function_has_msix(function)) {
		pci_msi_send(function);
		return;
	}
	if (vector >= function->identity.vector_count)
		return;
	entry = &function->state.entries[vector];
	if (may_send(function, vector))
		function->wires.send(function->wires.ctx, entry->address, entry->data);
	else
		function->state.pending |= 1ULL << vector;
}

void pci_msix_send_pending(struct pci_function *function)
{
	/* What waited for a function that software switched off is of no use to who switches it on. */
	uint64_t pending = pci_function_has_msix(function) ? function->state.pending : 0;

	function->state.pending = 0;
	for (; pending != 0; pending &= pending - 1)
		pci_function_send(function, (unsigned)__builtin_ctzll(pending));
}

void pci_msix_reset(struct pci_function *function)
{
	function->state.pending = 0;
	for (unsigned vector = 0; vector < PCI_VECTORS_MAX; vector++)
		function->state.entries[vector] = (struct pci_msix_entry){.control = ENTRY_MASKED};
}

/* The 32 bits at offset, a multiple of 4. */
static uint32_t read_word(const struct pci_function *function, uint64_t offset)
{
	const struct pci_msix_entry *entry;
	uint64_t vector = offset / ENTRY_BYTES;

	if (offset >= PCI_MSIX_PENDING)
		return offset - PCI_MSIX_PENDING < sizeof(uint64_t)
			       ? (uint32_t)(function->state.pending >> (offset - PCI_MSIX_PENDING) * 8) : 0;
	if (vector >= function->identity.vector_count)
		return 0;
	entry = &function->state.entries[vector];
	switch (offset % ENTRY_BYTES) {
	case 0: return (uint32_t)entry->address;
	case 4: return (uint32_t)(entry->address >> 32);
	case 8: return entry->data;
	default: return entry->control;
	}
}

static void write_word(struct pci_function *function, uint64_t offset, uint32_t value)
{
	struct pci_msix_entry *entry;
	uint64_t vector = offset / ENTRY_BYTES;

	if (offset >= PCI_MSIX_PENDING || vector >= function->identity.vector_count)
		return;
	entry = &function->state.entries[vector];
	switch (offset % ENTRY_BYTES) {
	case 0: entry->address = (entry->address & ~0xffffffffULL) | (value & ADDRESS_WRITABLE); break;
	case 4: entry->address = (entry->address & 0xffffffff) | (uint64_t)value << 32; break;
	case 8: entry->data = value; break;
	default:
		entry->control = value & ENTRY_MASKED;
		if (pci_function_has_msix(function))
			pci_msix_send_pending(function);
		break;
	}
}

/* Software must use whole words; parts of one are taken as they are meant, what crosses one is nobody's. */
static uint64_t msix_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	const struct pci_function *function = dev;
	unsigned within = offset % 4;

	(void)now_ns;
	return within + width > 4 ? UINT32_MAX : read_word(function, offset - within) >> within * 8;
}

static void msix_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct pci_function *function = dev;
	unsigned within = offset % 4;
	uint32_t mask = (uint32_t)((1ULL << width * 8) - 1) << within * 8;

	(void)now_ns;
	if (within + width <= 4)
		write_word(function, offset - within,
			   (read_word(function, offset - within) & ~mask) | ((uint32_t)value << within * 8 & mask));
}

const struct device_ops pci_msix_ops = {
	.name = "msix",
	.width_max = 4,
	.uses_time = false,
	.read = msix_read,
	.write = msix_write,
};
