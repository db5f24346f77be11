/* Messages, rates and shares of one port. */
#include "switch/port.h"

#include "lib/base/string.h"

#define MESSAGE_BYTES_MAX (sizeof(struct switch_message) + SWITCH_DATA_BYTES_MAX)
#define US_PER_S          1000000ULL
#define NS_PER_US         1000ULL

bool port_open(struct port *port, const struct switch_port_spec *spec, uint64_t now_ns)
{
	memset(port, 0, sizeof(*port));
	port->spec = *spec;
	port->is_open = channel_reader_open(&port->reader, (void *)(uintptr_t)spec->to_switch_address,
					    spec->to_switch_bytes) == OK &&
			channel_writer_open(&port->writer, (void *)(uintptr_t)spec->from_switch_address,
					    spec->from_switch_bytes) == OK &&
			port->writer.end.capacity_bytes >= MESSAGE_BYTES_MAX;
	port->rate.filled_us = now_ns / NS_PER_US;
	port->patience = (struct port_patience){.left_ns = (int64_t)PORT_PATIENCE_NS, .seen_ns = now_ns};
	port->shares.last_sender = SWITCH_PORTS_MAX;
	return port->is_open;
}

/* Where a peer found no room, it waits for a signal: as long as a message might not have had room, what is taken is told. It may
 * have filled the channel while the message before was being taken: so that one counts too. */
static void note_room(struct port *port)
{
	size_t used_bytes;

	if (channel_used_bytes(&port->reader, &used_bytes) == OK &&
	    port->reader.end.capacity_bytes - used_bytes < 2 * MESSAGE_BYTES_MAX)
		port->wakes = true;
}

enum status port_peek(struct port *port, struct switch_message *header)
{
	enum status status = channel_peek(&port->reader, header, sizeof(*header));
	uint32_t least = port->spec.kind == SWITCH_FRAME ? SWITCH_FRAME_BYTES_MIN : SWITCH_VSOCK_BYTES_MIN;
	size_t used_bytes;

	if (status != OK) {
		/* A message is written as a whole. */
		if (status == ERR_AGAIN && (channel_used_bytes(&port->reader, &used_bytes) != OK ||
					    (used_bytes != 0 && used_bytes < sizeof(*header))))
			return ERR_BAD_FORMAT;
		return status;
	}
	if (header->kind != port->spec.kind || header->len_bytes < least || header->len_bytes > SWITCH_DATA_BYTES_MAX)
		return ERR_BAD_FORMAT;
	return OK;
}

enum status port_take(struct port *port, const struct switch_message *header, struct port_message *message)
{
	size_t wanted = sizeof(*header) + header->len_bytes;
	size_t read_bytes;
	enum status status;

	note_room(port);
	status = channel_read(&port->reader, message, wanted, &read_bytes);
	if (status == OK && read_bytes != wanted)
		status = ERR_BAD_FORMAT;
	/* The header that was checked, whatever is there now. */
	message->header = *header;
	message->header.reserved = 0;
	return status;
}

/* A new time begins when the receiver has read all that was there at the mark. */
static void turn_shares(struct port *port, size_t used_bytes)
{
	struct port_shares *shares = &port->shares;
	uint32_t written = port->writer.end.count;

	if (used_bytes == 0) {
		memset(shares->before, 0, sizeof(shares->before));
		memset(shares->now, 0, sizeof(shares->now));
		shares->mark = written;
	} else if (used_bytes <= written - shares->mark) {
		memcpy(shares->before, shares->now, sizeof(shares->before));
		memset(shares->now, 0, sizeof(shares->now));
		shares->mark = written;
	}
}

static bool is_alone(struct port_shares *shares, uint32_t sender, uint64_t now_ns)
{
	if (sender != shares->last_sender && shares->last_sender != SWITCH_PORTS_MAX)
		shares->shared_until_ns = now_ns + PORT_ALONE_NS;
	shares->last_sender = sender;
	return now_ns >= shares->shared_until_ns;
}

/* What the message costs its receiver, in bytes; one that has to be cut as much as its frames. */
static uint32_t cost_of(const struct switch_message *header)
{
	uint32_t more_frames = header->segment_bytes == 0 ? 0 : header->len_bytes / header->segment_bytes;

	return header->len_bytes + PORT_MESSAGE_COST + more_frames * PORT_FRAME_COST;
}

/* A sender has at most as much there as it leaves free: alone half of the channel, of two each a third. Beside others, no more
 * than PORT_SHARE_COST_MAX: messages are taken in their order, so theirs wait until its are done. */
static bool fits(struct port *port, uint32_t sender, const struct switch_message *header, size_t free_bytes, uint64_t now_ns)
{
	struct port_shares *shares = &port->shares;
	const struct port_share *now = &shares->now[sender], *before = &shares->before[sender];
	size_t len_bytes = sizeof(*header) + header->len_bytes;

	turn_shares(port, port->writer.end.capacity_bytes - free_bytes);
	if (!is_alone(shares, sender, now_ns) && before->cost + now->cost + cost_of(header) > PORT_SHARE_COST_MAX)
		return false;
	return len_bytes <= free_bytes && before->bytes + now->bytes <= free_bytes - len_bytes;
}

bool port_has_room(struct port *port, uint32_t sender, const struct switch_message *header, uint64_t now_ns)
{
	size_t free_bytes;

	/* One that is damaged has room: giving finds what is wrong. */
	return channel_free_bytes(&port->writer, &free_bytes) != OK ||
	       fits(port, sender, header, free_bytes, now_ns);
}

enum status port_give(struct port *port, uint32_t sender, const struct port_message *message, uint64_t now_ns)
{
	size_t len_bytes = sizeof(message->header) + message->header.len_bytes;
	size_t free_bytes;
	enum status status = channel_free_bytes(&port->writer, &free_bytes);

	if (status != OK)
		return status;
	if (!fits(port, sender, &message->header, free_bytes, now_ns))
		return ERR_NO_SPACE;
	port->shares.now[sender].bytes += (uint32_t)len_bytes;
	port->shares.now[sender].cost += cost_of(&message->header);
	port->wakes = true;
	return channel_write_all(&port->writer, message, len_bytes);
}

static int64_t burst_bytes(uint64_t rate_bytes)
{
	uint64_t burst = rate_bytes / 20; /* 50 ms */

	return (int64_t)(burst < PORT_BURST_BYTES_MIN ? PORT_BURST_BYTES_MIN : burst);
}

/* At most a second at once: no product overflows. */
static void fill(struct port *port, uint64_t now_ns)
{
	struct port_rate *rate = &port->rate;
	uint64_t now_us = now_ns / NS_PER_US;
	uint64_t us = now_us - rate->filled_us < US_PER_S ? now_us - rate->filled_us : US_PER_S;
	uint64_t product = us * port->spec.rate_bytes + rate->remainder;
	int64_t burst = burst_bytes(port->spec.rate_bytes);

	rate->filled_us = now_us;
	rate->level_bytes += (int64_t)(product / US_PER_S);
	rate->remainder = product % US_PER_S;
	if (rate->level_bytes > burst)
		rate->level_bytes = burst;
}

bool port_may_send(struct port *port, uint64_t now_ns, uint64_t *ready_ns)
{
	uint64_t missing_bytes;

	if (port->spec.rate_bytes == 0)
		return true;
	fill(port, now_ns);
	if (port->rate.level_bytes > 0)
		return true;
	missing_bytes = (uint64_t)(1 - port->rate.level_bytes);
	*ready_ns = now_ns + (missing_bytes * US_PER_S / port->spec.rate_bytes + 1) * NS_PER_US;
	return false;
}

void port_spend(struct port *port, uint32_t len_bytes)
{
	if (port->spec.rate_bytes != 0)
		port->rate.level_bytes -= (int64_t)(len_bytes < PORT_FRAME_COST ? PORT_FRAME_COST : len_bytes);
}
