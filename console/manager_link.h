/* Messages between console and manager: whole ones only, checked, copied out of the shared memory (abi/console.h). */
#pragma once
#include "abi/console.h"
#include "abi/status.h"
#include "lib/channel/channel.h"

struct manager_link {
	struct channel_reader reader;
	struct channel_writer writer;
	uint32_t last_request;
};

struct manager_message {
	struct console_message header;
	uint8_t payload[CONSOLE_MAX_PAYLOAD_BYTES];
};

/* Attaches to the channels. Errors: ERR_INVALID: a channel's size is impossible. */
MUST_CHECK enum status manager_link_open(struct manager_link *link, const struct console_channels *channels);

/* Sends a request, argument 0 where its kind has none, name NULL where it names no VM; *request is its new number.
 * Errors: ERR_OUT_OF_RANGE: no VM has so long a name; ERR_NO_SPACE: the manager does not read; ERR_BAD_FORMAT: the channel is
 * damaged. */
MUST_CHECK enum status manager_link_request(struct manager_link *link, enum console_message_kind kind, uint32_t argument,
					    const char *name, uint32_t *request);

/* Takes the next whole message. Errors: ERR_AGAIN: none there; ERR_BAD_FORMAT: the channel is damaged. */
MUST_CHECK enum status manager_link_receive(struct manager_link *link, struct manager_message *message);
