/* virtio network card: frames of one guest to the switch behind its wires, and back, with their offload fields: the receiver's
 * device does what its guest did not negotiate. Several pairs of queues: received frames go to one by their connection.
 *
 * A frame that arrived is kept until the guest has it; one that cannot leave stays in its queue. Frames that break the rules of
 * offloads are dropped, whoever sent them.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Network Device". */
#pragma once
#include <stddef.h>

#include "drivers/virt/net_offload.h"
#include "drivers/virt/virtio.h"

#define VIRTIO_ID_NETWORK 1U
#define VIRTIO_NET_F_CSUM       0
#define VIRTIO_NET_F_GUEST_CSUM 1
#define VIRTIO_NET_F_MAC        5
#define VIRTIO_NET_F_GUEST_TSO4 7
#define VIRTIO_NET_F_GUEST_TSO6 8
#define VIRTIO_NET_F_HOST_TSO4  11
#define VIRTIO_NET_F_HOST_TSO6  12
#define VIRTIO_NET_F_MRG_RXBUF  15
#define VIRTIO_NET_F_STATUS     16
#define VIRTIO_NET_F_CTRL_VQ    17
#define VIRTIO_NET_F_MQ         22

#define VIRTIO_NET_PAIRS_MAX    8U
#define VIRTIO_NET_MERGE_MAX    64U /* buffers of one frame */
#define VIRTIO_NET_CONFIG_BYTES 12U
#define VIRTIO_NET_TURN_BYTES   0x100000U

struct virtio_net_header {
	uint8_t flags, type;
	uint16_t header_bytes, segment_bytes, checksum_start, checksum_offset, buffer_count;
};
_Static_assert(sizeof(struct virtio_net_header) == 12, "frame header layout");

struct virtio_net_config {
	uint8_t mac[6];
	uint16_t status, pair_count_max, mtu;
};
_Static_assert(sizeof(struct virtio_net_config) == VIRTIO_NET_CONFIG_BYTES, "device configuration layout");

#define VIRTIO_NET_FRAME_BYTES_MIN 14U
#define VIRTIO_NET_DATA_BYTES_MAX  0x10100U /* a packet of 64 KiB with its headers */

/* A frame, or a packet that is still to be cut, as it travels; laid out as the wires have it (vmm/virtio_link.c). */
struct virtio_net_frame {
	uint32_t kind; /* the wires' own */
	uint32_t len_bytes;
	uint8_t offload_flags, offload_type;
	uint16_t header_bytes, segment_bytes, checksum_start, checksum_offset;
	uint16_t reserved;
};

struct virtio_net_message {
	struct virtio_net_frame header;
	uint8_t data[VIRTIO_NET_DATA_BYTES_MAX];
};

struct virtio_net_wires {
	/* Passes a message on, as a whole. False: no room now; serve_backend() is called when there is. */
	bool (*send)(void *ctx, struct virtio_net_message *message);
	/* Takes the next message for this guest; false: there is none. */
	bool (*receive)(void *ctx, struct virtio_net_message *message);
	/* Something was sent since the last call. */
	void (*sent)(void *ctx);
	void *ctx;
};

struct virtio_net_state {
	uint16_t active_pairs; /* as the guest set it */
	bool has_arrived;      /* arrived holds what the guest does not have yet, all or (where it is being cut) a part */
	bool is_cut;
	struct net_cut cut;
	uint32_t segment_bytes; /* of the frame in segment that waits for buffers; 0: none */
	uint8_t segment[NET_FRAME_BYTES_MAX];
	struct virtio_net_message arrived;
};

struct virtio_net {
	struct virtio_net_state state;
	struct virtio_net_wires wires;
	struct virtio *transport; /* whose model this is */
	struct virtio_net_config config;
	uint32_t interrupts; /* receive queues that got frames in this turn */
	struct virtio_net_message leaving;
	struct virtqueue_chain chain; /* that is being served, but for received frames: */
	struct virtqueue_chain buffers[VIRTIO_NET_MERGE_MAX];
};

extern const struct virtio_ops virtio_net_ops;

/* Sets the parts that are constant. pair_count: 1 .. VIRTIO_NET_PAIRS_MAX. */
void virtio_net_init(struct virtio_net *net, const uint8_t mac[6], unsigned pair_count, const struct virtio_net_wires *wires);
/* What the transport is made with. */
struct virtio_config virtio_net_config(struct virtio_net *net);
