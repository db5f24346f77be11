/* virtio socket device: packets of one guest to others, by context IDs (CIDs). Connections and their credit are between the two
 * guests; here packets are only checked, cut to the receiver's buffers, and passed on.
 *
 * There is no host to talk to: packets to CID 2 and to what else cannot be a guest come back as a reset of the connection. Whether
 * there is a guest of another CID knows the switch behind the wires.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Socket Device". */
#pragma once
#include <stddef.h>

#include "drivers/virt/virtio.h"

#define VIRTIO_ID_VSOCK            19U
#define VIRTIO_VSOCK_F_STREAM      0
#define VIRTIO_VSOCK_F_SEQPACKET   1
#define VIRTIO_VSOCK_CONFIG_BYTES  8U
#define VIRTIO_VSOCK_CID_FIRST     3ULL /* of guests; below are the host's and reserved ones */
#define VIRTIO_VSOCK_DATA_MAX      0x10000U
#define VIRTIO_VSOCK_RESETS_MAX    32U /* that wait for buffers of the guest; of more it is not told */
#define VIRTIO_VSOCK_TURN_BYTES    0x100000U

enum virtio_vsock_queue { VIRTIO_VSOCK_RECEIVE, VIRTIO_VSOCK_TRANSMIT, VIRTIO_VSOCK_EVENT, VIRTIO_VSOCK_QUEUE_COUNT };

#define VIRTIO_VSOCK_EVENT_TRANSPORT_RESET 0U /* "Device Events": all connections have ended */

enum virtio_vsock_operation {
	VIRTIO_VSOCK_OP_INVALID,
	VIRTIO_VSOCK_OP_REQUEST,
	VIRTIO_VSOCK_OP_RESPONSE,
	VIRTIO_VSOCK_OP_RST,
	VIRTIO_VSOCK_OP_SHUTDOWN,
	VIRTIO_VSOCK_OP_RW,
	VIRTIO_VSOCK_OP_CREDIT_UPDATE,
	VIRTIO_VSOCK_OP_CREDIT_REQUEST,
};

/* Flags of VIRTIO_VSOCK_OP_RW in connections of type SEQPACKET: this is the end. */
#define VIRTIO_VSOCK_SEQ_EOM 1U
#define VIRTIO_VSOCK_SEQ_EOR 2U

struct virtio_vsock_header {
	uint64_t source_cid, destination_cid;
	uint32_t source_port, destination_port;
	uint32_t len_bytes; /* of the data that follows */
	uint16_t type, operation;
	uint32_t flags, buffer_bytes, forwarded_bytes;
} __attribute__((packed));

_Static_assert(sizeof(struct virtio_vsock_header) == 44, "packet header layout");

struct virtio_vsock_packet {
	struct virtio_vsock_header header;
	uint8_t data[VIRTIO_VSOCK_DATA_MAX];
} __attribute__((packed));

struct virtio_vsock_wires {
	/* Passes a packet on: header and header.len_bytes of data. False: no room now; serve_backend() is called when there is. */
	bool (*send)(void *ctx, const struct virtio_vsock_packet *packet);
	/* Takes the next packet for this guest; its length, or 0: there is none. */
	size_t (*receive)(void *ctx, struct virtio_vsock_packet *packet);
	/* Something was sent or received since the last call. */
	void (*moved)(void *ctx);
	void *ctx;
};

struct virtio_vsock_state {
	struct virtio_vsock_header resets[VIRTIO_VSOCK_RESETS_MAX]; /* oldest first */
	unsigned reset_count;
	uint32_t received_bytes; /* of the data of `arrived` that the guest has */
	bool has_arrived;
	bool has_event; /* TRANSPORT_RESET, for which the guest had no buffer yet */
	struct virtio_vsock_packet arrived;
};

struct virtio_vsock {
	struct virtio_vsock_state state;
	struct virtio_vsock_wires wires;
	struct virtio *transport; /* whose model this is */
	uint64_t cid;             /* constant: VIRTIO_VSOCK_CID_FIRST or more */
	struct virtio_vsock_packet leaving;
	struct virtqueue_chain chain; /* that is being served */
};

extern const struct virtio_ops virtio_vsock_ops;

/* Packets may have been lost: the guest hears at the end of this turn that its connections have ended. Context: inside the wires'
 * send() and receive(). */
void virtio_vsock_lost(struct virtio_vsock *vsock);

#define VIRTIO_VSOCK_CONFIG(vsock)                                                                          \
	((struct virtio_config){                                                                            \
		.ops = &virtio_vsock_ops,                                                                   \
		.model = (vsock),                                                                           \
		.features = VIRTIO_FEATURE(VIRTIO_VSOCK_F_STREAM) | VIRTIO_FEATURE(VIRTIO_VSOCK_F_SEQPACKET), \
		.queue_count = VIRTIO_VSOCK_QUEUE_COUNT,                                                    \
		.queue_size_max = 128,                                                                      \
		.config_bytes = VIRTIO_VSOCK_CONFIG_BYTES,                                                  \
	})
