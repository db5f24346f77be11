/* The network card under a hostile guest (tests/fake/hostile_guest.h), with any frames from the other side. Checked besides: what
 * leaves keeps the rules of offloads. */
#include "drivers/virt/virtio_net.h"
#include "tests/fake/hostile_guest.h"
#include "tests/fake/net_frames.h"
#include "tests/fake/queue_judge.h"

#define TCP_DATA_MAX 0x1000U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio_net net;
static unsigned room, waiting; /* messages */
static struct virtio_net_message arriving;
static size_t arriving_bytes; /* of data, what is known of it: zeros follow */

static bool send(void *ctx, struct virtio_net_message *message)
{
	const struct virtio_net_frame *header = &message->header;
	const struct net_offload offload = {header->offload_flags, header->offload_type, header->segment_bytes,
					    header->checksum_start, header->checksum_offset};

	(void)ctx;
	hostile_under_lock();
	demand(net_offload_is_right(&offload, message->data, header->len_bytes));
	if (room == 0)
		return false;
	room--;
	return true;
}

static bool receive(void *ctx, struct virtio_net_message *message)
{
	(void)ctx;
	hostile_under_lock();
	if (waiting == 0)
		return false;
	waiting--;
	hostile_progress();
	memset(message->data, 0, 0x1000);
	memcpy(message, &arriving, sizeof(arriving.header) + arriving_bytes);
	return true;
}

static void sent(void *ctx)
{
	(void)ctx;
	hostile_under_lock();
}

static struct virtio_config create(struct virtio *transport, struct fuzz_input *input)
{
	static const struct virtio_net_wires wires = {send, receive, sent, NULL};
	unsigned how = fuzz_u8(input);

	memset(&net.state, 0, offsetof(struct virtio_net_state, arrived));
	virtio_net_init(&net, (const uint8_t[]){2, 0, 0, 0, 0, 1}, 1 + how % 3, &wires);
	net.transport = transport;
	room = how >> 2;
	waiting = 0;
	return virtio_net_config(&net);
}

/* A frame of TCP as a card with offloads gets it. Returns its length; most of what is then asked of it makes sense. */
static size_t pick_tcp(struct fuzz_input *input, uint32_t data_max, uint8_t *out, struct net_offload *offload)
{
	unsigned how = fuzz_u8(input);
	const struct tcp_frame tcp = {
		.is_ip6 = (how & 1) != 0,
		.has_vlan = (how & 2) != 0,
		.ip_options = how >> 2 & 4,
		.tcp_options = how >> 3 & 4,
		.data_bytes = fuzz_u16(input) % (data_max + 1),
		.flags = fuzz_u8(input),
	};

	return frame_make(&tcp, (how & 0x80) != 0 ? 0 : (uint16_t)(1 + fuzz_u16(input) % 1460), out, offload);
}

static void tcp_arrives(struct fuzz_input *input)
{
	struct net_offload offload;

	arriving_bytes = pick_tcp(input, TCP_DATA_MAX, arriving.data, &offload);
	arriving.header = (struct virtio_net_frame){
		.len_bytes = (uint32_t)arriving_bytes,
		.offload_flags = offload.flags,
		.offload_type = offload.type,
		.segment_bytes = offload.segment_bytes,
		.checksum_start = offload.checksum_start,
		.checksum_offset = offload.checksum_offset,
	};
}

/* A frame with the header as the wires have it, its length and offloads the input's. */
static void happens(struct fuzz_input *input)
{
	struct virtio_net_frame *header = &arriving.header;
	unsigned how = fuzz_u8(input);

	room = how;
	waiting = fuzz_u8(input) % 80;
	if ((how & 0x38) == 0) {
		tcp_arrives(input);
		return;
	}
	*header = (struct virtio_net_frame){.len_bytes = fuzz_u8(input)};
	if ((how & 1) != 0)
		header->len_bytes <<= how >> 1 & 31;
	if ((how & 0xc0) != 0) {
		header->offload_flags = fuzz_u8(input);
		header->offload_type = fuzz_u8(input);
		header->segment_bytes = fuzz_u16(input);
		header->checksum_start = fuzz_u8(input);
		header->checksum_offset = fuzz_u8(input);
	}
	arriving_bytes = fuzz_bytes(input, arriving.data, how % 100);
}

/* A frame to send, or a command of the control queue. */
static size_t message(struct fuzz_input *input, uint8_t *out)
{
	struct virtio_net_header header = {.flags = 0};
	struct net_offload offload;
	unsigned how = fuzz_u8(input);
	size_t len_bytes;

	memset(out, 0, HOSTILE_MESSAGE_BYTES);
	if ((how & 3) == 0) {
		out[0] = 4;
		out[2] = fuzz_u8(input) % 5;
		return 4;
	}
	if ((how & 3) == 2) {
		len_bytes = pick_tcp(input, 16, out + sizeof(header), &offload);
		header.flags = offload.flags;
		header.type = offload.type;
		header.segment_bytes = offload.segment_bytes;
		header.checksum_start = offload.checksum_start;
		header.checksum_offset = offload.checksum_offset;
		memcpy(out, &header, sizeof(header));
		return sizeof(header) + len_bytes;
	}
	if ((how & 3) == 1) {
		header.flags = fuzz_u8(input);
		header.type = fuzz_u8(input);
		header.segment_bytes = fuzz_u16(input);
		header.checksum_start = fuzz_u8(input);
		header.checksum_offset = fuzz_u8(input);
	}
	memcpy(out, &header, sizeof(header));
	(void)fuzz_bytes(input, out + sizeof(header), how % 100);
	return HOSTILE_MESSAGE_BYTES - how % 4;
}

static void check(void)
{
	demand(net.state.active_pairs >= 1 && net.state.active_pairs <= net.config.pair_count_max);
	demand(net.state.segment_bytes <= NET_FRAME_BYTES_MAX);
}

/* All transmit queues and reception in one turn; a frame takes up to VIRTIO_NET_MERGE_MAX buffers, each looked for twice. */
static const struct hostile_type type = {
	.create = create,
	.happens = happens,
	.message = message,
	.check = check,
	.takes_max = 3 * (VIRTIO_SERVE_CHAINS + 1) + 2 * VIRTIO_SERVE_CHAINS * (VIRTIO_NET_MERGE_MAX + 1),
	.moved_bytes_max = 5 * (VIRTIO_NET_TURN_BYTES + VIRTIO_NET_DATA_BYTES_MAX) + VIRTIO_SERVE_CHAINS * 0x10000ULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostile_guest_run(&type, data, size);
	return 0;
}
