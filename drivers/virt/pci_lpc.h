/* The ICH9's LPC bridge, 8086:2918 at 1F.0: where firmware and operating systems look for what chipset a machine has. Its registers
 * keep what is written and move nothing: the devices behind it are the machine's own.
 *   40h PMBASE: the block of power management ports is at 600h whatever it says; that is where firmware for this chipset puts it.
 *   60h-63h PIRQ A to D, which the pins of PCI devices drive: the input of the 8259 pair that each drives beside its own of the
 *   I/O APIC. The one register that has an effect: systems that know no ACPI have PCI interrupts that way.
 *   44h ACPI_CNTL; 68h-6Bh PIRQ E to H, which nothing drives; A0h GEN_PMCON; F0h RCBA: there is nothing at its address.
 *
 * Source: Intel I/O Controller Hub 9 (ICH9) Family data sheet, "LPC Interface Bridge Registers (D31:F0)". */
#pragma once
#include <stdbool.h>

#include "drivers/virt/pci_function.h"

#define PCI_LPC_PM_PORTS 0x600U
#define PCI_LPC_PIRQS    4U
#define PCI_LPC_NO_IRQ   0U /* what a PIRQ drives that is not routed */
/* Where firmware routes PIRQ n: inputs that a PC has to spare. */
#define PCI_LPC_IRQ(pirq) (10U + (pirq) % 2)

struct pci_lpc_wires {
	/* A PIRQ drives this input of the 8259 pair from now on. Told at each change. */
	void (*routed)(void *ctx, unsigned pirq, unsigned irq);
	void *ctx;
};

struct pci_lpc {
	struct pci_function function;
	struct pci_lpc_wires wires;
	uint8_t told[PCI_LPC_PIRQS]; /* what routed() was told last */
};

extern const struct pci_config_ops pci_lpc_ops;

/* Makes *lpc that bridge. is_configured: as firmware leaves it, with PMBASE enabled at PCI_LPC_PM_PORTS and PIRQs routed by
 * PCI_LPC_IRQ(); else as after power-on, for firmware that runs in the machine. */
void pci_lpc_init(struct pci_lpc *lpc, const struct pci_lpc_wires *wires, bool is_configured);
