/* Which virtio devices a VM has: a const table of makers; and what all devices are connected to. */
#include "vmm/virtio_devices.h"

#include "user/calls.h"
#include "vmm/machine.h"
#include "vmm/virtio_makers.h"
#include "vmm/virtio_memory.h"

/* Their order is that of their PCI devices' numbers: new rows go to the end, so that a guest's names stay. */
static const struct virtio_maker makers[] = {
	{NULL, NULL, NULL}, /* the last row */
};

/* The guest's notification came as an access: as if the doorbell had rung. */
static void carry_notification(void *ctx, unsigned queue)
{
	const struct virtio_slot *slot = ctx;

	sys_event_signal(slot->event, 1ULL << queue);
}

void virtio_wake(const struct virtio_slot *slot)
{
	sys_event_signal(slot->event, 1ULL << VIRTIO_EVENT_BACKEND);
}

static enum status attach(struct virtio_slot *slot, struct pci_slot_entry *pci)
{
	struct virtio *device = &slot->device;
	const struct pci_bar_registers registers[PCI_BARS_MAX] = {
		[VIRTIO_BAR_NOTIFY] = {.ops = &virtio_notify_ops, .dev = device},
		[VIRTIO_BAR_MSIX] = {.ops = &pci_msix_ops, .dev = &device->function},
		[VIRTIO_BAR_REGISTERS] = {.ops = &virtio_register_ops, .dev = device},
	};

	return pci_attach(pci, &device->function, registers);
}

enum status virtio_add(struct machine *machine, const struct virtio_config *config, handle_t event, struct virtio_slot **slot)
{
	struct virtio_devices *devices = &machine->virtio;
	struct virtio_slot *entry = &devices->slots[devices->count];
	struct pci_slot_entry *pci = NULL;
	struct virtio_wires wires = {.memory = virtio_memory(&machine->gmem), .notify = carry_notification, .ctx = entry};
	enum status status = OK;

	if (devices->count == VIRTIO_DEVICES_MAX)
		return ERR_NO_SPACE;
	*entry = (struct virtio_slot){.machine = machine, .event = event, .due_ns = NO_EVENT_NS};
	if (event == HANDLE_NONE)
		status = sys_event_create(machine->spec->handles.pool, &entry->event);
	if (status == OK)
		status = pci_claim_slot(machine, &entry->lock, &pci, &wires.pci);
	if (status == OK)
		status = virtio_init(&entry->device, config, &wires);
	if (status == OK)
		status = attach(entry, pci);
	if (status != OK)
		return status;
	devices->count++;
	*slot = entry;
	return OK;
}

enum status virtio_devices_make(struct machine *machine, const char **what, unsigned *index)
{
	enum status status = OK;

	for (const struct virtio_maker *maker = makers; maker->what != NULL && status == OK; maker++) {
		unsigned count = maker->count(machine->spec);

		*what = maker->what;
		for (unsigned i = 0; i < count && status == OK; i++) {
			*index = i;
			status = maker->make(machine, i);
		}
	}
	return status;
}

enum status virtio_devices_start(struct machine *machine)
{
	enum status status = OK;

	for (unsigned i = 0; i < machine->virtio.count && status == OK; i++) {
		struct virtio_slot *slot = &machine->virtio.slots[i];

		status = thread_create(&machine->threads, slot->device.config.ops->name, virtio_thread, slot,
				       machine->spec->cpu_mask);
	}
	return status;
}
