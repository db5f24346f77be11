/* The way to PCI functions: configuration mechanism 1 (ports CF8h-CFFh) and ECAM, for bus 0; and the reset control register that
 * lies among those ports (CF9h). Functions are attached, the host bridge's (pci_host_bridge.h) too.
 *
 * Registers of pci_host_ops: 0-7 (ports CF8h-CFFh); of pci_ecam_ops, same struct: 4 KiB a function, from bus 0 on.
 * Only the ports' address register and reset control have state, each an atomic word: these registers need no lock. Functions have
 * their own state and locks, which are taken here around each access to one.
 *
 * Source: "PCI Local Bus Specification" 3.0, "Configuration Space Decoding", "Software Generation of Configuration
 * Transactions"; "PCI Express Base Specification", "PCI Express Enhanced Configuration Access Mechanism (ECAM)";
 * Intel ICH9 data sheet, "Reset Control Register". */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "drivers/virt/device.h"

#define PCI_HOST_REGION_SIZE   8
#define PCI_ECAM_BUS_SIZE      0x100000 /* one bus of 256 functions */
#define PCI_FUNCTION_COUNT     256
#define PCI_DEVFN(device, function) ((device) * 8U + (function))

/* A function's configuration space. reg: 0 to 4095 (above 255 by ECAM only); width: 1, 2 or 4; never crosses a multiple
 * of 4. Called under the function's lock. */
struct pci_config_ops {
	uint32_t (*read)(void *function, unsigned reg, unsigned width);
	void (*write)(void *function, unsigned reg, unsigned width, uint32_t value);
};

struct pci_host_state {
	_Atomic uint32_t address; /* CONFIG_ADDRESS */
	_Atomic uint8_t reset_control;
};

struct pci_host_wires {
	void (*reset)(void *ctx); /* the machine restarts after this access */
	/* Around an access to a function, with the lock it was attached with; not for those that have none. */
	void (*acquire)(void *ctx, void *lock);
	void (*release)(void *ctx, void *lock);
	void *ctx;
};

struct pci_host {
	struct pci_host_state state;
	struct pci_host_wires wires;
	struct pci_slot {
		const struct pci_config_ops *ops; /* NULL: empty */
		void *function;
		void *lock;
	} slots[PCI_FUNCTION_COUNT]; /* by device * 8 + function, on bus 0 */
};

/* Context of both: no lock held. */
extern const struct device_ops pci_host_ops;
extern const struct device_ops pci_ecam_ops;

/* An empty bus 0. */
void pci_host_init(struct pci_host *host, const struct pci_host_wires *wires);

/* Puts a function on bus 0. devfn: PCI_DEVFN(). lock: NULL: it needs none. Errors: ERR_OUT_OF_RANGE: above 255; ERR_EXISTS.
 * Context: before vCPUs run. */
MUST_CHECK enum status pci_host_attach(struct pci_host *host, unsigned devfn, const struct pci_config_ops *ops,
				       void *function, void *lock);
