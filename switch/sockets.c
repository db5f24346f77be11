/* The way of a packet of sockets, by CIDs. Connections rely on each packet to arrive: one that has no room waits, with all
 * behind it of the same sender, for as long as there is patience with that receiver; then, and where nobody is there, the sender
 * hears that the connection is reset. */
#include "lib/base/string.h"
#include "switch/switch.h"

#define HEADER_BYTES 44U
#define OPERATION_RESET 3U
/* How long a receiver may hold up its senders: PORT_PATIENCE_NS at most; that grows by a fiftieth of the time, and as if 512 KiB a
 * second were taken from its channel. So one that takes little, whatever it does, holds a neighbour for a fiftieth of the time. */
#define PATIENCE_OF_TIME     50U
#define PATIENCE_NS_PER_BYTE 1907
#define PATIENCE_NS_MIN      1000000 /* to begin with */

/* Fields of a packet's header, from "Virtual I/O Device (VIRTIO) Version 1.2", "Socket Device", "Device Operation". */
struct socket_header {
	uint64_t source_cid, destination_cid;
	uint32_t source_port, destination_port;
	uint32_t len_bytes;
	uint16_t type, operation;
	uint32_t flags, buffer_bytes, forwarded_bytes;
} __attribute__((packed));

_Static_assert(sizeof(struct socket_header) == HEADER_BYTES, "packet header layout");

/* Any port of that CID, reachable or not; port_count: none. */
static uint32_t find_cid(const struct switch_state *state, uint64_t cid)
{
	uint32_t i = 0;

	while (i < state->port_count && (state->ports[i].spec.kind != SWITCH_VSOCK || state->ports[i].spec.cid != cid))
		i++;
	return i;
}

/* The peer of the port that the packet is for; port_count: it may not go there, or nobody is there. */
static uint32_t find_receiver(const struct switch_state *state, uint32_t port, uint64_t cid)
{
	uint32_t receiver = find_cid(state, cid);

	return receiver < state->port_count && switch_may_reach(state, port, receiver) ? receiver : state->port_count;
}

/* A receiver that takes what it is sent is waited for as long as that lasts. */
static void grow(const struct port *receiver, struct port_patience *patience, uint64_t now_ns)
{
	size_t free_bytes;
	uint32_t taken;

	if (channel_free_bytes(&receiver->writer, &free_bytes) != OK)
		return; /* giving finds what is wrong */
	taken = receiver->writer.end.count - (uint32_t)(receiver->writer.end.capacity_bytes - free_bytes);
	patience->left_ns += (int64_t)((now_ns - patience->seen_ns) / PATIENCE_OF_TIME);
	patience->left_ns += (int64_t)(taken - patience->taken) * PATIENCE_NS_PER_BYTE;
	if (patience->left_ns > (int64_t)PORT_PATIENCE_NS)
		patience->left_ns = (int64_t)PORT_PATIENCE_NS;
	patience->taken = taken;
	patience->seen_ns = now_ns;
}

/* Takes the time that the port waited, but for what was taken for others that wait too. */
static void charge(const struct port *port, struct port_patience *patience, uint64_t now_ns)
{
	uint64_t from_ns = port->held_since_ns > patience->charged_ns ? port->held_since_ns : patience->charged_ns;

	patience->left_ns -= (int64_t)(now_ns - from_ns);
	patience->charged_ns = now_ns;
}

/* The port's first packet finds no room. False: it waits no longer. */
static bool waits(struct switch_state *state, struct port *port, struct port *receiver)
{
	struct port_patience *patience = &receiver->patience;

	grow(receiver, patience, state->now_ns);
	if (port->is_held)
		charge(port, patience, state->now_ns);
	else
		port->held_since_ns = state->now_ns;
	port->is_held = patience->left_ns >= (port->is_held ? 1 : PATIENCE_NS_MIN);
	if (port->is_held && state->now_ns + (uint64_t)patience->left_ns < state->deadline_ns)
		state->deadline_ns = state->now_ns + (uint64_t)patience->left_ns;
	return port->is_held;
}

bool sockets_have_room(struct switch_state *state, uint32_t index, const struct switch_message *header)
{
	struct {
		struct switch_message message;
		struct socket_header socket;
	} __attribute__((packed)) start;
	struct port *port = &state->ports[index];
	uint32_t receiver;

	if (channel_peek(&port->reader, &start, sizeof(start)) != OK)
		return true; /* taking it finds what is wrong */
	receiver = find_receiver(state, index, start.socket.destination_cid);
	if (receiver == state->port_count)
		return true;
	if (port_has_room(&state->ports[receiver], index, header, state->now_ns)) {
		if (port->is_held)
			charge(port, &state->ports[receiver].patience, state->now_ns);
		port->is_held = false;
		return true;
	}
	return !waits(state, port, &state->ports[receiver]);
}

/* Tells the sender that its connection is reset; a reset is answered by nothing, and one that has no room is not told. */
static void answer_reset(struct switch_state *state, uint32_t port, const struct socket_header *packet)
{
	const struct socket_header reset = {
		.source_cid = packet->destination_cid,
		.destination_cid = packet->source_cid,
		.source_port = packet->destination_port,
		.destination_port = packet->source_port,
		.type = packet->type,
		.operation = OPERATION_RESET,
	};

	if (packet->operation == OPERATION_RESET)
		return;
	state->answer.header = (struct switch_message){.kind = SWITCH_VSOCK, .len_bytes = HEADER_BYTES};
	memcpy(state->answer.data, &reset, sizeof(reset));
	if (switch_give(state, port, port, &state->answer) != OK)
		state->report->dropped_full++;
}

void sockets_tell_of_start(struct switch_state *state, uint32_t port)
{
	state->answer.header = (struct switch_message){.kind = SWITCH_BEGAN_ANEW, .len_bytes = 1};
	state->answer.data[0] = 0;
	state->ports[port].tells_of_start = switch_give(state, port, port, &state->answer) == ERR_NO_SPACE;
}

uint64_t sockets_pass_on(struct switch_state *state, uint32_t port)
{
	struct socket_header packet;
	uint32_t receiver;

	memcpy(&packet, state->message.data, sizeof(packet));
	if (packet.source_cid != state->ports[port].spec.cid) {
		state->report->dropped_filter++;
		return 0;
	}
	if (packet.len_bytes != state->message.header.len_bytes - HEADER_BYTES) {
		state->report->dropped_other++;
		return 0;
	}
	receiver = find_receiver(state, port, packet.destination_cid);
	if (receiver == state->port_count) {
		state->report->dropped_other++;
		answer_reset(state, port, &packet);
	} else if (switch_give(state, receiver, port, &state->message) != OK) {
		state->report->dropped_full++;
		answer_reset(state, port, &packet);
	}
	return packet.len_bytes + PORT_MESSAGE_COST;
}
