/* What travels between a VMM and a switch (program switch/): messages in two channels (abi/channel.h), each a header and
 * len_bytes of data, written as a whole. One end is the VM's network card or socket device, the other a port of the switch.
 * Neither side trusts the other: a header without sense closes the port. */
#pragma once
#include <stdint.h>

#define SWITCH_DATA_BYTES_MAX 0x10100U /* a packet of 64 KiB that is still to be cut into frames, with its headers */

enum switch_message_kind {
	SWITCH_FRAME, /* an Ethernet frame without checksum sequence, 14 bytes or more */
	SWITCH_VSOCK, /* a packet of virtio's socket device: its header of 44 bytes, then data */
};

/* offload fields: as in virtio's struct virtio_net_hdr, for SWITCH_FRAME; all 0: the frame is whole. */
struct switch_message {
	uint32_t kind;      /* enum switch_message_kind */
	uint32_t len_bytes; /* 1 .. SWITCH_DATA_BYTES_MAX */
	uint8_t offload_flags, offload_type;
	uint16_t header_bytes, segment_bytes, checksum_start, checksum_offset;
	uint16_t reserved;
};

_Static_assert(sizeof(struct switch_message) == 20, "switch_message layout");
