/* Frames for tests of network cards: TCP by IPv4 and IPv6, made and checked by sums of their own. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drivers/virt/net_offload.h"

#define FRAME_ROOM_BYTES 0x10100U

struct tcp_frame {
	bool is_ip6, has_vlan;
	uint32_t ip_options, tcp_options; /* bytes, multiples of 4 */
	uint32_t data_bytes;
	uint8_t flags; /* of TCP */
};

/* Writes the frame with a partial checksum (that of the pseudo-header), as a card with offloads gets it; returns its length.
 * offload: the fields that go with it, for segments of segment_bytes; 0: a whole frame. */
size_t frame_make(const struct tcp_frame *tcp, uint16_t segment_bytes, uint8_t *out, struct net_offload *offload);

/* Fails where a frame's lengths or checksums are wrong. */
void frame_expect_whole(const uint8_t *frame, size_t len_bytes);

/* Where its TCP data starts; 0: it has none. */
size_t frame_data_offset(const uint8_t *frame, size_t len_bytes);
uint32_t frame_sequence(const uint8_t *frame, size_t len_bytes);
uint8_t frame_flags(const uint8_t *frame, size_t len_bytes);
