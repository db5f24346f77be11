/* PCI functions of bus 0, by configuration mechanism 1.
 * Source: "PCI Local Bus Specification" 3.0, "Software Generation of Configuration Transactions". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define PCI_COMMAND     0x04U
#define PCI_BAR_0       0x10U
#define PCI_COMMAND_ALL 0x0007U /* ports, memory, bus master */

uint32_t pci_read32(unsigned device, unsigned reg);
uint16_t pci_read16(unsigned device, unsigned reg);
uint8_t pci_read8(unsigned device, unsigned reg);
void pci_write32(unsigned device, unsigned reg, uint32_t value);
void pci_write16(unsigned device, unsigned reg, uint16_t value);

/* The device number of the nth (from 0) function 0 with this vendor and device ID. False: there is none. */
bool pci_find(uint16_t vendor, uint16_t id, unsigned nth, unsigned *device);

/* Where capability `id` is, behind the one at `after` (0: from the first); 0: there is none. */
unsigned pci_capability(unsigned device, uint8_t id, unsigned after);

/* The address in a BAR of ports or memory. */
uint64_t pci_bar(unsigned device, unsigned bar);
