/* Memory that the VM shares with others, each region as a device of its own (drivers/virt/ivshmem.h). The VMM never maps a region
 * into itself: it only tells ring 0 where the guest sees it, with the rights that the manifest gives this VM. */
#pragma once
#include <stdint.h>

#include "abi/status.h"
#include "abi/vmm_spec.h"
#include "drivers/virt/ivshmem.h"
#include "user/lock.h"

struct machine;

struct region {
	/* constant once vCPUs run */
	struct machine *machine;
	const struct vmm_region *spec;
	/* under the lock */
	struct lock lock;
	struct ivshmem device;
	uint64_t mapped_at; /* where the guest sees the memory; PCI_DECODE_OFF: nowhere */
};

/* Makes the devices of all regions that the specification names. Errors: those of pci_attach(). Context: before vCPUs run. */
MUST_CHECK enum status regions_make(struct machine *machine);

/* Starts a thread for each, which turns rings of peers into messages. Errors: those of thread_create(). Context: before vCPUs
 * run. */
MUST_CHECK enum status regions_start(struct machine *machine);

/* Takes the bits that came by the region's event: bit n, a peer rang vector n. Context: no lock held. */
void region_receive(struct region *region, uint64_t bits);
