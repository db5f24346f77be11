/* Frames to the guest: what the guest did not negotiate is done here, on a copy; then the frame goes into as many buffers as it
 * takes, at once. */
#include "drivers/virt/virtio_net_receive.h"

#include "lib/base/string.h"

#define HEADER_BYTES sizeof(struct virtio_net_header)

/* A frame as the guest gets it. */
struct frame {
	struct virtio_net_header header;
	const uint8_t *bytes;
	uint32_t len_bytes;
};

static struct net_offload offload_of(const struct virtio_net_frame *header)
{
	return (struct net_offload){.flags = header->offload_flags,
				    .type = header->offload_type,
				    .segment_bytes = header->segment_bytes,
				    .checksum_start = header->checksum_start,
				    .checksum_offset = header->checksum_offset};
}

static bool guest_cuts(const struct virtio_net *net, uint8_t type)
{
	return virtio_has_feature(net->transport, type == NET_OFFLOAD_TCP4 ? VIRTIO_NET_F_GUEST_TSO4 : VIRTIO_NET_F_GUEST_TSO6);
}

/* Takes the next message and makes it fit for this guest. False: it was dropped. */
static bool prepare(struct virtio_net *net)
{
	struct virtio_net_message *message = &net->state.arrived;
	struct net_offload offload = offload_of(&message->header);

	if (message->header.len_bytes > VIRTIO_NET_DATA_BYTES_MAX ||
	    !net_offload_is_right(&offload, message->data, message->header.len_bytes))
		return false;
	net->state.is_cut = offload.type != NET_OFFLOAD_NONE && !guest_cuts(net, offload.type);
	if (net->state.is_cut) {
		net_cut_begin(&net->state.cut, &offload, message->data, message->header.len_bytes);
	} else if (offload.flags != 0 && !virtio_has_feature(net->transport, VIRTIO_NET_F_GUEST_CSUM)) {
		net_fill_checksum(&offload, message->data, message->header.len_bytes);
		message->header.offload_flags = 0;
	}
	return true;
}

/* The frame that is next for the guest. False: nothing is left of what arrived. */
static bool next_frame(struct virtio_net *net, struct frame *frame)
{
	struct virtio_net_state *state = &net->state;
	const struct virtio_net_frame *header = &state->arrived.header;

	*frame = (struct frame){.bytes = state->arrived.data, .len_bytes = header->len_bytes};
	if (state->is_cut) {
		if (state->segment_bytes == 0)
			state->segment_bytes = (uint32_t)net_cut_next(&state->cut, state->arrived.data, state->segment,
								      sizeof(state->segment));
		frame->bytes = state->segment;
		frame->len_bytes = state->segment_bytes;
		return state->segment_bytes != 0;
	}
	frame->header.flags = header->offload_flags;
	if (header->offload_flags != 0) {
		frame->header.checksum_start = header->checksum_start;
		frame->header.checksum_offset = header->checksum_offset;
	}
	if (header->offload_type != NET_OFFLOAD_NONE) {
		struct net_layers layers;

		net_find_layers(state->arrived.data, header->len_bytes, &layers);
		frame->header.type = header->offload_type;
		frame->header.segment_bytes = header->segment_bytes;
		frame->header.header_bytes = (uint16_t)layers.payload;
	}
	return true;
}

/* The next buffer. Where there is none, the guest is asked to tell of more: now, as buffers before it are given back afterwards,
 * and only a new one is worth another try. */
static bool take_buffer(struct virtqueue *queue, struct virtqueue_chain *buffer)
{
	enum status status = virtqueue_take(queue, buffer);

	if (status == ERR_AGAIN && virtqueue_enable_notify(queue))
		status = virtqueue_take(queue, buffer); /* it came since */
	queue->found_empty = false;
	return status == OK;
}

/* Takes buffers for so many bytes. Returns how many; 0: too few are there (*drops: or the guest's are too small for it). */
static unsigned take_buffers(struct virtio_net *net, struct virtqueue *queue, size_t len_bytes, bool *drops)
{
	bool merges = virtio_has_feature(net->transport, VIRTIO_NET_F_MRG_RXBUF);
	unsigned count = 0, most = merges ? VIRTIO_NET_MERGE_MAX : 1;
	size_t room_bytes = 0;

	*drops = false;
	while (count < most && room_bytes < len_bytes) {
		if (!take_buffer(queue, &net->buffers[count])) {
			virtqueue_untake(queue, net->buffers, count);
			return 0;
		}
		room_bytes += net->buffers[count++].writable_bytes;
	}
	if (room_bytes >= len_bytes && net->buffers[0].writable_bytes >= HEADER_BYTES)
		return count;
	/* Buffers that cannot hold it are given back, or it would never end. */
	for (unsigned i = 0; i < count; i++)
		virtqueue_put(queue, &net->buffers[i], 0);
	virtqueue_publish(queue);
	*drops = true;
	return 0;
}

/* Header and frame are one run of bytes over all buffers; the first buffer has room for the header. */
static void fill_buffers(struct virtio_net *net, struct virtqueue *queue, unsigned count, struct frame *frame)
{
	uint32_t done_bytes = 0;

	frame->header.buffer_count = (uint16_t)count;
	for (unsigned i = 0; i < count; i++) {
		const struct virtqueue_chain *chain = &net->buffers[i];
		uint32_t offset = i == 0 ? (uint32_t)HEADER_BYTES : 0;
		uint64_t room_bytes = chain->writable_bytes - offset;
		uint32_t part_bytes = frame->len_bytes - done_bytes;
		size_t written_bytes = 0;

		part_bytes = part_bytes < room_bytes ? part_bytes : (uint32_t)room_bytes;
		/* Where a buffer is not in the guest's memory, the frame has a hole, and the used length says so. */
		if (i == 0)
			written_bytes = virtqueue_write(queue, chain, 0, &frame->header, HEADER_BYTES, NULL);
		if (written_bytes == offset)
			written_bytes += virtqueue_write(queue, chain, offset, frame->bytes + done_bytes, part_bytes, NULL);
		virtqueue_put(queue, chain, (uint32_t)written_bytes);
		done_bytes += part_bytes;
	}
	virtqueue_publish(queue);
}

/* False: the guest has no buffers for it. */
static bool give_frame(struct virtio_net *net, struct frame *frame)
{
	unsigned pair = net->state.active_pairs > 1 ? net_flow(frame->bytes, frame->len_bytes) % net->state.active_pairs : 0;
	struct virtqueue *queue = &net->transport->queues[2 * pair];
	bool drops;
	unsigned count = take_buffers(net, queue, HEADER_BYTES + frame->len_bytes, &drops);

	if (count == 0 && !drops)
		return false;
	if (count > 0)
		fill_buffers(net, queue, count, frame);
	net->interrupts |= 1U << pair;
	return true;
}

static void done_with_frame(struct virtio_net_state *state)
{
	state->segment_bytes = 0;
	state->has_arrived = state->is_cut;
}

/* False: nothing is there. What arrived may have been dropped at once: then has_arrived is false, and more may be there. */
static bool arrives(struct virtio_net *net)
{
	if (net->state.has_arrived)
		return true;
	net->state.segment_bytes = 0;
	if (!net->wires.receive(net->wires.ctx, &net->state.arrived))
		return false;
	net->state.has_arrived = prepare(net);
	return true;
}

bool virtio_net_receive(struct virtio_net *net)
{
	unsigned turns = 0;
	size_t moved_bytes = 0;

	net->interrupts = 0;
	for (; turns < VIRTIO_SERVE_CHAINS && moved_bytes < VIRTIO_NET_TURN_BYTES && arrives(net); turns++) {
		struct frame frame;

		if (!net->state.has_arrived)
			continue;
		if (!next_frame(net, &frame)) {
			net->state.has_arrived = false;
			continue;
		}
		if (!give_frame(net, &frame))
			break;
		moved_bytes += frame.len_bytes;
		done_with_frame(&net->state);
	}
	for (; net->interrupts != 0; net->interrupts &= net->interrupts - 1)
		virtio_interrupt_queue(net->transport, 2 * (unsigned)__builtin_ctz(net->interrupts));
	return turns == VIRTIO_SERVE_CHAINS || moved_bytes >= VIRTIO_NET_TURN_BYTES;
}
