/* The part of a PCI function that is its MSI-X: between pci_function.c, which has the capability's registers, and pci_msix.c, which
 * has the table. */
#pragma once

struct pci_function;

/* Adds the capability; identity.vector_count is not 0. Returns where it is. */
unsigned pci_msix_init(struct pci_function *function);

/* The capability's control, the command register or a mask has changed: sends what may be sent now. */
void pci_msix_send_pending(struct pci_function *function);

/* The table after power-on: every vector masked, nothing pending. */
void pci_msix_reset(struct pci_function *function);
