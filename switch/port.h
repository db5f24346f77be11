/* A port of the switch: its two channels, the rate at which it may send, and how its channel's room is shared among those who
 * send to it. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/switch.h"
#include "lib/channel/channel.h"

#define PORT_BURST_BYTES_MIN 0x20000U
#define PORT_MESSAGE_COST    2048U /* what handling a message takes, as bytes that could be copied in that time */
#define PORT_FRAME_COST      512U  /* and each further frame that it has to be cut into; at a port's rate, any frame */
/* Of one sender in a channel that has others, costs of frames included: what comes from the others is behind no more than that. */
#define PORT_SHARE_COST_MAX  0x30000U
#define PORT_ALONE_NS        100000000ULL /* a sender is alone when no other had anything for so long */

#define PORT_PATIENCE_NS     2000000000ULL /* packets of sockets wait so long for a receiver that takes nothing */

/* A message as it lies in a channel. */
struct port_message {
	struct switch_message header;
	uint8_t data[SWITCH_DATA_BYTES_MAX];
};

/* A bucket of bytes that fills at the port's rate. A message may leave while there is any, and takes all it needs: then the
 * level is below zero for a while. */
struct port_rate {
	int64_t level_bytes;
	uint64_t filled_us;
	uint64_t remainder; /* of a byte, in units of 1/1000000 */
};

/* Whose bytes are in the channel to this port, or what they cost: those written since a mark, and those in the time before. Never
 * less than what is there; when all before the mark was read, a new time begins. */
struct port_share {
	uint32_t bytes, cost;
};

struct port_shares {
	uint32_t mark; /* the channel's counter */
	uint32_t last_sender; /* SWITCH_PORTS_MAX: none yet */
	uint64_t shared_until_ns; /* a sender is not alone before */
	struct port_share now[SWITCH_PORTS_MAX], before[SWITCH_PORTS_MAX];
};

/* What a receiver without room may hold up its senders: it grows with what it takes from its channel, and slowly with time. */
struct port_patience {
	int64_t left_ns;
	uint64_t seen_ns;     /* when it grew last */
	uint64_t charged_ns;  /* up to when waiting for it was taken from it */
	uint32_t taken;       /* what it had taken from its channel then, as the channel counts */
};

struct port {
	struct switch_port_spec spec; /* a copy */
	bool is_open;
	bool wakes; /* its peer is to be signalled at the end of the turn */
	struct channel_reader reader;
	struct channel_writer writer;
	struct port_rate rate;
	struct port_shares shares;
	int64_t credit_bytes; /* that it may still send before others had their turn */
	bool is_held; /* of sockets: its first packet waits for a receiver without room, */
	uint64_t held_since_ns;
	struct port_patience patience; /* and this is how long others still wait for this one */
	bool tells_of_start; /* SWITCH_BEGAN_ANEW has to go there yet */
};

/* Opens the channels. False: their sizes make no sense; the port is closed. */
bool port_open(struct port *port, const struct switch_port_spec *spec, uint64_t now_ns);

/* Looks at the header of the next message. Errors: ERR_AGAIN: none there; ERR_BAD_FORMAT: what is there makes no sense. */
MUST_CHECK enum status port_peek(struct port *port, struct switch_message *header);

/* Takes the message of that header, as a whole. Errors: ERR_BAD_FORMAT. */
MUST_CHECK enum status port_take(struct port *port, const struct switch_message *header, struct port_message *message);

/* Gives a message to this port. Errors: ERR_NO_SPACE: the sender has had its share of the channel; ERR_BAD_FORMAT. */
MUST_CHECK enum status port_give(struct port *port, uint32_t sender, const struct port_message *message, uint64_t now_ns);

/* Whether port_give() would have room. */
bool port_has_room(struct port *port, uint32_t sender, const struct switch_message *header, uint64_t now_ns);

/* Whether the rate lets a message through now; port_spend() takes it from the bucket. Else *ready_ns is when. */
bool port_may_send(struct port *port, uint64_t now_ns, uint64_t *ready_ns);
void port_spend(struct port *port, uint32_t len_bytes);
