/* Network cards: the virtio model on one side, the link to the switch on the other. */
#include "drivers/virt/virtio_net.h"
#include "vmm/link.h"
#include "vmm/machine.h"
#include "vmm/virtio_makers.h"

/* A card of the VM; a VMM is one VM, and this is all that it has. */
struct card {
	struct link link;
	struct virtio_net net;
};
static struct card cards[VMM_NETS_MAX];

/* Frames travel as they are. */
#define SAME_PLACE(member) (offsetof(struct virtio_net_frame, member) == offsetof(struct switch_message, member))
_Static_assert(sizeof(struct virtio_net_frame) == sizeof(struct switch_message) && SAME_PLACE(kind) && SAME_PLACE(len_bytes) &&
		       SAME_PLACE(offload_flags) && SAME_PLACE(offload_type) && SAME_PLACE(header_bytes) &&
		       SAME_PLACE(segment_bytes) && SAME_PLACE(checksum_start) && SAME_PLACE(checksum_offset) &&
		       VIRTIO_NET_DATA_BYTES_MAX == SWITCH_DATA_BYTES_MAX && offsetof(struct virtio_net_message, data) == 20,
	       "frames are the switch's messages");

static bool send(void *ctx, struct virtio_net_message *message)
{
	struct card *card = ctx;

	message->header.kind = SWITCH_FRAME;
	return link_send(&card->link, (const struct switch_message *)&message->header);
}

static bool receive(void *ctx, struct virtio_net_message *message)
{
	struct card *card = ctx;

	if (!link_receive(&card->link, (struct switch_message *)&message->header, sizeof(*message)))
		return false;
	if (message->header.kind != SWITCH_FRAME)
		message->header.len_bytes = 0; /* none that a switch passes to a card: the model drops it */
	return true;
}

static void tell_switch(void *ctx)
{
	const struct card *card = ctx;

	link_tell(&card->link);
}

/* The spec's link that is card number `index`, or NULL. */
static const struct vmm_link *find_net(const struct vmm_spec *spec, unsigned index)
{
	for (uint32_t i = 0; i < spec->link_count && i < VMM_LINKS_MAX; i++) {
		if (spec->links[i].kind == VMM_LINK_NET && index-- == 0)
			return &spec->links[i];
	}
	return NULL;
}

unsigned virtio_net_count(const struct vmm_spec *spec)
{
	unsigned count = 0;

	while (count < VMM_NETS_MAX && find_net(spec, count) != NULL)
		count++;
	return count;
}

enum status virtio_net_make(struct machine *machine, unsigned index)
{
	const struct vmm_link *link = find_net(machine->spec, index);
	struct card *card = &cards[index];
	const struct virtio_net_wires wires = {.send = send, .receive = receive, .sent = tell_switch, .ctx = card};
	struct virtio_config config;
	struct virtio_slot *slot;
	enum status status;

	link_open(&card->link, link);
	virtio_net_init(&card->net, link->mac, link->queue_pairs, &wires);
	config = virtio_net_config(&card->net);
	status = virtio_add(machine, &config, link->event, &slot);
	if (status == OK)
		card->net.transport = &slot->device;
	return status;
}
