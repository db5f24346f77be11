/* Disks of the VM: each a block device on a file and on memory for what the guest changes. */
#include "drivers/virt/virtio_blk.h"
#include "lib/base/string.h"
#include "user/log.h"
#include "vmm/machine.h"
#include "vmm/virtio_devices.h"
#include "vmm/virtio_makers.h"

static struct virtio_disk {
	struct virtio_blk blk;
	struct disk disk;
	const struct machine *machine;
	unsigned index;
	bool has_told; /* under the device's lock */
} disks[VMM_DISKS_MAX];

static void tell_full(void *ctx)
{
	struct virtio_disk *disk = ctx;

	if (disk->has_told)
		return;
	disk->has_told = true;
	log_print("E241 %s: disk %u: no memory is left for its changes, and writes fail; raise changes of that disk in "
		  "bulkhead.toml",
		  disk->machine->spec->name, disk->index);
}

unsigned virtio_disk_count(const struct vmm_spec *spec)
{
	return spec->disk_count < VMM_DISKS_MAX ? spec->disk_count : VMM_DISKS_MAX;
}

enum status virtio_disk_make(struct machine *machine, unsigned index)
{
	const struct vmm_disk *wanted = &machine->spec->disks[index];
	const struct disk_source source = {
		.file = (const void *)(uintptr_t)wanted->file.address,
		.file_bytes = wanted->file.size_bytes,
		.size_bytes = wanted->size_bytes,
		.changes = (void *)(uintptr_t)wanted->changes_address,
		.changes_bytes = wanted->changes_bytes,
	};
	struct virtio_disk *disk = &disks[index];
	struct virtio_config config;
	struct virtio_slot *slot;
	uint32_t queues = machine->vcpu_count < VIRTIO_BLK_QUEUES_MAX ? machine->vcpu_count : VIRTIO_BLK_QUEUES_MAX;
	enum status status = disk_open(&disk->disk, &source);

	*disk = (struct virtio_disk){.disk = disk->disk, .machine = machine, .index = index};
	disk->blk = (struct virtio_blk){
		.disk = &disk->disk, .queue_count = (uint16_t)queues, .wires = {.is_full = tell_full, .ctx = disk}};
	memcpy(disk->blk.serial, wanted->serial, sizeof(disk->blk.serial));
	config = virtio_blk_config(&disk->blk);
	if (status == OK)
		status = virtio_add(machine, &config, HANDLE_NONE, &slot);
	if (status == OK)
		disk->blk.transport = &slot->device;
	return status;
}
