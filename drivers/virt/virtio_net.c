/* Control queue, configuration, transmission and the device's turns; reception is virtio_net_receive.c. */
#include "drivers/virt/virtio_net.h"

#include "drivers/virt/virtio_net_receive.h"
#include "lib/base/string.h"

#define CLASS_ETHERNET  0x020000U
#define HEADER_BYTES    sizeof(struct virtio_net_header)
#define STATUS_LINK_UP  1U
#define CONTROL_MQ      4U
#define CONTROL_MQ_PAIRS_SET 0U
#define CONTROL_OK      0U
#define CONTROL_ERR     1U
#define QUEUE_SIZE_MAX  256U

/* The control queue is the last one of those that there are for the driver. */
static unsigned control_queue(const struct virtio_net *net)
{
	return virtio_has_feature(net->transport, VIRTIO_NET_F_MQ) ? 2U * net->config.pair_count_max : 2U;
}

static bool feature_allows(const struct virtio_net *net, const struct virtio_net_header *header)
{
	if ((header->flags & NET_OFFLOAD_NEEDS_CHECKSUM) != 0 && !virtio_has_feature(net->transport, VIRTIO_NET_F_CSUM))
		return false;
	switch (header->type) {
	case NET_OFFLOAD_NONE:
		return true;
	case NET_OFFLOAD_TCP4:
		return virtio_has_feature(net->transport, VIRTIO_NET_F_HOST_TSO4);
	case NET_OFFLOAD_TCP6:
		return virtio_has_feature(net->transport, VIRTIO_NET_F_HOST_TSO6);
	default:
		return false;
	}
}

/* Copies the frame of the chain to net->leaving. False: it is none that this guest may send. */
static bool read_frame(struct virtio_net *net, const struct virtqueue *queue)
{
	const struct virtqueue_chain *chain = &net->chain;
	struct virtio_net_message *message = &net->leaving;
	struct virtio_net_header header;
	uint64_t chain_bytes = chain->readable_bytes;
	uint32_t len_bytes = (uint32_t)(chain_bytes - HEADER_BYTES);
	struct net_offload offload;

	if (chain_bytes < HEADER_BYTES + VIRTIO_NET_FRAME_BYTES_MIN || chain_bytes > HEADER_BYTES + VIRTIO_NET_DATA_BYTES_MAX ||
	    virtqueue_read(queue, chain, 0, &header, HEADER_BYTES, NULL) != HEADER_BYTES || !feature_allows(net, &header) ||
	    virtqueue_read(queue, chain, HEADER_BYTES, message->data, len_bytes, NULL) != len_bytes)
		return false;
	offload = (struct net_offload){.flags = header.flags & NET_OFFLOAD_NEEDS_CHECKSUM,
				       .type = header.type,
				       .segment_bytes = header.segment_bytes,
				       .checksum_start = header.checksum_start,
				       .checksum_offset = header.checksum_offset};
	message->header = (struct virtio_net_frame){.len_bytes = len_bytes};
	if (offload.flags == 0 && offload.type == NET_OFFLOAD_NONE)
		return len_bytes <= NET_FRAME_BYTES_MAX;
	message->header.offload_flags = offload.flags;
	message->header.offload_type = offload.type;
	message->header.header_bytes = header.header_bytes;
	message->header.segment_bytes = header.segment_bytes;
	message->header.checksum_start = header.checksum_start;
	message->header.checksum_offset = header.checksum_offset;
	return net_offload_is_right(&offload, message->data, len_bytes);
}

static bool serve_transmit(struct virtio_net *net, unsigned index)
{
	struct virtqueue *queue = &net->transport->queues[index];
	unsigned served = 0;
	size_t moved_bytes = 0;

	while (served < VIRTIO_SERVE_CHAINS && moved_bytes < VIRTIO_NET_TURN_BYTES && virtqueue_take(queue, &net->chain) == OK) {
		if (read_frame(net, queue) && !net->wires.send(net->wires.ctx, &net->leaving)) {
			virtqueue_untake(queue, &net->chain, 1);
			break;
		}
		moved_bytes += net->chain.readable_bytes;
		virtqueue_return(queue, &net->chain, 0);
		served++;
	}
	if (served > 0) {
		net->wires.sent(net->wires.ctx);
		virtio_interrupt_queue(net->transport, index);
	}
	return served == VIRTIO_SERVE_CHAINS || moved_bytes >= VIRTIO_NET_TURN_BYTES;
}

/* One command: class, command, the number of pairs; then a byte for the answer. */
static uint8_t do_command(struct virtio_net *net, const struct virtqueue *queue)
{
	uint8_t command[4];
	unsigned pairs;

	if (virtqueue_read(queue, &net->chain, 0, command, sizeof(command), NULL) != sizeof(command) ||
	    command[0] != CONTROL_MQ || command[1] != CONTROL_MQ_PAIRS_SET ||
	    !virtio_has_feature(net->transport, VIRTIO_NET_F_MQ))
		return CONTROL_ERR;
	pairs = command[2] | (unsigned)command[3] << 8;
	if (pairs == 0 || pairs > net->config.pair_count_max)
		return CONTROL_ERR;
	net->state.active_pairs = (uint16_t)pairs;
	return CONTROL_OK;
}

static bool serve_control(struct virtio_net *net, unsigned index)
{
	struct virtqueue *queue = &net->transport->queues[index];
	unsigned served = 0;

	while (served < VIRTIO_SERVE_CHAINS && virtqueue_take(queue, &net->chain) == OK) {
		uint8_t answer = do_command(net, queue);

		virtqueue_return(queue, &net->chain, (uint32_t)virtqueue_write(queue, &net->chain, 0, &answer, 1, NULL));
		served++;
	}
	if (served > 0)
		virtio_interrupt_queue(net->transport, index);
	return served == VIRTIO_SERVE_CHAINS;
}

static bool serve(void *model, unsigned queue)
{
	struct virtio_net *net = model;

	if (queue == control_queue(net))
		return virtio_has_feature(net->transport, VIRTIO_NET_F_CTRL_VQ) && serve_control(net, queue);
	if (queue > control_queue(net))
		return false;
	return queue % 2 == 0 ? virtio_net_receive(net) : serve_transmit(net, queue);
}

/* Frames arrived, or those that could not leave can: all transmit queues are looked at. */
static bool serve_backend(void *model)
{
	struct virtio_net *net = model;
	bool has_more = virtio_net_receive(net);

	for (unsigned queue = 1; queue < control_queue(net); queue += 2)
		has_more |= serve_transmit(net, queue);
	return has_more;
}

static uint64_t read_config(void *model, unsigned offset, unsigned width)
{
	const struct virtio_net *net = model;
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)&net->config + offset, width);
	return value;
}

static void reset(void *model)
{
	struct virtio_net *net = model;

	net->state.active_pairs = 1;
	net->state.has_arrived = false;
	net->state.segment_bytes = 0;
}

const struct virtio_ops virtio_net_ops = {
	.name = "virtio-net",
	.device_id = VIRTIO_ID_NETWORK,
	.class_code = CLASS_ETHERNET,
	.serve = serve,
	.serve_backend = serve_backend,
	.read_config = read_config,
	.reset = reset,
};

void virtio_net_init(struct virtio_net *net, const uint8_t mac[6], unsigned pair_count, const struct virtio_net_wires *wires)
{
	net->wires = *wires;
	memcpy(net->config.mac, mac, sizeof(net->config.mac));
	net->config.status = STATUS_LINK_UP;
	net->config.pair_count_max = (uint16_t)pair_count;
	net->config.mtu = 1500;
	reset(net);
}

struct virtio_config virtio_net_config(struct virtio_net *net)
{
	uint64_t features = VIRTIO_FEATURE(VIRTIO_NET_F_CSUM) | VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_CSUM) |
			    VIRTIO_FEATURE(VIRTIO_NET_F_MAC) | VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO4) |
			    VIRTIO_FEATURE(VIRTIO_NET_F_GUEST_TSO6) | VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO4) |
			    VIRTIO_FEATURE(VIRTIO_NET_F_HOST_TSO6) | VIRTIO_FEATURE(VIRTIO_NET_F_MRG_RXBUF) |
			    VIRTIO_FEATURE(VIRTIO_NET_F_STATUS) | VIRTIO_FEATURE(VIRTIO_NET_F_CTRL_VQ);

	if (net->config.pair_count_max > 1)
		features |= VIRTIO_FEATURE(VIRTIO_NET_F_MQ);
	return (struct virtio_config){
		.ops = &virtio_net_ops,
		.model = net,
		.features = features,
		.queue_count = (uint16_t)(2U * net->config.pair_count_max + 1),
		.queue_size_max = QUEUE_SIZE_MAX,
		.config_bytes = VIRTIO_NET_CONFIG_BYTES,
	};
}
