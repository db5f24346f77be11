/* What travels between a VMM and a switch (program switch/): messages in two channels (abi/channel.h), each a header and
 * len_bytes of data, written as a whole. One end is the VM's network card or socket device, the other a port of the switch.
 * Neither side trusts the other: a header without sense closes the port. Who takes a message moves the channel's counter once,
 * over header and data: so either side may die and be started again, and the channel still begins with a header.
 *
 * A switch never waits for a network card: frames that its channel has no room for are dropped. Packets of sockets wait a
 * bounded time.
 *
 * The argument of a switch's first thread is the address of its struct switch_spec; all that it names is mapped and granted
 * before, and nothing comes later. */
#pragma once
#include <stdint.h>

#include "abi/syscall.h"

#define SWITCH_DATA_BYTES_MAX 0x10100U /* a packet of 64 KiB that is still to be cut into frames, with its headers */

enum switch_message_kind {
	SWITCH_FRAME, /* an Ethernet frame without checksum sequence, 14 bytes or more */
	SWITCH_VSOCK, /* a packet of virtio's socket device: its header of 44 bytes, then data */
	SWITCH_BEGAN_ANEW, /* from the switch to a socket device: it died, and packets may be lost; a byte of 0 */
};

#define SWITCH_FRAME_BYTES_MIN 14U
#define SWITCH_VSOCK_BYTES_MIN 44U

/* offload fields: as in virtio's struct virtio_net_hdr, for SWITCH_FRAME; all 0: the frame is whole. */
struct switch_message {
	uint32_t kind;      /* enum switch_message_kind */
	uint32_t len_bytes; /* 1 .. SWITCH_DATA_BYTES_MAX */
	uint8_t offload_flags, offload_type;
	uint16_t header_bytes, segment_bytes, checksum_start, checksum_offset;
	uint16_t reserved;
};

_Static_assert(sizeof(struct switch_message) == 20, "switch_message layout");

#define SWITCH_SPEC_MAGIC   0x4345505348435753ULL /* "SWCHSPEC" */
#define SWITCH_SPEC_VERSION 1U
#define SWITCH_NAME_BYTES   32U
#define SWITCH_PORTS_MAX    60U /* each with a bit of the switch's event */

/* Bits of switch_port_spec.flags. */
#define SWITCH_PORT_MAC_FILTER 0x1U /* frames from other addresses than mac are dropped */
#define SWITCH_PORT_ISOLATED   0x2U /* reaches only ports that are not */

/* addresses: in the switch's space, sizes with header page. Bit n of own_event comes from port n. */
struct switch_port_spec {
	uint32_t kind; /* enum switch_message_kind: what travels here */
	uint32_t flags;
	uint64_t to_switch_address, to_switch_bytes;
	uint64_t from_switch_address, from_switch_bytes;
	uint64_t peer_bits;
	uint64_t rate_bytes; /* a second, from this port; 0: no limit */
	uint64_t cid;        /* SWITCH_VSOCK */
	handle_t peer_event; /* signalled after frames were written, and where there is room again */
	uint8_t mac[6];      /* SWITCH_FRAME */
	uint16_t reserved;
	uint32_t reserved2;
	char vm_name[SWITCH_NAME_BYTES]; /* for messages */
};

struct switch_spec {
	uint64_t magic;
	uint32_t version;
	uint32_t size_bytes;
	char name[SWITCH_NAME_BYTES];
	handle_t own_event;
	uint32_t port_count;
	uint64_t report_address; /* struct switch_report, writable */
	struct switch_port_spec ports[SWITCH_PORTS_MAX];
};

/* A page, zeroed; the switch adds, the manager shows. */
struct switch_report {
	uint64_t passed;         /* messages that a port was given; a broadcast counts at each */
	uint64_t dropped_full;   /* that a receiver had no room for */
	uint64_t dropped_filter; /* with a source that was not the port's */
	uint64_t dropped_other;  /* to nobody, or without sense */
	uint64_t closed_ports;   /* bit n: port n said what no VMM says */
	uint64_t starts;         /* of the program */
};

_Static_assert(sizeof(struct switch_port_spec) == 112, "switch_port_spec layout");
_Static_assert(sizeof(struct switch_spec) == 64 + SWITCH_PORTS_MAX * 112, "switch_spec layout");
_Static_assert(sizeof(struct switch_report) == 48, "switch_report layout");
