/* Memory that VMs share: made before the first VM starts, paid by the manager, and there until the PC is switched off. So are the
 * doorbells of its peers, an event for each VM that the manifest lets see it. */
#pragma once
#include <stdint.h>

#include "abi/syscall.h"
#include "abi/vmm_spec.h"
#include "lib/manifest/manifest.h"

struct region_entry {
	handle_t memory; /* HANDLE_NONE: it could not be made */
	handle_t events[VMM_REGION_PEERS_MAX]; /* by peer */
};

struct regions {
	const struct manifest *manifest;
	struct region_entry entries[MANIFEST_REGIONS_MAX];
};

/* Memory that the regions of a manifest take. */
uint64_t regions_memory_bytes(const struct manifest *manifest);
/* What a VM's pool needs for tables that show it its regions, and threads. */
uint64_t regions_pool_bytes(const struct manifest_vm *vm);

/* Makes them all, zeroed. VMs that share one for which there is no memory do not start. */
void regions_make(struct regions *regions, const struct manifest *manifest);

/* Grants the VM's regions, with just the rights that the manifest gives it, to its VMM, and fills spec->regions.
 * Errors: ERR_NO_MEMORY; those of HANDLE_GRANT. */
MUST_CHECK enum status regions_give(const struct regions *regions, const struct manifest_vm *vm, handle_t space,
				    struct vmm_spec *spec);
