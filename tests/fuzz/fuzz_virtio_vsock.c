/* The socket device under a hostile guest (tests/fake/hostile_guest.h), with a switch that is hostile, too: packets of any length
 * for anybody. Checked besides: what leaves is this guest's, for another one, and whole. */
#include "drivers/virt/virtio_vsock.h"
#include "tests/fake/hostile_guest.h"
#include "tests/fake/queue_judge.h"

#define CID        7U
#define CONTENT_MAX 0x400U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio_vsock vsock;
static struct virtio_vsock_header arriving;
static unsigned room, waiting; /* packets */
static size_t arriving_bytes;  /* the packet's true length */

static bool send(void *ctx, const struct virtio_vsock_packet *packet)
{
	(void)ctx;
	hostile_under_lock();
	demand(packet->header.source_cid == CID && packet->header.destination_cid != CID);
	demand(packet->header.destination_cid >= VIRTIO_VSOCK_CID_FIRST && packet->header.destination_cid < UINT32_MAX);
	demand(packet->header.len_bytes <= VIRTIO_VSOCK_DATA_MAX);
	if (room == 0)
		return false;
	room--;
	return true;
}

static size_t receive(void *ctx, struct virtio_vsock_packet *packet)
{
	(void)ctx;
	hostile_under_lock();
	if (waiting == 0)
		return 0;
	waiting--;
	hostile_progress();
	packet->header = arriving;
	memset(packet->data, 'd', CONTENT_MAX);
	return arriving_bytes;
}

static void moved(void *ctx)
{
	(void)ctx;
	hostile_under_lock();
}

static struct virtio_config create(struct virtio *transport, struct fuzz_input *input)
{
	memset(&vsock.state, 0, offsetof(struct virtio_vsock_state, arrived));
	vsock.wires = (struct virtio_vsock_wires){send, receive, moved, NULL};
	vsock.transport = transport;
	vsock.cid = CID;
	room = fuzz_u8(input);
	waiting = 0;
	return VIRTIO_VSOCK_CONFIG(&vsock);
}

static struct virtio_vsock_header pick_header(struct fuzz_input *input)
{
	unsigned how = fuzz_u8(input);
	struct virtio_vsock_header header = {
		.source_cid = (how & 0x80) != 0 ? 0 : CID,
		.destination_cid = (how & 0x40) != 0 ? fuzz_u32(input) : how % 16,
		.source_port = 1,
		.destination_port = 2,
		.len_bytes = fuzz_u16(input) % 0x200,
		.type = 1 + (how >> 4 & 1),
		.operation = fuzz_u8(input) % 10,
		.flags = fuzz_u8(input),
	};

	if ((how & 0x20) != 0)
		header.len_bytes = fuzz_u32(input) % (2 * VIRTIO_VSOCK_DATA_MAX);
	if ((how & 0x28) == 0x28)
		header.len_bytes <<= 11;
	return header;
}

static void happens(struct fuzz_input *input)
{
	unsigned how = fuzz_u8(input);

	room = fuzz_u8(input);
	waiting = fuzz_u8(input);
	arriving = pick_header(input);
	arriving.destination_cid = (how & 1) != 0 ? arriving.destination_cid : CID;
	arriving.source_cid = how >> 1 & 15;
	arriving_bytes = sizeof(arriving) + arriving.len_bytes % (VIRTIO_VSOCK_DATA_MAX + 1);
	if ((how & 0x80) != 0)
		arriving_bytes = 1 + fuzz_u16(input);
}

static size_t message(struct fuzz_input *input, uint8_t *out)
{
	struct virtio_vsock_header header = pick_header(input);

	memset(out, 'm', HOSTILE_MESSAGE_BYTES);
	memcpy(out, &header, sizeof(header));
	return sizeof(header) + header.len_bytes % (HOSTILE_MESSAGE_BYTES - sizeof(header) + 1);
}

static void check(void)
{
	demand(vsock.state.reset_count <= VIRTIO_VSOCK_RESETS_MAX);
	demand(!vsock.state.has_arrived || vsock.state.received_bytes <= vsock.state.arrived.header.len_bytes);
}

static const struct hostile_type type = {
	.create = create,
	.happens = happens,
	.message = message,
	.check = check,
	.takes_max = 2 * VIRTIO_SERVE_CHAINS + 2,
	.moved_bytes_max = 2 * VIRTIO_VSOCK_TURN_BYTES + 2 * VIRTIO_SERVE_CHAINS * 0x1000ULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostile_guest_run(&type, data, size);
	return 0;
}
