/* The ports of a VM's console device. The first one shares the VM's terminal with its serial port; each further one is a terminal
 * of its own, named VM.PORT, whose channels stay over restarts. */
#pragma once
#include "manager/vm.h"

/* Makes the channels of further ports; paid by the manager. Errors: those of the calls. Context: before the VM's first start. */
MUST_CHECK enum status vm_ports_make(struct vm_entry *entry);

/* What vm_ports_make() takes from the manager's pool. */
uint64_t vm_ports_bytes(const struct manifest_vm *wanted);

/* Maps them into the VMM. */
MUST_CHECK enum status vm_ports_map(const struct vm_entry *entry);

/* Says in the spec which there are. */
void vm_ports_describe(const struct manifest_vm *wanted, struct vmm_spec *spec);

/* Gives their terminals to the console. */
MUST_CHECK enum status vm_ports_open(const struct vm_entry *entry, const struct vm_surroundings *around);

/* Says which terminals the VM has besides its own, as a line of the command "list"; returns its length, 0: none. */
size_t vm_list_ports(const struct manifest_vm *wanted, char *out, size_t size_bytes);
