/* Which virtio devices a VM has: a const table of makers; and what all devices are connected to. */
#include "vmm/virtio_devices.h"

#include "user/calls.h"
#include "vmm/machine.h"
#include "vmm/small_devices.h"
#include "vmm/virtio_makers.h"
#include "vmm/virtio_memory.h"

_Static_assert(VIRTIO_NOTIFY_STEP_BYTES == VM_DOORBELL_STEP && VIRTIO_QUEUES_MAX <= VIRTIO_EVENT_BACKEND, "one bit for each queue");

/* Their order is that of their PCI devices' numbers: new rows go to the end, so that a guest's names stay. */
static const struct virtio_maker makers[] = {
	{"disk", virtio_disk_count, virtio_disk_make},
	{"network card", virtio_net_count, virtio_net_make},
	{"entropy device", entropy_device_count, entropy_device_make},
	{"console device", console_device_count, console_device_make},
	{"balloon", balloon_device_count, balloon_device_make},
	{"socket device", vsock_device_count, vsock_device_make},
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

/* Where BAR 0 answers, an OUT signals the event without a visit here. Should there be no doorbell (another BAR or a device of the
 * PC has its ports, or all are in use), such an access comes to the bus, which finds whose it is. */
static void move_doorbell(void *ctx, unsigned bar, uint64_t base)
{
	struct virtio_slot *slot = ctx;
	handle_t vm = slot->machine->spec->handles.vm;
	unsigned ports = slot->device.config.queue_count * VIRTIO_NOTIFY_STEP_BYTES;

	if (bar != VIRTIO_BAR_NOTIFY)
		return;
	if (slot->doorbell_port != PCI_DECODE_OFF && sys_vm_doorbell(vm, HANDLE_NONE, (uint16_t)slot->doorbell_port, 0, 0) != OK)
		return;
	slot->doorbell_port = PCI_DECODE_OFF;
	if (base <= UINT16_MAX && bus_is_free(&slot->machine->ports, base, ports) &&
	    sys_vm_doorbell(vm, slot->event, (uint16_t)base, ports, 0) == OK)
		slot->doorbell_port = base;
}

static enum status attach(struct virtio_slot *slot, struct pci_slot_entry *pci)
{
	struct virtio *device = &slot->device;
	const struct pci_bar_registers registers[PCI_BARS_MAX] = {
		[VIRTIO_BAR_NOTIFY] = {.ops = &virtio_notify_ops, .dev = device},
		[VIRTIO_BAR_MSIX] = {.ops = &pci_msix_ops, .dev = &device->function},
		[VIRTIO_BAR_REGISTERS] = {.ops = &virtio_register_ops, .dev = device},
	};

	pci->bar_moved = move_doorbell;
	pci->ctx = slot;
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
	*entry = (struct virtio_slot){.machine = machine, .event = event, .due_ns = NO_EVENT_NS,
					.doorbell_port = PCI_DECODE_OFF};
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
