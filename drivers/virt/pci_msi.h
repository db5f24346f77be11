/* The part of a PCI function that is its MSI: one message, in registers of its configuration space. pci_function.c has the
 * registers, pci_msi.c says what they mean. MSI-X goes before it: while that is on, this is as if it were off. */
#pragma once

struct pci_function;

/* Adds the capability. Returns where it is; 0: no room. */
unsigned pci_msi_init(struct pci_function *function);

/* Sends the message, or notes it as pending where it is masked or the function is no bus master. MSI off: nothing. */
void pci_msi_send(struct pci_function *function);

/* The capability's registers, MSI-X or the command register have changed: sends what may be sent now. */
void pci_msi_send_pending(struct pci_function *function);
