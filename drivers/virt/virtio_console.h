/* virtio console device with several ports. Port 0 is a console (Linux: hvc0), the others are named and plain
 * (/dev/virtio-ports/NAME). What they are connected to is the machine's business; it has no size.
 *
 * Queues: 0 and 1 receive and transmit of port 0, 2 and 3 of control messages, then two of each further port.
 * Source: "Virtual I/O Device (VIRTIO) Version 1.2", "Console Device". */
#pragma once
#include <stddef.h>

#include "drivers/virt/virtio.h"

#define VIRTIO_ID_CONSOLE          3U
#define VIRTIO_CONSOLE_PORTS_MAX   4U
#define VIRTIO_CONSOLE_NAME_BYTES  32U
#define VIRTIO_CONSOLE_F_MULTIPORT   1
#define VIRTIO_CONSOLE_F_EMERG_WRITE 2
#define VIRTIO_CONSOLE_CONFIG_BYTES 12U
#define VIRTIO_CONSOLE_TURN_BYTES   0x10000U /* that a queue moves in a turn */

enum virtio_console_queue {
	VIRTIO_CONSOLE_RECEIVE,
	VIRTIO_CONSOLE_TRANSMIT,
	VIRTIO_CONSOLE_CONTROL_RECEIVE,
	VIRTIO_CONSOLE_CONTROL_TRANSMIT,
	VIRTIO_CONSOLE_PORTS, /* of port 1; two for each */
};

/* Events of control messages. */
enum virtio_console_event {
	VIRTIO_CONSOLE_DEVICE_READY,
	VIRTIO_CONSOLE_PORT_ADD,
	VIRTIO_CONSOLE_PORT_REMOVE,
	VIRTIO_CONSOLE_PORT_READY,
	VIRTIO_CONSOLE_CONSOLE_PORT,
	VIRTIO_CONSOLE_RESIZE,
	VIRTIO_CONSOLE_PORT_OPEN,
	VIRTIO_CONSOLE_PORT_NAME,
};

struct virtio_console_control {
	uint32_t id; /* the port */
	uint16_t event, value;
};

_Static_assert(sizeof(struct virtio_console_control) == 8, "control message layout");

/* Of a port's far end. Context: under the device's lock. */
struct virtio_console_wires {
	/* Returns how many of the bytes were taken; those that were not are offered again when serve_backend() is called. */
	size_t (*transmit)(void *ctx, unsigned port, const void *bytes, size_t len_bytes);
	/* Copies out what has arrived, up to size_bytes, and returns how many. */
	size_t (*receive)(void *ctx, unsigned port, void *out, size_t size_bytes);
	/* Bytes were transmitted or received since the last call. */
	void (*moved)(void *ctx, unsigned port);
	/* Whether the guest listens. NULL: nobody asks. */
	void (*listens)(void *ctx, unsigned port, bool does);
	void *ctx;
};

struct virtio_console_port_state {
	bool guest_is_ready, guest_listens;
	uint32_t pending;          /* control messages that the guest has not got yet: bits by event */
	uint64_t transmitted_bytes; /* of the chain that is next in its queue */
};

struct virtio_console_state {
	struct virtio_console_port_state ports[VIRTIO_CONSOLE_PORTS_MAX];
};

struct virtio_console {
	struct virtio_console_state state;
	struct virtio_console_wires wires;
	struct virtio *transport; /* whose model this is */
	/* constant once vCPUs run */
	unsigned port_count;      /* 1 .. VIRTIO_CONSOLE_PORTS_MAX */
	char names[VIRTIO_CONSOLE_PORTS_MAX][VIRTIO_CONSOLE_NAME_BYTES]; /* "": it has none */
	struct virtqueue_chain chain; /* that is being served */
};

extern const struct virtio_ops virtio_console_ops;

#define VIRTIO_CONSOLE_CONFIG(console)                                                                            \
	((struct virtio_config){                                                                                  \
		.ops = &virtio_console_ops,                                                                       \
		.model = (console),                                                                               \
		.features = VIRTIO_FEATURE(VIRTIO_CONSOLE_F_MULTIPORT) | VIRTIO_FEATURE(VIRTIO_CONSOLE_F_EMERG_WRITE), \
		.queue_count = (uint16_t)(2 * ((console)->port_count + 1)),                                       \
		.queue_size_max = 64,                                                                             \
		.config_bytes = VIRTIO_CONSOLE_CONFIG_BYTES,                                                      \
	})
