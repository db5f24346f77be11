/* The balloon: what the manager wishes by the spec, what the guest says by the report, and pieces that leave. */
#include "abi/layout.h"
#include "drivers/virt/virtio_balloon.h"
#include "user/calls.h"
#include "vmm/machine.h"
#include "vmm/memory_map.h"
#include "vmm/small_devices.h"

/* Of the bits for pages; nothing else is mapped near (vmm/start.c, user/layout.h). */
#define BITS_BASE 0x610000000000ULL
#define PAGES_PER_PIECE (VIRTIO_BALLOON_PIECE_BYTES / VIRTIO_BALLOON_PAGE_BYTES)

/* A VMM is one VM. */
static struct virtio_slot *slot;    /* NULL: the machine has no such device. Constant once vCPUs run */
static struct virtio_balloon model; /* the device's lock */

/* The guest may name any address: what is not a whole piece of its memory stays. */
static void discard(void *ctx, uint64_t address)
{
	const struct machine *machine = ctx;
	const struct vmm_spec *spec = machine->spec;
	uint64_t place, done_bytes;

	if (gmem_place(&machine->gmem, gpa(address), VIRTIO_BALLOON_PIECE_BYTES, &place) != OK)
		return;
	if (place < spec->guest_memory_address || place - spec->guest_memory_address >= spec->memory_bytes)
		return;
	/* A piece that cannot leave, since ring 0 writes to it or has no page for its bookkeeping, stays. */
	if (sys_memory_discard(spec->handles.guest_memory, place - spec->guest_memory_address, VIRTIO_BALLOON_PIECE_BYTES,
			       &done_bytes) != OK)
		return;
}

static uint32_t target_pages(void *ctx)
{
	const struct machine *machine = ctx;
	uint64_t memory_bytes = machine->spec->memory_bytes;
	uint64_t target_bytes = __atomic_load_n(&machine->spec->memory_target_bytes, __ATOMIC_RELAXED);

	if (target_bytes == 0 || target_bytes > memory_bytes)
		return 0;
	return (uint32_t)((memory_bytes - target_bytes) / VIRTIO_BALLOON_PAGE_BYTES);
}

static void told(void *ctx, uint32_t pages, uint64_t free_bytes)
{
	struct machine *machine = ctx;

	__atomic_store_n(&machine->report->memory_given_bytes, (uint64_t)pages * VIRTIO_BALLOON_PAGE_BYTES, __ATOMIC_RELAXED);
	__atomic_store_n(&machine->report->memory_free_bytes, free_bytes, __ATOMIC_RELAXED);
}

/* A bit for each page, from address 0 to the end of the guest's memory. */
static enum status make_bits(const struct vmm_spec *spec)
{
	const struct memory_piece *last;
	struct memory_map map;
	uint64_t bytes;
	handle_t memory;
	enum status status = memory_map_make(spec->memory_bytes, &map);

	if (status != OK)
		return status;
	last = &map.pieces[map.piece_count - 1];
	model.page_count = (last->gpa + last->length_bytes) / VIRTIO_BALLOON_PAGE_BYTES / PAGES_PER_PIECE * PAGES_PER_PIECE;
	model.given = (uint64_t *)BITS_BASE; /* NOLINT: it is mapped there now */
	bytes = (model.page_count / 8 + PAGE_SIZE_BYTES) & ~(PAGE_SIZE_BYTES - 1);
	status = memory_create_filled(spec->handles.pool, bytes, &memory);
	if (status == OK)
		status = space_map_all(spec->handles.space, memory, BITS_BASE, 0, bytes, RIGHT_READ | RIGHT_WRITE);
	return status;
}

unsigned balloon_device_count(const struct vmm_spec *spec)
{
	return (spec->options & VMM_OPTION_BALLOON) != 0 ? 1 : 0;
}

enum status balloon_device_make(struct machine *machine, unsigned index)
{
	const struct virtio_config config = VIRTIO_BALLOON_CONFIG(&model);
	enum status status = make_bits(machine->spec);

	(void)index;
	model.wires = (struct virtio_balloon_wires){discard, target_pages, told, machine};
	if (status == OK)
		status = virtio_add(machine, &config, HANDLE_NONE, &slot);
	if (status != OK)
		return status;
	model.transport = &slot->device;
	virtio_balloon_ops.reset(&model);
	return OK;
}

void balloon_device_wake(void)
{
	if (slot != NULL)
		virtio_wake(slot);
}
