/* The far end of the guest's serial line: two channels to the console program. The guest's bytes are signalled in batches; a
 * console that takes nothing holds the line up for a moment and then loses bytes, which are counted: a guest never waits
 * for ever. Knows no UART and no clock. Context: the UART's lock. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/vmm_spec.h"
#include "lib/channel/channel.h"

#define TERMINAL_BATCH_NS 1000000ULL    /* a byte is signalled no later than this */
#define TERMINAL_STALL_NS 2000000000ULL /* with the channel full for so long, bytes are dropped */

struct terminal {
	bool has_output, has_input; /* the channel is there and its peer kept the rules */
	struct channel_writer output;
	struct channel_reader input;
	handle_t event;
	uint64_t event_bits;
	uint64_t signal_due_ns; /* NO_EVENT_NS: nothing to tell */
	uint64_t full_since_ns; /* NO_EVENT_NS: there was room */
	bool holds_byte;        /* the last byte was refused and not yet offered again */
	uint64_t dropped_bytes;
};

/* Opens what the spec names; channels that are missing or wrong leave the line without that direction. */
void terminal_init(struct terminal *terminal, const struct vmm_spec *spec);

/* Takes a byte of the guest. False: no room now; offer it again at terminal_next_event_ns(), or when the console read. */
bool terminal_transmit(struct terminal *terminal, uint8_t byte, uint64_t now_ns);

/* Takes what the user typed; returns how many bytes, perhaps none. */
size_t terminal_receive(struct terminal *terminal, uint8_t *out, size_t size_bytes);

/* When terminal_tick() is due; NO_EVENT_NS: not before the next byte. */
uint64_t terminal_next_event_ns(const struct terminal *terminal);
void terminal_tick(struct terminal *terminal, uint64_t now_ns);
