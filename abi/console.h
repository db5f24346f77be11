/* What the manager and the console program say to each other.
 *
 * At its start the console gets the address of a struct console_setup (the argument of its first thread); the manager
 * has mapped everything named there into the console's space, and granted the handles.
 * Rights: own_event WAIT; each peer_event SIGNAL, with a badge that holds its bits; ports and serial_irq WRITE. Peers
 * get own_event with SIGNAL and the badge CONSOLE_EVENT_MANAGER or CONSOLE_EVENT_TERMINAL.
 * Before the start the manager stops ring 0's own output (CONSOLE_TAKE) and reads the log to its end:
 * log_shown_position. What any program logs later, the manager too, the console shows at its prompt within
 * CONSOLE_LOOK_MS.
 * Afterwards both talk by messages in a pair of channels (abi/channel.h): struct console_message, then its payload.
 * A message is put into the channel whole; after it, the other side's event is signalled.
 * A VM's terminal is a pair of channels between its VMM and the console; the manager makes them and tells both. Further
 * ports of its console device are terminals of their own, named VM.PORT, which end with the VM's.
 */
#pragma once
#include <stdint.h>

#include "abi/boot_info.h"

#define CONSOLE_SETUP_MAGIC        0x5055544553434c42ULL /* "BLCSETUP" */
#define CONSOLE_SETUP_VERSION      4U
#define CONSOLE_NAME_BYTES         64U   /* the name of a VM, or VM.PORT, with its NUL */
#define CONSOLE_MAX_PAYLOAD_BYTES  1024U
#define CONSOLE_ANSWER_TIMEOUT_MS  5000U /* without a word for so long, the prompt gives a request up */

#define CONSOLE_TOP_SECONDS_MAX    60U

#define CONSOLE_LOOK_MS            250U  /* the longest time between two looks at the log */

/* Bits of the console's event. They only say where to look first: the console looks everywhere. */
#define CONSOLE_EVENT_MANAGER  0x1ULL
#define CONSOLE_EVENT_SERIAL   0x2ULL
#define CONSOLE_EVENT_TERMINAL 0x4ULL

/* Two channels between the console and one other program; addresses in the console's space, sizes with header page. */
struct console_channels {
	uint64_t to_console_address;
	uint64_t to_console_bytes;
	uint64_t from_console_address;
	uint64_t from_console_bytes;
	uint32_t peer_event; /* handle: signalled after each write or read; 0: none */
	uint32_t reserved;
	uint64_t peer_event_bits;
};

struct console_setup {
	uint64_t magic;
	uint32_t version;
	uint32_t own_event;              /* handle: what the console waits on */
	struct console_channels manager;
	uint32_t ports;                  /* handle: the serial port's I/O ports; 0: no serial line */
	uint32_t serial_irq;             /* handle, bound to own_event with CONSOLE_EVENT_SERIAL; 0: polled */
	uint16_t serial_base_port;
	uint16_t reserved[3];
	uint64_t log_shown_position;     /* of the kernel's log: up to here ring 0 has shown it on the serial line */
	uint64_t framebuffer_address;    /* 0: no screen */
	struct boot_framebuffer framebuffer;
};

enum console_message_kind {
	/* console to manager: requests, each with a new number */
	CONSOLE_REQUEST_LIST = 1,
	CONSOLE_REQUEST_POWER_OFF = 2,
	CONSOLE_REQUEST_TOP = 3, /* argument: seconds, 1 .. CONSOLE_TOP_SECONDS_MAX */
	CONSOLE_REQUEST_START = 4, /* struct console_name: the VM */
	CONSOLE_REQUEST_STOP = 5,  /* the same */
	CONSOLE_REQUEST_BALLOON = 6, /* the same; argument: MiB that the guest shall keep */
	/* manager to console */
	CONSOLE_ANSWER_TEXT = 16,    /* text, lines end with "\n"; as many messages as needed; empty: not yet, but it comes */
	CONSOLE_ANSWER_END = 17,     /* no payload: the request is done */
	CONSOLE_NOTICE = 18,         /* text for the prompt that is not in the log (the console shows the log itself) */
	CONSOLE_TERMINAL_OPEN = 19,  /* struct console_terminal; again for the same name after a restart */
	CONSOLE_TERMINAL_CLOSE = 20, /* name: the VM ended; its text, its ports' too, stays; who looks comes to the prompt */
	CONSOLE_SHOW = 21,           /* name: show this VM's terminal, unless the user chose one by the command "console" */
};

struct console_message {
	uint32_t kind;      /* enum console_message_kind */
	uint32_t request;   /* of requests and answers */
	uint32_t len_bytes; /* of the payload, at most CONSOLE_MAX_PAYLOAD_BYTES */
	uint32_t argument;  /* of requests */
};

/* The payload of requests that name a VM; others have none. */
struct console_name {
	char text[CONSOLE_NAME_BYTES]; /* NUL-terminated, and zeroes */
};

struct console_terminal {
	char name[CONSOLE_NAME_BYTES];
	struct console_channels channels;
};

_Static_assert(sizeof(struct console_channels) == 48, "console_channels layout");
_Static_assert(sizeof(struct console_setup) == 128, "console_setup layout");
_Static_assert(sizeof(struct console_message) == 16, "console_message layout");
_Static_assert(sizeof(struct console_name) == 64, "console_name layout");
_Static_assert(sizeof(struct console_terminal) == 112, "console_terminal layout");
