/* The manager's end of the console program: starts it and talks to it in messages (abi/console.h). What the manager has to
 * say goes into the kernel's log (user/log.h), which ring 0 shows until the console does. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/console.h"
#include "abi/syscall.h"
#include "lib/channel/channel.h"
#include "manager/host.h"
#include "manager/serial_port.h"

#define CONSOLE_TO_BYTES          (CHANNEL_HEADER_BYTES + 0x40000U) /* the longest answer fits: manager/main.c */
#define CONSOLE_FROM_BYTES        (CHANNEL_HEADER_BYTES + 0x1000U)
#define TERMINAL_TO_CONSOLE_BYTES (CHANNEL_HEADER_BYTES + 0x10000U)
#define TERMINAL_TO_VM_BYTES      (CHANNEL_HEADER_BYTES + 0x1000U)

struct console_link {
	bool running;
	handle_t space;
	handle_t event; /* the console waits on it */
	handle_t to_console, from_console; /* memory objects, made once */
	struct channel_writer writer;
	struct channel_reader reader;
};

/* What the console gets from the manifest and the PC. */
struct console_wishes {
	bool serial;
	struct serial_port serial_port;
	bool screen;
	handle_t manager_event;
	uint64_t message_bits; /* signalled to manager_event when it wrote or read */
	uint64_t end_bits;     /* and when it ended */
	uint64_t log_shown_position; /* up to here ring 0 has shown the log */
	uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64]; /* where the console's threads may run; all zero: anywhere */
};

/* Starts the console program; ring 0 must have left serial port and screen before. A console that ended can be started again;
 * all terminals must then be opened again. Errors: those of program_create(), with a message printed. */
MUST_CHECK enum status console_start(struct console_link *link, const struct host *host, const struct console_wishes *wishes);

/* The console ended: frees what it had. */
void console_ended(struct console_link *link);

/* A VM's terminal: its channels (memory objects) and the event of its VMM. */
struct console_vm_terminal {
	const char *name;
	uint32_t slot; /* which of the console's windows: the VM's number */
	handle_t to_console;
	handle_t to_vm;
	handle_t vmm_event;
	uint64_t vmm_event_bits;
};

/* Maps the channels into the console and tells it of them; once for each VM and console. */
MUST_CHECK enum status console_open_terminal(struct console_link *link, const struct console_vm_terminal *terminal);

/* Tells the console that the VM of this terminal ended. */
void console_close_terminal(struct console_link *link, const char *name);

/* Asks the console to show this VM's terminal. */
void console_show(struct console_link *link, const char *name);

/* Sends a message; dropped where the console does not read. */
void console_send(struct console_link *link, enum console_message_kind kind, uint32_t request, const void *payload,
		  size_t len_bytes);

/* A request of the console; name: "" where its kind names no VM. */
struct console_request {
	struct console_message header;
	struct console_name name;
};

/* Takes the next request. False: none there. */
bool console_next_request(struct console_link *link, struct console_request *request);

/* True once the console has read all that was sent. */
bool console_has_read_all(const struct console_link *link);

/* Makes the console look at the log now. */
void console_wake(const struct console_link *link);
