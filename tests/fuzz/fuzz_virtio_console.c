/* The console device with ports under a hostile guest (tests/fake/hostile_guest.h). Checked besides: the far end gets only what it
 * takes, and control messages are of ports that there are. */
#include "drivers/virt/virtio_console.h"
#include "tests/fake/hostile_guest.h"
#include "tests/fake/queue_judge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct virtio_console console;
static size_t room_bytes, waiting_bytes; /* of the far end, all ports together */
static bool listening[VIRTIO_CONSOLE_PORTS_MAX];

static size_t transmit(void *ctx, unsigned port, const void *bytes, size_t len_bytes)
{
	size_t count = len_bytes < room_bytes ? len_bytes : room_bytes;

	(void)ctx;
	(void)bytes;
	hostile_under_lock();
	demand(port < console.port_count);
	room_bytes -= count;
	return count;
}

static size_t receive(void *ctx, unsigned port, void *out, size_t size_bytes)
{
	size_t count = size_bytes < waiting_bytes ? size_bytes : waiting_bytes;

	(void)ctx;
	hostile_under_lock();
	demand(port < console.port_count && listening[port] && size_bytes != 0);
	memset(out, 'r', count);
	waiting_bytes -= count;
	return count;
}

static void moved(void *ctx, unsigned port)
{
	(void)ctx;
	hostile_under_lock();
	demand(port < console.port_count);
	hostile_progress();
}

static void listens(void *ctx, unsigned port, bool does)
{
	(void)ctx;
	hostile_under_lock();
	demand(port < console.port_count);
	listening[port] = does;
}

static struct virtio_config create(struct virtio *transport, struct fuzz_input *input)
{
	unsigned count = 1 + fuzz_u8(input) % VIRTIO_CONSOLE_PORTS_MAX;

	console = (struct virtio_console){
		.wires = {transmit, receive, moved, listens, NULL}, .transport = transport, .port_count = count};
	for (unsigned port = 1; port < count; port++)
		memset(console.names[port], 'n', port * 11 - 1); /* the last one is as long as there is room */
	room_bytes = fuzz_u16(input);
	waiting_bytes = 0;
	return VIRTIO_CONSOLE_CONFIG(&console);
}

static void happens(struct fuzz_input *input)
{
	room_bytes = fuzz_u16(input) * 2U;
	waiting_bytes = fuzz_u16(input);
}

static size_t message(struct fuzz_input *input, uint8_t *out)
{
	struct virtio_console_control control = {
		.id = fuzz_u8(input) % 8, .event = fuzz_u8(input) % 8, .value = fuzz_u8(input) % 2};

	memcpy(out, &control, sizeof(control));
	return sizeof(control);
}

static void check(void)
{
	for (unsigned port = 0; port < console.port_count; port++)
		demand(console.state.ports[port].guest_listens == listening[port] && console.state.ports[port].pending >> 8 == 0);
}

/* Each port has two queues, and a control message may find all of them waiting. */
static const struct hostile_type type = {
	.create = create,
	.happens = happens,
	.message = message,
	.check = check,
	.takes_max = (2 + 2 * VIRTIO_CONSOLE_PORTS_MAX) * (VIRTIO_SERVE_CHAINS + 1),
	.moved_bytes_max = 2 * VIRTIO_CONSOLE_PORTS_MAX * (VIRTIO_CONSOLE_TURN_BYTES + 0x1000),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hostile_guest_run(&type, data, size);
	return 0;
}
