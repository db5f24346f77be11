/* This VM's end of a cable to a switch: messages of abi/switch.h in two channels. What is no message is never sent, and where the
 * switch says what makes no sense, nothing is received any more. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "abi/switch.h"
#include "abi/vmm_spec.h"
#include "lib/channel/channel.h"

struct link {
	const struct vmm_link *spec;
	struct channel_writer writer;
	struct channel_reader reader;
	bool is_cut; /* a channel is damaged: nothing comes, and what is sent is lost */
};

void link_open(struct link *link, const struct vmm_link *spec);

/* message: its header, then header->len_bytes of data. False: no room now; the link's event says when there may be. */
bool link_send(struct link *link, const struct switch_message *message);

/* Takes the next message, as a whole: header, then data, into size_bytes of room. False: there is none. */
bool link_receive(struct link *link, struct switch_message *message, size_t size_bytes);

/* Tells the switch that something was written or read. */
void link_tell(const struct link *link);
