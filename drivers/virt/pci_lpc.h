/* The ICH9's LPC bridge, 8086:2918 at 1F.0: where firmware and operating systems look for what chipset a machine has. Its registers
 * keep what is written and move nothing: the devices behind it are the machine's own.
 *   40h PMBASE: the block of power management ports is at 600h whatever it says; that is where firmware for this chipset puts it.
 *   44h ACPI_CNTL; 60h-6Bh PIRQ routing (interrupts of PCI pins go to the I/O APIC only); A0h GEN_PMCON; F0h RCBA: there is
 *   nothing at its address.
 *
 * Source: Intel I/O Controller Hub 9 (ICH9) Family data sheet, "LPC Interface Bridge Registers (D31:F0)". */
#pragma once
#include <stdbool.h>

#include "drivers/virt/pci_function.h"

#define PCI_LPC_PM_PORTS 0x600U

/* Makes *function that bridge; its ops are pci_function_ops. Its PMBASE is enabled at PCI_LPC_PM_PORTS where that is asked for, as
 * firmware leaves it. */
void pci_lpc_init(struct pci_function *function, bool has_power_management);
