/* The socket device's link to its switch: messages of abi/switch.h in two channels. */
#include "abi/switch.h"
#include "drivers/virt/virtio_vsock.h"
#include "lib/base/string.h"
#include "lib/channel/channel.h"
#include "user/calls.h"
#include "vmm/machine.h"
#include "vmm/small_devices.h"

#define HEADER_BYTES sizeof(struct virtio_vsock_header)

/* A VMM is one VM, which has one such device at most. Under its lock. */
static struct vsock_device {
	struct virtio_vsock model;
	const struct vmm_link *link;
	bool is_open; /* the channels are there and the switch kept the rules */
	struct channel_writer to_switch;
	struct channel_reader from_switch;
	struct {
		struct switch_message message;
		struct virtio_vsock_packet packet;
	} __attribute__((packed)) leaving; /* as a whole */
} the_device;

_Static_assert(sizeof(struct virtio_vsock_packet) <= SWITCH_DATA_BYTES_MAX, "the largest packet is a message");

/* Without a switch nothing arrives, and what is sent is lost. */
static bool send(void *ctx, const struct virtio_vsock_packet *packet)
{
	struct vsock_device *vsock = ctx;
	uint32_t len_bytes = (uint32_t)HEADER_BYTES + packet->header.len_bytes;
	enum status status = OK;

	if (!vsock->is_open)
		return true;
	vsock->leaving.message = (struct switch_message){.kind = SWITCH_VSOCK, .len_bytes = len_bytes};
	memcpy(&vsock->leaving.packet, packet, len_bytes);
	status = channel_write_all(&vsock->to_switch, &vsock->leaving, sizeof(vsock->leaving.message) + len_bytes);
	if (status == ERR_BAD_FORMAT)
		vsock->is_open = false;
	return status != ERR_NO_SPACE;
}

/* The next message, header and data, if all of it is there. Errors: ERR_AGAIN; ERR_BAD_FORMAT: the switch broke the rules. */
static enum status take_message(struct vsock_device *vsock, struct virtio_vsock_packet *packet, size_t *len_bytes)
{
	struct switch_message message;
	size_t used_bytes = 0, read_bytes;
	enum status status = channel_peek(&vsock->from_switch, &message, sizeof(message));

	if (status == OK &&
	    (message.kind != SWITCH_VSOCK || message.len_bytes < HEADER_BYTES || message.len_bytes > sizeof(*packet)))
		status = ERR_BAD_FORMAT;
	if (status == OK)
		status = channel_used_bytes(&vsock->from_switch, &used_bytes);
	if (status == OK && used_bytes < sizeof(message) + message.len_bytes)
		status = ERR_AGAIN;
	*len_bytes = message.len_bytes;
	/* The shared header may have changed since: the copy counts. */
	if (status == OK)
		status = channel_read(&vsock->from_switch, &message, sizeof(message), &read_bytes);
	if (status == OK)
		status = channel_read(&vsock->from_switch, packet, *len_bytes, &read_bytes);
	return status;
}

static size_t receive(void *ctx, struct virtio_vsock_packet *packet)
{
	struct vsock_device *vsock = ctx;
	size_t len_bytes = 0;
	enum status status = vsock->is_open ? take_message(vsock, packet, &len_bytes) : ERR_AGAIN;

	if (status == ERR_BAD_FORMAT)
		vsock->is_open = false;
	return status == OK ? len_bytes : 0;
}

static void moved(void *ctx)
{
	const struct vsock_device *vsock = ctx;

	if (vsock->link->switch_event != HANDLE_NONE)
		sys_event_signal(vsock->link->switch_event, vsock->link->switch_bits);
}

/* The first link of that kind; NULL: none. */
static const struct vmm_link *link_of(const struct vmm_spec *spec)
{
	for (uint32_t i = 0; i < spec->link_count && i < VMM_LINKS_MAX; i++) {
		if (spec->links[i].kind == VMM_LINK_VSOCK)
			return &spec->links[i];
	}
	return NULL;
}

unsigned vsock_device_count(const struct vmm_spec *spec)
{
	return link_of(spec) != NULL ? 1 : 0;
}

enum status vsock_device_make(struct machine *machine, unsigned index)
{
	const struct vmm_link *link = link_of(machine->spec);
	struct vsock_device *vsock = &the_device;
	const struct virtio_config config = VIRTIO_VSOCK_CONFIG(&vsock->model);
	struct virtio_slot *slot;
	enum status status;

	(void)index;
	vsock->link = link;
	vsock->is_open = channel_writer_open(&vsock->to_switch, (void *)(uintptr_t)link->to_switch_address,
					     link->to_switch_bytes) == OK &&
			 channel_reader_open(&vsock->from_switch, (void *)(uintptr_t)link->from_switch_address,
					     link->from_switch_bytes) == OK;
	vsock->model.cid = link->cid;
	vsock->model.wires = (struct virtio_vsock_wires){.send = send, .receive = receive, .moved = moved, .ctx = vsock};
	status = virtio_add(machine, &config, link->event, &slot);
	if (status == OK)
		vsock->model.transport = &slot->device;
	return status;
}
