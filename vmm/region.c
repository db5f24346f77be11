/* The wires of shared-memory devices. */
#include "vmm/region.h"

#include "user/calls.h"
#include "vmm/machine.h"

/* A place where the guest has RAM or another region already shows what was there first. */
static void map_memory(struct region *region, uint64_t base)
{
	const struct vmm_region *spec = region->spec;
	handle_t vm = region->machine->spec->handles.vm;
	uint64_t done = 0, now = 1;

	if (region->mapped_at != PCI_DECODE_OFF && vm_unmap_all(vm, region->mapped_at, spec->size_bytes) != OK)
		return;
	region->mapped_at = PCI_DECODE_OFF;
	if (base == PCI_DECODE_OFF)
		return;
	while (done < spec->size_bytes && now != 0) {
		now = 0;
		if (sys_vm_map(vm, base + done, spec->memory, done, spec->size_bytes - done, spec->rights, &now) != OK)
			break;
		done += now;
	}
	if (done == spec->size_bytes)
		region->mapped_at = base;
	else if (done != 0 && vm_unmap_all(vm, base, done) != OK)
		return;
}

static void bar_moved(void *ctx, unsigned bar, uint64_t base)
{
	if (bar == IVSHMEM_BAR_MEMORY)
		map_memory(ctx, base);
}

/* A vector that the peer does not have is outside its handle's badge, and ring 0 drops it. */
static void ring(void *ctx, unsigned peer, unsigned vector)
{
	const struct region *region = ctx;

	if (peer < region->spec->peer_count && region->spec->peers[peer] != HANDLE_NONE && vector < PCI_VECTORS_MAX - 1)
		sys_event_signal(region->spec->peers[peer], 1ULL << vector);
}

static enum status make(struct machine *machine, struct region *region, const struct vmm_region *spec)
{
	struct ivshmem_wires wires = {.ring = ring, .ctx = region};
	const struct ivshmem_config config = {
		.size_bytes = spec->size_bytes,
		.own_id = (uint16_t)spec->own_id,
		.vector_count = (uint16_t)spec->vector_count,
	};
	const struct pci_bar_registers registers[PCI_BARS_MAX] = {
		[IVSHMEM_BAR_REGISTERS] = {.ops = &ivshmem_ops, .dev = &region->device},
		[IVSHMEM_BAR_MSIX] = {.ops = &pci_msix_ops, .dev = &region->device.function},
	};
	struct pci_slot_entry *slot;
	enum status status = pci_claim_slot(machine, &region->lock, &slot, &wires.pci);

	if (status != OK)
		return status;
	region->machine = machine;
	region->spec = spec;
	region->mapped_at = PCI_DECODE_OFF;
	slot->bar_moved = bar_moved;
	slot->ctx = region;
	ivshmem_init(&region->device, &config, &wires);
	return pci_attach(slot, &region->device.function, registers);
}

enum status regions_make(struct machine *machine)
{
	enum status status = OK;

	for (uint32_t i = 0; i < machine->spec->region_count && status == OK; i++)
		status = make(machine, &machine->regions[i], &machine->spec->regions[i]);
	return status;
}

void region_receive(struct region *region, uint64_t bits)
{
	lock_acquire(&region->lock);
	for (unsigned vector = 0; vector < region->spec->vector_count; vector++) {
		if ((bits >> vector & 1) != 0)
			ivshmem_receive(&region->device, vector);
	}
	lock_release(&region->lock);
}

/* What rang while this VM did not run comes at once, and is lost: no driver has enabled MSI-X yet. */
static void serve(void *argument)
{
	struct region *region = argument;
	uint64_t bits;

	while (sys_event_wait(region->spec->event, DEADLINE_NEVER, &bits) == OK)
		region_receive(region, bits);
}

enum status regions_start(struct machine *machine)
{
	enum status status = OK;

	for (uint32_t i = 0; i < machine->spec->region_count && status == OK; i++)
		status = thread_create(&machine->threads, "region", serve, &machine->regions[i], machine->spec->cpu_mask);
	return status;
}
