/* The Q35's memory controller hub as the function that software knows: host bridge 8086:29C0 at 00.0. Of its registers these do
 * something or can be written:
 *   60h PCIEXBAR: where ECAM answers, and for how many buses;
 *   90h-96h PAM: kept as written. What lies between 768 KiB and 1 MiB is RAM whatever they say.
 *   9Dh SMRAM, 9Eh ESMRAMC: read-only, as a chipset leaves them that has locked them with no memory set aside: a guest has no
 *   system management mode.
 *
 * Source: Intel 3 Series Express Chipset Family data sheet, "DRAM Controller Registers"; the register file that QEMU's Q35 machine
 * shows, whose subsystem ids firmware looks for. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/pci_function.h"

#define PCI_PCIEXBAR        0x60U
#define PCI_PCIEXBAR_ENABLE 0x1U
#define PCI_SUBSYSTEM_VENDOR 0x1af4U
#define PCI_SUBSYSTEM        0x1100U

struct pci_host_bridge_wires {
	/* ECAM of size_bytes, a MiB for each bus from 0 on, is at base now; PCI_DECODE_OFF (pci_decode.h): nowhere. Never told
	 * twice the same. */
	void (*ecam_moved)(void *ctx, uint64_t base, uint64_t size_bytes);
	void *ctx;
};

struct pci_host_bridge {
	struct pci_function function; /* its state is all there is */
	struct pci_host_bridge_wires wires;
	uint64_t told, told_bytes; /* what ecam_moved() was told last */
};

/* function: a struct pci_host_bridge. */
extern const struct pci_config_ops pci_host_bridge_ops;

/* As at power-on, but that PCIEXBAR is enabled there where ecam_base is not 0, as firmware leaves it: then a multiple of 256 MiB
 * below 64 GiB. */
void pci_host_bridge_init(struct pci_host_bridge *bridge, const struct pci_host_bridge_wires *wires, uint64_t ecam_base);

/* The state after pci_host_bridge_init(). */
void pci_host_bridge_reset(struct pci_host_bridge *bridge);
