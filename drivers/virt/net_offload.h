/* What network cards with offloads leave to others: a checksum that is to be filled in, a TCP packet that is to be cut into frames.
 * The fields come with a frame, from a guest or another VMM, and are hostile: everything is checked against the frame.
 *
 * Pure. Sources: "Virtual I/O Device (VIRTIO) Version 1.2", "Network Device"; RFC 791, RFC 793, RFC 1071, RFC 8200. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NET_OFFLOAD_NEEDS_CHECKSUM 0x01U /* flags */
#define NET_OFFLOAD_NONE           0x00U /* types */
#define NET_OFFLOAD_TCP4           0x01U
#define NET_OFFLOAD_TCP6           0x04U

#define NET_SEGMENT_BYTES_MIN 48U /* of data in a frame: the least that a TCP may be made to send */
#define NET_FRAME_BYTES_MAX   1518U /* of a whole frame: 14 and a VLAN tag, then 1500 */
#define NET_HEADERS_BYTES_MAX 138U  /* with a VLAN tag: 18, IPv4 60, TCP 60 */

struct net_offload {
	uint8_t flags, type;
	uint16_t segment_bytes;  /* of data in each frame; of types but NONE */
	uint16_t checksum_start; /* what the checksum covers, from there to the end */
	uint16_t checksum_offset; /* where it goes, from checksum_start; it holds the sum of the pseudo-header */
};

/* Where the headers of a frame are. */
struct net_layers {
	bool is_ip4, is_ip6, is_tcp;
	uint32_t network;   /* the IP header; 0: none that is known, or damaged */
	uint32_t transport; /* TCP's or UDP's header; 0: none, or a fragment */
	uint32_t payload;   /* of TCP: the data */
};

/* Finds the headers; what does not fit into len_bytes is not there. */
void net_find_layers(const uint8_t *frame, size_t len_bytes, struct net_layers *layers);

/* Whether fields and frame agree, and the frame is no longer than it may be: a whole one, or one to be cut whose headers are there
 * and whose length the IP header says. */
bool net_offload_is_right(const struct net_offload *offload, const uint8_t *frame, size_t len_bytes);

/* Fills in the checksum of a frame with NET_OFFLOAD_NEEDS_CHECKSUM, whose fields are right. */
void net_fill_checksum(const struct net_offload *offload, uint8_t *frame, size_t len_bytes);

/* A packet that is being cut. */
struct net_cut {
	struct net_layers layers;
	uint32_t len_bytes; /* of the packet */
	uint32_t done_bytes; /* of its data */
	uint32_t segment_bytes;
	uint16_t index; /* of the next frame */
};

/* Begins with a packet of a type but NONE whose fields are right. */
void net_cut_begin(struct net_cut *cut, const struct net_offload *offload, const uint8_t *packet, size_t len_bytes);

/* Makes the next whole frame, with its checksums, in out, of size_bytes. Returns its length; 0: there are no more, or it does not
 * fit. */
size_t net_cut_next(struct net_cut *cut, const uint8_t *packet, uint8_t *out, size_t size_bytes);

/* A number from the addresses and ports of a frame: the same for all frames of a connection in one direction. */
uint32_t net_flow(const uint8_t *frame, size_t len_bytes);
