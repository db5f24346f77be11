/* The socket device: the virtio model on one side, the link to the switch on the other. */
#include "drivers/virt/virtio_vsock.h"
#include "lib/base/string.h"
#include "vmm/link.h"
#include "vmm/machine.h"
#include "vmm/small_devices.h"

#define HEADER_BYTES sizeof(struct virtio_vsock_header)

/* A VMM is one VM, which has one such device at most. Under its lock. */
static struct vsock_device {
	struct virtio_vsock model;
	struct link link;
	struct {
		struct switch_message message;
		struct virtio_vsock_packet packet;
	} moving; /* as a whole, either way */
} the_device;

_Static_assert(sizeof(struct virtio_vsock_packet) <= SWITCH_DATA_BYTES_MAX &&
		       offsetof(struct vsock_device, moving.packet) - offsetof(struct vsock_device, moving) ==
			       sizeof(struct switch_message),
	       "the largest packet is a message");

/* Over a link that has just been cut, connections have ended. */
static void look_at_link(struct vsock_device *vsock, bool was_cut)
{
	if (vsock->link.is_cut && !was_cut)
		virtio_vsock_lost(&vsock->model);
}

static bool send(void *ctx, const struct virtio_vsock_packet *packet)
{
	struct vsock_device *vsock = ctx;
	bool was_cut = vsock->link.is_cut, is_sent;

	vsock->moving.message = (struct switch_message){
		.kind = SWITCH_VSOCK, .len_bytes = (uint32_t)HEADER_BYTES + packet->header.len_bytes};
	memcpy(&vsock->moving.packet, packet, vsock->moving.message.len_bytes);
	is_sent = link_send(&vsock->link, &vsock->moving.message);
	look_at_link(vsock, was_cut);
	return is_sent;
}

/* What is no packet is one without a header, which the model drops. */
static size_t receive(void *ctx, struct virtio_vsock_packet *packet)
{
	struct vsock_device *vsock = ctx;
	const struct switch_message *message = &vsock->moving.message;
	bool was_cut = vsock->link.is_cut;
	bool has_come = link_receive(&vsock->link, &vsock->moving.message, sizeof(vsock->moving));

	look_at_link(vsock, was_cut);
	if (!has_come)
		return 0;
	if (message->kind == SWITCH_BEGAN_ANEW)
		virtio_vsock_lost(&vsock->model);
	if (message->kind != SWITCH_VSOCK || message->len_bytes < HEADER_BYTES)
		return 1;
	memcpy(packet, &vsock->moving.packet, message->len_bytes);
	return message->len_bytes;
}

static void moved(void *ctx)
{
	const struct vsock_device *vsock = ctx;

	link_tell(&vsock->link);
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
	link_open(&vsock->link, link);
	vsock->model.cid = link->cid;
	vsock->model.wires = (struct virtio_vsock_wires){.send = send, .receive = receive, .moved = moved, .ctx = vsock};
	status = virtio_add(machine, &config, link->event, &slot);
	if (status == OK)
		vsock->model.transport = &slot->device;
	return status;
}
