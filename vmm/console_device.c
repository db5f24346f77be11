/* The console device's ports: channels to the console program, and for the first one channels within the VMM, to the thread that
 * serves the terminal of COM1, since neither device is entered under the other's lock. */
#include <stdatomic.h>

#include "drivers/virt/virtio_console.h"
#include "lib/base/string.h"
#include "lib/channel/channel.h"
#include "user/calls.h"
#include "vmm/machine.h"
#include "vmm/small_devices.h"

#define RECEIVE_INTERRUPT   0x01U /* of COM1's interrupt enable register */
#define OUTPUT_BYTES        0x4000U
#define INPUT_BYTES         0x1000U
#define SERVE_BYTES_MAX     OUTPUT_BYTES

struct console_port {
	bool has_output, has_input; /* the channel is there and its peer kept the rules */
	struct channel_writer output;
	struct channel_reader input;
};

/* A VMM is one VM. */
static struct {
	struct virtio_slot *slot; /* NULL: the machine has no such device. Constant once vCPUs run */
	/* the device's lock */
	struct virtio_console model;
	struct console_port ports[VMM_PORTS_MAX];
	/* LOCK_UART: the other ends of the first port's channels */
	struct channel_reader printed;
	struct channel_writer typed;
	uint8_t held[256]; /* of what was printed: not yet at the terminal */
	size_t held_count, held_taken;
	/* atomic */
	_Atomic bool first_listens; /* the guest's driver has taken hold of the first port */
	/* the memory of these two channels */
	uint8_t output_memory[CHANNEL_HEADER_BYTES + OUTPUT_BYTES] __attribute__((aligned(4096)));
	uint8_t input_memory[CHANNEL_HEADER_BYTES + INPUT_BYTES] __attribute__((aligned(4096)));
} console;

static size_t transmit(void *ctx, unsigned port, const void *bytes, size_t len_bytes)
{
	struct console_port *end = &console.ports[port];
	size_t written_bytes = 0;

	(void)ctx;
	if (!end->has_output)
		return len_bytes; /* nobody is there: it is lost */
	end->has_output = channel_write(&end->output, bytes, len_bytes, &written_bytes) == OK;
	return end->has_output ? written_bytes : len_bytes;
}

static size_t receive(void *ctx, unsigned port, void *out, size_t size_bytes)
{
	struct console_port *end = &console.ports[port];
	size_t read_bytes = 0;

	(void)ctx;
	if (!end->has_input)
		return 0;
	end->has_input = channel_read(&end->input, out, size_bytes, &read_bytes) == OK;
	return end->has_input ? read_bytes : 0;
}

static void moved(void *ctx, unsigned port)
{
	struct machine *machine = ctx;
	const struct vmm_spec *spec = machine->spec;

	if (port == 0)
		machine_wake_by(machine, 0);
	else
		sys_event_signal(spec->handles.console_event, spec->ports[port].channels.event_bits);
}

static void note_listener(void *ctx, unsigned port, bool does)
{
	(void)ctx;
	if (port == 0)
		atomic_store_explicit(&console.first_listens, does, memory_order_relaxed);
}

static void open_port(struct console_port *port, const struct vmm_console *channels)
{
	port->has_output = channel_writer_open(&port->output, (void *)(uintptr_t)channels->to_console_address,
					       channels->to_console_bytes) == OK;
	port->has_input = channel_reader_open(&port->input, (void *)(uintptr_t)channels->from_console_address,
					      channels->from_console_bytes) == OK;
}

static enum status open_first_port(void)
{
	const struct vmm_console within = {
		.to_console_address = (uintptr_t)console.output_memory,
		.to_console_bytes = sizeof(console.output_memory),
		.from_console_address = (uintptr_t)console.input_memory,
		.from_console_bytes = sizeof(console.input_memory),
	};
	enum status status = channel_reader_open(&console.printed, console.output_memory, sizeof(console.output_memory));

	open_port(&console.ports[0], &within);
	return status == OK ? channel_writer_open(&console.typed, console.input_memory, sizeof(console.input_memory)) : status;
}

unsigned console_device_count(const struct vmm_spec *spec)
{
	return spec->port_count != 0 ? 1 : 0;
}

enum status console_device_make(struct machine *machine, unsigned index)
{
	struct virtio_console *model = &console.model;
	const struct vmm_spec *spec = machine->spec;
	enum status status = open_first_port();

	(void)index;
	if (spec->port_count > VMM_PORTS_MAX)
		return ERR_NO_SPACE;
	model->port_count = spec->port_count;
	model->wires = (struct virtio_console_wires){transmit, receive, moved, note_listener, machine};
	for (uint32_t i = 1; i < spec->port_count; i++) {
		memcpy(model->names[i], spec->ports[i].name, sizeof(model->names[i]));
		open_port(&console.ports[i], &spec->ports[i].channels);
	}
	if (status == OK) {
		const struct virtio_config config = VIRTIO_CONSOLE_CONFIG(model);

		status = virtio_add(machine, &config, HANDLE_NONE, &console.slot);
	}
	if (status == OK)
		model->transport = &console.slot->device;
	return status;
}

_Static_assert(VIRTIO_CONSOLE_PORTS_MAX == VMM_PORTS_MAX && VIRTIO_CONSOLE_NAME_BYTES == VMM_NAME_BYTES, "ports of the spec");

/* More of what was printed, or false: there is none. */
static bool hold_more(void)
{
	console.held_taken = 0;
	/* The peer is this program: its counters are in order. */
	return channel_read(&console.printed, console.held, sizeof(console.held), &console.held_count) == OK &&
	       console.held_count > 0;
}

bool console_device_serve(struct machine *machine, uint64_t now_ns)
{
	size_t done = 0;

	if (console.slot == NULL)
		return false;
	while (done < SERVE_BYTES_MAX && (console.held_taken < console.held_count || hold_more())) {
		if (!terminal_transmit(&machine->terminal, console.held[console.held_taken], now_ns))
			break;
		console.held_taken++;
		done++;
	}
	if (done > 0) {
		machine->serial_printed_last = false;
		virtio_wake(console.slot); /* there is room */
	}
	return done == SERVE_BYTES_MAX;
}

bool console_device_has_input(const struct machine *machine)
{
	bool com1_is_read = (machine->uart.state.ier & RECEIVE_INTERRUPT) != 0;

	return console.slot != NULL && atomic_load_explicit(&console.first_listens, memory_order_relaxed) &&
	       (!machine->serial_printed_last || !com1_is_read);
}

size_t console_device_type(const uint8_t *bytes, size_t len_bytes)
{
	size_t written_bytes = 0;

	if (channel_write(&console.typed, bytes, len_bytes, &written_bytes) == OK && written_bytes > 0)
		virtio_wake(console.slot);
	return written_bytes;
}

void console_device_wake(void)
{
	if (console.slot != NULL)
		virtio_wake(console.slot);
}
