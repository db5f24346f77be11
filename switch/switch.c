/* Turns, and the way of an Ethernet frame. */
#include "switch/switch.h"

#include "lib/base/error_codes.h"
#include "lib/base/format.h"
#include "lib/base/string.h"

#define SOURCE_OFFSET 6U

enum status switch_init(struct switch_state *state, const struct switch_spec *spec, struct switch_report *report, uint64_t now_ns)
{
	if (spec->magic != SWITCH_SPEC_MAGIC || spec->version != SWITCH_SPEC_VERSION || spec->size_bytes != sizeof(*spec) ||
	    spec->port_count > SWITCH_PORTS_MAX)
		return ERR_INVALID;
	memset(state, 0, sizeof(*state));
	state->port_count = spec->port_count;
	state->report = report;
	state->deadline_ns = SWITCH_NO_DEADLINE;
	for (uint32_t i = 0; i < spec->port_count; i++) {
		if (!port_open(&state->ports[i], &spec->ports[i], now_ns))
			return ERR_INVALID;
		if (spec->ports[i].kind == SWITCH_FRAME)
			addresses_fix(&state->addresses, i, spec->ports[i].mac);
	}
	return OK;
}

void switch_begin_anew(struct switch_state *state)
{
	for (uint32_t i = 0; i < state->port_count; i++) {
		state->ports[i].wakes = true;
		state->ports[i].tells_of_start = state->ports[i].spec.kind == SWITCH_VSOCK;
	}
}

static void close_port(struct switch_state *state, uint32_t port)
{
	state->ports[port].is_open = false;
	state->report->closed_ports |= 1ULL << port;
}

bool switch_may_reach(const struct switch_state *state, uint32_t from, uint32_t to)
{
	const struct port *sender = &state->ports[from], *receiver = &state->ports[to];

	return from != to && receiver->is_open && sender->spec.kind == receiver->spec.kind &&
	       ((sender->spec.flags & SWITCH_PORT_ISOLATED) == 0 || (receiver->spec.flags & SWITCH_PORT_ISOLATED) == 0);
}

enum status switch_give(struct switch_state *state, uint32_t receiver, uint32_t sender, const struct port_message *message)
{
	enum status status = port_give(&state->ports[receiver], sender, message, state->now_ns);

	if (status == OK)
		state->report->passed++;
	else if (status != ERR_NO_SPACE)
		close_port(state, receiver);
	return status;
}

static uint64_t give_frame(struct switch_state *state, uint32_t receiver, uint32_t sender)
{
	if (switch_give(state, receiver, sender, &state->message) != OK)
		state->report->dropped_full++;
	return state->message.header.len_bytes + PORT_MESSAGE_COST;
}

/* Broadcast, multicast, and addresses that are not known: the latter only to ports that may have others than their own. */
static uint64_t flood(struct switch_state *state, uint32_t sender, bool is_known_kind)
{
	uint64_t cost_bytes = 0;

	for (uint32_t i = 0; i < state->port_count; i++) {
		if (switch_may_reach(state, sender, i) &&
		    (is_known_kind || (state->ports[i].spec.flags & SWITCH_PORT_MAC_FILTER) == 0))
			cost_bytes += give_frame(state, i, sender);
	}
	return cost_bytes;
}

/* False: it pretends to come from another. */
static bool source_is_right(struct switch_state *state, uint32_t port, const uint8_t *source)
{
	const struct switch_port_spec *spec = &state->ports[port].spec;

	if ((source[0] & 1) != 0)
		return false;
	if ((spec->flags & SWITCH_PORT_MAC_FILTER) != 0)
		return memcmp(source, spec->mac, sizeof(spec->mac)) == 0;
	return addresses_learn(&state->addresses, port, source, state->now_ns);
}

static uint64_t pass_frame(struct switch_state *state, uint32_t port)
{
	const uint8_t *destination = state->message.data;
	uint32_t receiver;

	if (!source_is_right(state, port, state->message.data + SOURCE_OFFSET)) {
		state->report->dropped_filter++;
		return 0;
	}
	if ((destination[0] & 1) != 0)
		return flood(state, port, true);
	receiver = addresses_find(&state->addresses, destination, state->now_ns);
	if (receiver == ADDRESSES_NONE)
		return flood(state, port, false);
	if (switch_may_reach(state, port, receiver))
		return give_frame(state, receiver, port);
	state->report->dropped_other++;
	return 0;
}

/* The next message of a port. False: none, or it has to wait. */
static bool serve_message(struct switch_state *state, uint32_t index)
{
	struct port *port = &state->ports[index];
	struct switch_message header;
	uint64_t cost_bytes = 0, ready_ns;
	enum status status = port_peek(port, &header);

	if (status == ERR_AGAIN)
		return false;
	if (status == OK && !port_may_send(port, state->now_ns, &ready_ns)) {
		state->deadline_ns = ready_ns < state->deadline_ns ? ready_ns : state->deadline_ns;
		return false;
	}
	if (status == OK && port->spec.kind == SWITCH_VSOCK && !sockets_have_room(state, index, &header))
		return false;
	if (status == OK)
		status = port_take(port, &header, &state->message);
	if (status != OK) {
		close_port(state, index);
		return false;
	}
	port_spend(port, header.len_bytes);
	cost_bytes = port->spec.kind == SWITCH_FRAME ? pass_frame(state, index) : sockets_pass_on(state, index);
	/* What goes nowhere cost a copy, too. */
	port->credit_bytes -= (int64_t)(cost_bytes > 0 ? cost_bytes : header.len_bytes + PORT_MESSAGE_COST);
	return true;
}

/* True: the port has more, and only its turn is over. */
static bool serve_port(struct switch_state *state, uint32_t index)
{
	struct port *port = &state->ports[index];
	struct switch_message header;

	if (port->is_open && port->tells_of_start)
		sockets_tell_of_start(state, index);
	if (!port->is_open)
		return false;
	port->credit_bytes += SWITCH_TURN_BYTES;
	if (port->credit_bytes > SWITCH_TURN_BYTES)
		port->credit_bytes = SWITCH_TURN_BYTES;
	for (unsigned i = 0; i < SWITCH_TURN_MESSAGES && port->credit_bytes > 0; i++) {
		if (!serve_message(state, index))
			return false;
	}
	return port_peek(port, &header) != ERR_AGAIN;
}

bool switch_turn(struct switch_state *state, uint64_t now_ns)
{
	bool has_more = false;

	state->now_ns = now_ns;
	state->deadline_ns = SWITCH_NO_DEADLINE;
	for (uint32_t i = 0; i < state->port_count; i++)
		has_more |= serve_port(state, i);
	return has_more;
}

bool switch_take_wake(struct switch_state *state, uint32_t port)
{
	bool wakes = state->ports[port].wakes;

	state->ports[port].wakes = false;
	return wakes;
}

void switch_closed_line(const struct switch_spec *spec, uint32_t port, char *out, size_t size_bytes)
{
	format_text(out, size_bytes, "E641 switch %.31s: port %u is closed: what the VMM of %.31s sends makes no sense; do not "
		    "trust that VM", spec->name, port, spec->ports[port].vm_name);
}
