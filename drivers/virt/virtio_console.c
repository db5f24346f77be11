/* Ports carry bytes, the control queues say which there are. Messages to the guest are bits until it has a buffer for them, so
 * whatever it asks for how often, there is one of each kind at most. */
#include "drivers/virt/virtio_console.h"

#include "lib/base/string.h"

#define CLASS_COMMUNICATION 0x078000U /* PCI's class of simple communication controllers, others */
#define CONFIG_MAX_PORTS    4U
#define CONFIG_EMERG_WRITE  8U
#define PIECE_BYTES         512U

static unsigned queue_of_port(unsigned port)
{
	return port == 0 ? VIRTIO_CONSOLE_RECEIVE : VIRTIO_CONSOLE_PORTS + 2 * (port - 1);
}

static unsigned port_of_queue(unsigned queue)
{
	return queue < VIRTIO_CONSOLE_CONTROL_RECEIVE ? 0 : 1 + (queue - VIRTIO_CONSOLE_PORTS) / 2;
}

static void set_listens(struct virtio_console *console, unsigned port, bool does)
{
	console->state.ports[port].guest_listens = does;
	if (console->wires.listens != NULL)
		console->wires.listens(console->wires.ctx, port, does);
}

/* Passes on what is left of the chain, within budget_bytes. True: the chain is done with. */
static bool transmit_chain(struct virtio_console *console, const struct virtqueue *queue, unsigned port, size_t *budget_bytes)
{
	struct virtio_console_port_state *state = &console->state.ports[port];
	uint8_t piece[PIECE_BYTES];

	while (*budget_bytes >= PIECE_BYTES) {
		size_t count = virtqueue_read(queue, &console->chain, state->transmitted_bytes, piece, sizeof(piece), NULL);
		size_t taken = count == 0 ? 0 : console->wires.transmit(console->wires.ctx, port, piece, count);

		state->transmitted_bytes += taken;
		*budget_bytes -= taken;
		if (count == 0)
			return true;
		if (taken < count)
			return false;
	}
	return false;
}

/* A chain that the far end has no room for stays in its queue: the guest sees that nothing moves, and waits. */
static bool serve_transmit(struct virtio_console *console, unsigned port)
{
	unsigned index = queue_of_port(port) + 1;
	struct virtqueue *queue = &console->transport->queues[index];
	size_t budget_bytes = VIRTIO_CONSOLE_TURN_BYTES;
	unsigned served = 0;
	bool is_done = true;

	while (is_done && served < VIRTIO_SERVE_CHAINS && virtqueue_take(queue, &console->chain) == OK) {
		is_done = transmit_chain(console, queue, port, &budget_bytes);
		if (!is_done) {
			virtqueue_untake(queue, &console->chain, 1);
			break;
		}
		console->state.ports[port].transmitted_bytes = 0;
		virtqueue_return(queue, &console->chain, 0);
		served++;
	}
	if (budget_bytes < VIRTIO_CONSOLE_TURN_BYTES)
		console->wires.moved(console->wires.ctx, port);
	if (served > 0)
		virtio_interrupt_queue(console->transport, index);
	return served == VIRTIO_SERVE_CHAINS || budget_bytes < PIECE_BYTES;
}

/* What arrives for a port that nobody has opened waits: a driver would throw it away. */
static bool serve_receive(struct virtio_console *console, unsigned port)
{
	unsigned index = queue_of_port(port);
	struct virtqueue *queue = &console->transport->queues[index];
	uint8_t piece[PIECE_BYTES];
	unsigned served = 0;

	while (console->state.ports[port].guest_listens && served < VIRTIO_SERVE_CHAINS &&
	       virtqueue_take(queue, &console->chain) == OK) {
		size_t room = console->chain.writable_bytes < sizeof(piece) ? console->chain.writable_bytes : sizeof(piece);
		size_t count = room == 0 ? 0 : console->wires.receive(console->wires.ctx, port, piece, room);

		if (count == 0 && room != 0) {
			virtqueue_untake(queue, &console->chain, 1);
			break;
		}
		count = virtqueue_write(queue, &console->chain, 0, piece, count, NULL);
		virtqueue_return(queue, &console->chain, (uint32_t)count);
		served++;
	}
	if (served > 0) {
		console->wires.moved(console->wires.ctx, port);
		virtio_interrupt_queue(console->transport, index);
	}
	return served == VIRTIO_SERVE_CHAINS;
}

/* Fills out with the message, its name included, and returns its length. */
static size_t make_message(const struct virtio_console *console, unsigned port, enum virtio_console_event event, uint8_t *out)
{
	const struct virtio_console_control control = {.id = port, .event = (uint16_t)event, .value = 1};
	size_t name_bytes = 0;

	memcpy(out, &control, sizeof(control));
	if (event == VIRTIO_CONSOLE_PORT_NAME) {
		name_bytes = strnlen(console->names[port], VIRTIO_CONSOLE_NAME_BYTES);
		memcpy(out + sizeof(control), console->names[port], name_bytes);
	}
	return sizeof(control) + name_bytes;
}

/* The order in which a port's messages go; false: the guest has no buffer for this one yet. */
static const enum virtio_console_event message_order[] = {
	VIRTIO_CONSOLE_PORT_ADD, VIRTIO_CONSOLE_CONSOLE_PORT, VIRTIO_CONSOLE_PORT_NAME, VIRTIO_CONSOLE_PORT_OPEN,
};

static bool send_message(struct virtio_console *console, unsigned port, enum virtio_console_event event)
{
	struct virtqueue *queue = &console->transport->queues[VIRTIO_CONSOLE_CONTROL_RECEIVE];
	uint8_t message[sizeof(struct virtio_console_control) + VIRTIO_CONSOLE_NAME_BYTES];
	size_t len_bytes;

	if ((console->state.ports[port].pending & 1U << event) == 0)
		return true;
	if (virtqueue_take(queue, &console->chain) != OK)
		return false;
	console->state.ports[port].pending &= ~(1U << event);
	len_bytes = make_message(console, port, event, message);
	len_bytes = virtqueue_write(queue, &console->chain, 0, message, len_bytes, NULL);
	virtqueue_return(queue, &console->chain, (uint32_t)len_bytes);
	return true;
}

static void send_messages(struct virtio_console *console)
{
	const size_t kinds = sizeof(message_order) / sizeof(message_order[0]);
	bool has_room = true;

	for (unsigned port = 0; port < console->port_count; port++) {
		for (size_t i = 0; i < kinds && has_room; i++)
			has_room = send_message(console, port, message_order[i]);
	}
	virtio_interrupt_queue(console->transport, VIRTIO_CONSOLE_CONTROL_RECEIVE);
}

static void add_ports(struct virtio_console *console)
{
	for (unsigned port = 0; port < console->port_count; port++)
		console->state.ports[port].pending |= 1U << VIRTIO_CONSOLE_PORT_ADD;
}

static void make_ready(struct virtio_console *console, unsigned port)
{
	struct virtio_console_port_state *state = &console->state.ports[port];

	state->guest_is_ready = true;
	state->pending |= 1U << VIRTIO_CONSOLE_PORT_OPEN;
	if (console->names[port][0] != '\0')
		state->pending |= 1U << VIRTIO_CONSOLE_PORT_NAME;
	if (port != 0)
		return;
	/* A console is open from then on: drivers do not say so. */
	state->pending |= 1U << VIRTIO_CONSOLE_CONSOLE_PORT;
	set_listens(console, port, true);
}

static void take_message(struct virtio_console *console, const struct virtio_console_control *control)
{
	switch (control->event) {
	case VIRTIO_CONSOLE_DEVICE_READY:
		if (control->value == 1)
			add_ports(console);
		return;
	case VIRTIO_CONSOLE_PORT_READY:
		if (control->id < console->port_count && control->value == 1)
			make_ready(console, control->id);
		return;
	case VIRTIO_CONSOLE_PORT_OPEN:
		if (control->id < console->port_count)
			set_listens(console, control->id, control->value == 1);
		return;
	default: /* none that a driver sends */
		return;
	}
}

static bool serve_control(struct virtio_console *console)
{
	struct virtqueue *queue = &console->transport->queues[VIRTIO_CONSOLE_CONTROL_TRANSMIT];
	unsigned served = 0;

	for (; served < VIRTIO_SERVE_CHAINS && virtqueue_take(queue, &console->chain) == OK; served++) {
		struct virtio_console_control control;

		if (virtqueue_read(queue, &console->chain, 0, &control, sizeof(control), NULL) == sizeof(control))
			take_message(console, &control);
		virtqueue_return(queue, &console->chain, 0);
	}
	virtio_interrupt_queue(console->transport, VIRTIO_CONSOLE_CONTROL_TRANSMIT);
	send_messages(console);
	return served == VIRTIO_SERVE_CHAINS;
}

static bool serve_backend(void *model)
{
	struct virtio_console *console = model;
	bool has_more = false;

	for (unsigned port = 0; port < console->port_count; port++) {
		has_more |= serve_transmit(console, port);
		has_more |= serve_receive(console, port);
	}
	return has_more;
}

static bool serve(void *model, unsigned queue)
{
	struct virtio_console *console = model;
	bool has_more;

	if (queue == VIRTIO_CONSOLE_CONTROL_RECEIVE) {
		send_messages(console);
		return false;
	}
	if (queue == VIRTIO_CONSOLE_CONTROL_TRANSMIT) {
		has_more = serve_control(console);
		return serve_backend(console) || has_more; /* a port may have been opened */
	}
	return queue % 2 == 0 ? serve_receive(console, port_of_queue(queue)) : serve_transmit(console, port_of_queue(queue));
}

static uint64_t read_config(void *model, unsigned offset, unsigned width)
{
	const struct virtio_console *console = model;
	uint8_t config[VIRTIO_CONSOLE_CONFIG_BYTES] = {[CONFIG_MAX_PORTS] = (uint8_t)console->port_count};
	uint64_t value = 0;

	memcpy(&value, config + offset, width);
	return value;
}

/* Works at all times, for a guest that dies before it has a driver. */
static void write_config(void *model, unsigned offset, unsigned width, uint64_t value)
{
	struct virtio_console *console = model;
	uint8_t byte = (uint8_t)value;

	(void)width;
	if (offset != CONFIG_EMERG_WRITE)
		return;
	(void)console->wires.transmit(console->wires.ctx, 0, &byte, 1);
	console->wires.moved(console->wires.ctx, 0);
}

static void start(void *model, uint64_t features)
{
	struct virtio_console *console = model;

	if ((features & VIRTIO_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT)) == 0)
		set_listens(console, 0, true);
}

static void reset(void *model)
{
	struct virtio_console *console = model;

	for (unsigned port = 0; port < console->port_count; port++) {
		console->state.ports[port] = (struct virtio_console_port_state){.pending = 0};
		set_listens(console, port, false);
	}
}

const struct virtio_ops virtio_console_ops = {
	.name = "virtio-console",
	.device_id = VIRTIO_ID_CONSOLE,
	.class_code = CLASS_COMMUNICATION,
	.serve = serve,
	.serve_backend = serve_backend,
	.read_config = read_config,
	.write_config = write_config,
	.start = start,
	.reset = reset,
};
