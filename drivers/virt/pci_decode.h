/* Which registers answer at an address that a guest chose: the base address registers of all PCI functions of a machine, as they
 * are now. Bases change while other vCPUs look: each is one atomic word. A window that moves in the middle of an access is seen
 * where it was or where it is. Where two overlap, the first one attached answers.
 * Source: "PCI Local Bus Specification" 3.0, "Base Addresses". */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "drivers/virt/bus.h"

#define PCI_DECODE_WINDOWS_MAX 96U
#define PCI_DECODE_OFF         UINT64_MAX /* a base: the window answers nowhere */

struct pci_window {
	/* constant once vCPUs run */
	bool is_io; /* in the space of ports, else in that of memory */
	uint64_t size_bytes;
	uint64_t first_offset; /* of the device's registers, at the window's base */
	const struct device_ops *ops;
	void *dev;
	void *lock;
	/* atomic */
	_Atomic uint64_t base;
};

struct pci_decode {
	unsigned window_count; /* constant once vCPUs run */
	struct pci_window windows[PCI_DECODE_WINDOWS_MAX];
};

/* Adds a window (copied) that answers nowhere yet; *index names it. Errors: ERR_NO_SPACE. Context: before vCPUs run. */
MUST_CHECK enum status pci_decode_attach(struct pci_decode *decode, const struct pci_window *window, unsigned *index);

/* Moves a window. Context: any thread. */
void pci_decode_move(struct pci_decode *decode, unsigned index, uint64_t base);

/* Where it answers now. Context: any thread. */
uint64_t pci_decode_base(const struct pci_decode *decode, unsigned index);

/* The window that holds all of [address, address + width), as a region of a bus; false: none does.
 * Context: any thread, no lock needed. */
bool pci_decode_find(const struct pci_decode *decode, bool is_io, uint64_t address, unsigned width, struct io_region *region);
