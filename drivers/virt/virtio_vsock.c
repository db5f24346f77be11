/* Both directions of packets. A packet that arrived is kept until the guest has all of it; one that cannot leave stays in its
 * queue. The one event, that all connections have ended, is kept until the guest has a buffer for it. */
#include "drivers/virt/virtio_vsock.h"

#include "lib/base/string.h"

#define CLASS_COMMUNICATION 0x078000U /* PCI's class of simple communication controllers, others */
#define HEADER_BYTES        sizeof(struct virtio_vsock_header)

static bool is_guest(uint64_t cid)
{
	return cid >= VIRTIO_VSOCK_CID_FIRST && cid < UINT32_MAX;
}

/* Nobody is there: the connection is reset. A reset is answered by nothing. */
static void add_reset(struct virtio_vsock *vsock, const struct virtio_vsock_header *header)
{
	if (header->operation == VIRTIO_VSOCK_OP_RST || vsock->state.reset_count == VIRTIO_VSOCK_RESETS_MAX)
		return;
	vsock->state.resets[vsock->state.reset_count++] = (struct virtio_vsock_header){
		.source_cid = header->destination_cid,
		.destination_cid = header->source_cid,
		.source_port = header->destination_port,
		.destination_port = header->source_port,
		.type = header->type,
		.operation = VIRTIO_VSOCK_OP_RST,
	};
}

/* Copies the packet of the chain to vsock->leaving. False: it is none that this guest may send. */
static bool read_packet(struct virtio_vsock *vsock, const struct virtqueue *queue)
{
	struct virtio_vsock_header *header = &vsock->leaving.header;
	const struct virtqueue_chain *chain = &vsock->chain;

	if (virtqueue_read(queue, chain, 0, header, HEADER_BYTES, NULL) != HEADER_BYTES)
		return false;
	return header->source_cid == vsock->cid && header->len_bytes <= VIRTIO_VSOCK_DATA_MAX &&
	       virtqueue_read(queue, chain, HEADER_BYTES, vsock->leaving.data, header->len_bytes, NULL) == header->len_bytes;
}

/* False: there is no room for it now. */
static bool pass_on(struct virtio_vsock *vsock)
{
	const struct virtio_vsock_header *header = &vsock->leaving.header;

	if (is_guest(header->destination_cid) && header->destination_cid != vsock->cid)
		return vsock->wires.send(vsock->wires.ctx, &vsock->leaving);
	add_reset(vsock, header);
	return true;
}

static bool serve_transmit(struct virtio_vsock *vsock)
{
	struct virtqueue *queue = &vsock->transport->queues[VIRTIO_VSOCK_TRANSMIT];
	unsigned served = 0;
	size_t moved_bytes = 0;

	while (served < VIRTIO_SERVE_CHAINS && moved_bytes < VIRTIO_VSOCK_TURN_BYTES &&
	       virtqueue_take(queue, &vsock->chain) == OK) {
		if (read_packet(vsock, queue) && !pass_on(vsock)) {
			virtqueue_untake(queue, &vsock->chain, 1);
			break;
		}
		moved_bytes += vsock->chain.readable_bytes;
		virtqueue_return(queue, &vsock->chain, 0);
		served++;
	}
	if (served > 0) {
		vsock->wires.moved(vsock->wires.ctx);
		virtio_interrupt_queue(vsock->transport, VIRTIO_VSOCK_TRANSMIT);
	}
	return served == VIRTIO_SERVE_CHAINS || moved_bytes >= VIRTIO_VSOCK_TURN_BYTES;
}

/* Whether something is there for the guest. Who is behind the wires is not trusted with more than this VM's sockets: a packet that
 * is not for it, or not as long as it says, is dropped. */
static bool has_packet(struct virtio_vsock *vsock)
{
	struct virtio_vsock_state *state = &vsock->state;
	size_t len_bytes;

	if (state->reset_count > 0 || state->has_arrived)
		return true;
	len_bytes = vsock->wires.receive(vsock->wires.ctx, &state->arrived);
	if (len_bytes == 0)
		return false;
	state->received_bytes = 0;
	state->has_arrived = len_bytes >= HEADER_BYTES && state->arrived.header.len_bytes == len_bytes - HEADER_BYTES &&
			     state->arrived.header.destination_cid == vsock->cid && is_guest(state->arrived.header.source_cid);
	return true;
}

/* A part of a packet's data, as much as the chain has room for: data of a connection may be cut anywhere, its end is marked in the
 * last part only. */
static size_t give_part(struct virtio_vsock *vsock, const struct virtqueue *queue)
{
	struct virtio_vsock_state *state = &vsock->state;
	struct virtio_vsock_header header = state->arrived.header;
	uint32_t left_bytes = header.len_bytes - state->received_bytes;
	uint64_t room_bytes = vsock->chain.writable_bytes - HEADER_BYTES;
	bool is_last = left_bytes <= room_bytes;
	size_t written_bytes;

	header.len_bytes = is_last ? left_bytes : (uint32_t)room_bytes;
	if (!is_last && header.operation == VIRTIO_VSOCK_OP_RW)
		header.flags &= ~(VIRTIO_VSOCK_SEQ_EOM | VIRTIO_VSOCK_SEQ_EOR);
	written_bytes = virtqueue_write(queue, &vsock->chain, 0, &header, HEADER_BYTES, NULL);
	if (written_bytes == HEADER_BYTES)
		written_bytes += virtqueue_write(queue, &vsock->chain, HEADER_BYTES, state->arrived.data + state->received_bytes,
						 header.len_bytes, NULL);
	state->received_bytes += header.len_bytes;
	state->has_arrived = !is_last;
	return written_bytes;
}

static size_t give_reset(struct virtio_vsock *vsock, const struct virtqueue *queue)
{
	struct virtio_vsock_state *state = &vsock->state;
	size_t written_bytes = virtqueue_write(queue, &vsock->chain, 0, &state->resets[0], HEADER_BYTES, NULL);

	state->reset_count--;
	memmove(&state->resets[0], &state->resets[1], state->reset_count * sizeof(state->resets[0]));
	return written_bytes;
}

/* Buffers with no room for a header and a byte come back empty. */
static size_t fill(struct virtio_vsock *vsock, const struct virtqueue *queue)
{
	if (vsock->chain.writable_bytes <= HEADER_BYTES)
		return 0;
	return vsock->state.reset_count > 0 ? give_reset(vsock, queue) : give_part(vsock, queue);
}

static bool serve_receive(struct virtio_vsock *vsock)
{
	struct virtqueue *queue = &vsock->transport->queues[VIRTIO_VSOCK_RECEIVE];
	unsigned turns = 0, served = 0;
	size_t moved_bytes = 0;

	for (; turns < VIRTIO_SERVE_CHAINS && moved_bytes < VIRTIO_VSOCK_TURN_BYTES && has_packet(vsock); turns++) {
		size_t written_bytes;

		if (vsock->state.reset_count == 0 && !vsock->state.has_arrived)
			continue; /* it was dropped */
		if (virtqueue_take(queue, &vsock->chain) != OK)
			break;
		written_bytes = fill(vsock, queue);
		virtqueue_return(queue, &vsock->chain, (uint32_t)written_bytes);
		moved_bytes += written_bytes;
		served++;
	}
	if (turns > 0)
		vsock->wires.moved(vsock->wires.ctx);
	if (served > 0)
		virtio_interrupt_queue(vsock->transport, VIRTIO_VSOCK_RECEIVE);
	return turns == VIRTIO_SERVE_CHAINS || moved_bytes >= VIRTIO_VSOCK_TURN_BYTES;
}

void virtio_vsock_lost(struct virtio_vsock *vsock)
{
	vsock->state.has_event = true;
}

static void serve_event(struct virtio_vsock *vsock)
{
	struct virtqueue *queue = &vsock->transport->queues[VIRTIO_VSOCK_EVENT];
	const uint32_t event = VIRTIO_VSOCK_EVENT_TRANSPORT_RESET;
	size_t written_bytes;

	if (!vsock->state.has_event || virtqueue_take(queue, &vsock->chain) != OK)
		return;
	written_bytes = virtqueue_write(queue, &vsock->chain, 0, &event, sizeof(event), NULL);
	virtqueue_return(queue, &vsock->chain, (uint32_t)written_bytes);
	vsock->state.has_event = false;
	virtio_interrupt_queue(vsock->transport, VIRTIO_VSOCK_EVENT);
}

static bool serve_backend(void *model)
{
	struct virtio_vsock *vsock = model;
	bool has_more = serve_transmit(vsock);

	has_more |= serve_receive(vsock);
	serve_event(vsock);
	return has_more;
}

static bool serve(void *model, unsigned queue)
{
	struct virtio_vsock *vsock = model;

	if (queue == VIRTIO_VSOCK_RECEIVE && serve_receive(vsock))
		return true;
	if (queue == VIRTIO_VSOCK_TRANSMIT)
		return serve_backend(vsock); /* resets are for its receiver */
	serve_event(vsock);
	return false;
}

static uint64_t read_config(void *model, unsigned offset, unsigned width)
{
	const struct virtio_vsock *vsock = model;
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)&vsock->cid + offset, width);
	return value;
}

static void reset(void *model)
{
	struct virtio_vsock *vsock = model;

	vsock->state.reset_count = 0;
	vsock->state.has_arrived = false;
	vsock->state.has_event = false;
}

const struct virtio_ops virtio_vsock_ops = {
	.name = "virtio-vsock",
	.device_id = VIRTIO_ID_VSOCK,
	.class_code = CLASS_COMMUNICATION,
	.serve = serve,
	.serve_backend = serve_backend,
	.read_config = read_config,
	.reset = reset,
};
