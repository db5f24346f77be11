/* The console program without its system calls: terminals, prompt, serial line and screen, tied together in one bounded
 * turn that main repeats. Effects leave through console_effects, time comes in as an argument. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/console.h"
#include "console/log_view.h"
#include "console/lost_input.h"
#include "console/manager_link.h"
#include "console/multiplexer.h"
#include "console/output_view.h"
#include "console/screen.h"
#include "console/shell.h"
#include "drivers/host/uart.h"

#define CONSOLE_MAX_VMS (MULTIPLEXER_MAX_TERMINALS - 1)

struct console_effects {
	/* Signals bits of an event that the manager granted. */
	void (*signal)(void *context, uint32_t event, uint64_t bits);
	void *context;
	struct log_source log;
};

struct console_vm {
	struct terminal terminal;
	bool connected; /* the channels are there */
	bool closing;   /* the VM ended: they are read to their end */
	uint32_t peer_event;
	uint64_t peer_event_bits;
	struct lost_input lost;
	struct channel_reader output;
	struct channel_writer input;
};

struct console {
	const struct console_effects *effects;
	struct manager_link manager;
	uint32_t manager_event;
	uint64_t manager_event_bits;
	bool manager_lost;        /* its channel is damaged */
	bool user_has_chosen;     /* a terminal, by a command: nobody else chooses any more */
	uint32_t waiting_request; /* 0: none */
	uint64_t waiting_since_ms;
	uint64_t now_ms;
	struct log_view log;
	struct output_view output;
	struct uart *uart;     /* NULL: none */
	struct lost_input lost; /* at the serial port */
	struct screen *screen; /* NULL: none */
	size_t screen_text_used_bytes;
	size_t screen_text_bytes;
	uint8_t screen_output[MULTIPLEXER_QUANTUM_BYTES]; /* taken for the screen, in part interpreted */
	struct multiplexer multiplexer;
	struct shell shell;
	struct terminal prompt;
	uint32_t vm_count;
	/* large, and last: not cleared at the start */
	struct console_vm vms[CONSOLE_MAX_VMS]; /* vms[i] is the multiplexer's terminal i + 1 */
};

/* Starts at the prompt, below the log so far (on the screen only: ring 0 has cleared away for the console there).
 * Uses of setup: manager, log_shown_position. Borrows the rest; uart and screen, initialised, or NULL.
 * Errors: ERR_INVALID: the manager's channels are impossible. */
MUST_CHECK enum status console_init(struct console *console, const struct console_setup *setup, struct uart *uart,
				    struct screen *screen, const struct console_effects *effects);

/* Moves what can be moved now, a bounded amount: typed bytes, messages, VMs' output and input, serial line and screen.
 * now_ms: any clock that does not go back. Returns true if another turn should follow at once, false to wait for the
 * event, for as long as console_wait_ms says. */
bool console_turn(struct console *console, uint64_t now_ms);

/* How long main may wait for the event after a turn that returned false, in milliseconds: at most CONSOLE_LOOK_MS.
 * serial_interrupts: the serial port's interrupt signals the event; one that is lost costs no more than that time. */
uint64_t console_wait_ms(const struct console *console, bool serial_interrupts);
