/* The flash of VMs whose firmware keeps variables: memory that stays over restarts of the VM until the PC is switched off. What it
 * holds is the VMM's business (vmm/firmware.h). */
#pragma once
#include "abi/status.h"
#include "abi/vmm_spec.h"
#include "manager/host.h"
#include "manager/vm.h"

/* At the VM's first start: memory as large as its firmware, paid by the manager, if that wants a flash. Errors: those of
 * host_show_file(), ERR_NO_MEMORY. */
MUST_CHECK enum status vm_flash_make(struct vm_entry *entry, const struct host *host);

/* At each start: maps it into the VMM, grants its handle, names both in spec. Errors: of mapping and granting. */
MUST_CHECK enum status vm_flash_give(const struct vm_entry *entry, struct vmm_spec *spec);
