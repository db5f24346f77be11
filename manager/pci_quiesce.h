/* Stops the DMA of devices that no driver uses: firmware leaves network cards and disk controllers running, and what they
 * write would land in some VM's memory.
 * Source: PCI Local Bus Specification 3.0, "Configuration Mechanism", "Device Control" (command register). */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "manager/ports.h"

struct pci_quiesce_result {
	uint32_t function_count; /* found on all buses */
	uint32_t stopped_count;  /* whose bus mastering was on, and is off now */
	uint32_t stubborn_count; /* whose bus mastering stayed on */
};

/* Switches bus mastering off on every PCI function but bridges. Context: before memory is given to any VM. */
struct pci_quiesce_result pci_quiesce(const struct ports *ports);

/* What the user must know of it: the message about devices that go on, or an empty text. Returns its length. */
size_t pci_quiesce_words(const struct pci_quiesce_result *result, char *out, size_t size_bytes);
