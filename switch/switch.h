/* The switch: takes messages from ports in turns and passes them on. Pure but for the channels: whoever calls says what time it is
 * and signals the peers. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/switch.h"
#include "switch/addresses.h"
#include "switch/port.h"

/* What a port may send in a turn, by bytes that the switch has to copy and PORT_MESSAGE_COST for each copy: a broadcast costs as
 * much as it has receivers. */
#define SWITCH_TURN_BYTES    0x10000
#define SWITCH_TURN_MESSAGES 64U
#define SWITCH_NO_DEADLINE   UINT64_MAX

struct switch_state {
	uint32_t port_count;
	struct port ports[SWITCH_PORTS_MAX];
	struct addresses addresses;
	struct switch_report *report;
	uint64_t now_ns;
	uint64_t deadline_ns; /* when the next turn is due without a signal */
	struct port_message message; /* that is being passed on */
	struct port_message answer;  /* of the switch itself: a reset of a connection */
};

/* spec is copied; its addresses are of this program. Large: make it static. Errors: ERR_INVALID. */
MUST_CHECK enum status switch_init(struct switch_state *state, const struct switch_spec *spec, struct switch_report *report,
				   uint64_t now_ns);

/* This program takes the place of one that died, which may have had a message in hand, and peers to signal: all are signalled, and
 * socket devices are told. After switch_init(). */
void switch_begin_anew(struct switch_state *state);

/* Gives each port a turn. True: there is more to do at once. Afterwards, ports that want it are to be signalled
 * (switch_take_wake), and deadline_ns says when to come back. */
bool switch_turn(struct switch_state *state, uint64_t now_ns);

/* Whether the peer of that port is to be signalled; once. */
bool switch_take_wake(struct switch_state *state, uint32_t port);

/* What the user reads when a port was closed. */
#define SWITCH_LINE_BYTES 192U
void switch_closed_line(const struct switch_spec *spec, uint32_t port, char *out, size_t size_bytes);

/* Inside switch/ only. */

/* Whether the first packet of that port, whose header was checked, can be taken: there is room, or it need not wait for any. Else
 * the port is served again where there is room, and at deadline_ns. */
bool sockets_have_room(struct switch_state *state, uint32_t port, const struct switch_message *header);
/* Passes on the packet in state->message; returns how many bytes were copied. */
uint64_t sockets_pass_on(struct switch_state *state, uint32_t port);

/* Tells the port's device, when there is room. */
void sockets_tell_of_start(struct switch_state *state, uint32_t port);

/* Gives a message to a port, and counts. Errors: as port_give(). */
MUST_CHECK enum status switch_give(struct switch_state *state, uint32_t receiver, uint32_t sender,
				   const struct port_message *message);
/* Whether what comes from one port may go to the other: not back, not to another kind, not between isolated ones. */
bool switch_may_reach(const struct switch_state *state, uint32_t from, uint32_t to);
