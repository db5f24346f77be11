/* A table that is searched from its start: few machines have many windows, and what is often used has its own way. */
#include "drivers/virt/pci_decode.h"

enum status pci_decode_attach(struct pci_decode *decode, const struct pci_window *window, unsigned *index)
{
	struct pci_window *place = &decode->windows[decode->window_count];

	if (decode->window_count == PCI_DECODE_WINDOWS_MAX)
		return ERR_NO_SPACE;
	place->is_io = window->is_io;
	place->size_bytes = window->size_bytes;
	place->first_offset = window->first_offset;
	place->ops = window->ops;
	place->dev = window->dev;
	place->lock = window->lock;
	atomic_init(&place->base, PCI_DECODE_OFF);
	*index = decode->window_count++;
	return OK;
}

void pci_decode_move(struct pci_decode *decode, unsigned index, uint64_t base)
{
	atomic_store_explicit(&decode->windows[index].base, base, memory_order_relaxed);
}

uint64_t pci_decode_base(const struct pci_decode *decode, unsigned index)
{
	return atomic_load_explicit(&decode->windows[index].base, memory_order_relaxed);
}

bool pci_decode_find(const struct pci_decode *decode, bool is_io, uint64_t address, unsigned width, struct io_region *region)
{
	for (unsigned i = 0; i < decode->window_count; i++) {
		const struct pci_window *window = &decode->windows[i];

		*region = (struct io_region){
			.base = pci_decode_base(decode, i),
			.size = window->size_bytes,
			.first_offset = window->first_offset,
			.ops = window->ops,
			.dev = window->dev,
			.lock = window->lock,
		};
		if (window->is_io == is_io && region->base != PCI_DECODE_OFF && io_region_contains(region, address, width))
			return true;
	}
	return false;
}
