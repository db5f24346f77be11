/* The machine's PCI bus: which functions it has, where their registers answer, and how an access that no fixed device claims gets
 * there. A function's slot is its device number on bus 0; firmware-like places of BARs are given at start, guests may move them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "drivers/virt/pci_decode.h"
#include "drivers/virt/pci_function.h"

struct machine;

/* Where BARs lie before a guest moves them. */
#define PCI_PLACE_IO     0xc000U     /* up to FFFFh */
#define PCI_PLACE_MEMORY 0xc0000000U /* up to DFFFFFFFh */

#define PCI_SLOTS_MAX 28U /* devices 2 to 29: 0 is the host bridge, 31 the LPC bridge */

/* The registers behind one BAR; ops NULL: memory that the machine maps itself (bar_moved), or nothing. */
struct pci_bar_registers {
	const struct device_ops *ops;
	void *dev;
	uint64_t first_offset;
};

/* One function as the machine knows it: a struct machine has PCI_SLOTS_MAX of them. */
struct pci_slot_entry {
	struct machine *machine;
	struct pci_function *function; /* NULL: empty */
	void *lock;                    /* struct lock of the device */
	unsigned device;               /* its number on bus 0 */
	unsigned windows[PCI_BARS_MAX]; /* indexes in the decode table; UINT32_MAX: none */
	/* Told, under the lock, of BARs that moved, after the decode table knows; NULL: nobody. */
	void (*bar_moved)(void *ctx, unsigned bar, uint64_t base);
	void *ctx;
};

/* Puts the bridges on bus 0, host and LPC, and ECAM in place; of a VM without firmware as firmware leaves them. machine->pci is
 * initialised. Errors: none in a machine that was just made. Context: before vCPUs run. */
MUST_CHECK enum status pci_build(struct machine *machine);

/* The next free slot, for a function that pci_attach() will get; its wires are filled with what carries BARs, messages and pin
 * there. Errors: ERR_NO_SPACE. Context: before vCPUs run. */
MUST_CHECK enum status pci_claim_slot(struct machine *machine, void *lock, struct pci_slot_entry **slot,
				      struct pci_function_wires *wires);

/* Puts an initialised function into its slot and its BARs where firmware would put them. registers: PCI_BARS_MAX of them.
 * Errors: ERR_NO_SPACE: too many, or BARs too large for their window. Context: before vCPUs run. */
MUST_CHECK enum status pci_attach(struct pci_slot_entry *slot, struct pci_function *function,
				  const struct pci_bar_registers registers[PCI_BARS_MAX]);
