/* Messages to and from the switch. */
#include "vmm/link.h"

#include "user/calls.h"

void link_open(struct link *link, const struct vmm_link *spec)
{
	*link = (struct link){.spec = spec};
	link->is_cut = channel_writer_open(&link->writer, (void *)(uintptr_t)spec->to_switch_address,
					   spec->to_switch_bytes) != OK ||
		       channel_reader_open(&link->reader, (void *)(uintptr_t)spec->from_switch_address,
					   spec->from_switch_bytes) != OK;
}

bool link_send(struct link *link, const struct switch_message *message)
{
	enum status status = ERR_BAD_FORMAT;

	if (!link->is_cut)
		status = channel_write_all(&link->writer, message, sizeof(*message) + message->len_bytes);
	if (status == ERR_NO_SPACE)
		return false;
	link->is_cut = status != OK;
	return true;
}

/* One read moves the counter over header and data: a VMM that starts again begins with a header. */
bool link_receive(struct link *link, struct switch_message *message, size_t size_bytes)
{
	struct switch_message header;
	size_t wanted_bytes, read_bytes = 0;
	enum status status;

	if (link->is_cut)
		return false;
	status = channel_peek(&link->reader, &header, sizeof(header));
	if (status == ERR_AGAIN)
		return false;
	wanted_bytes = sizeof(header) + header.len_bytes;
	if (status == OK && header.len_bytes <= SWITCH_DATA_BYTES_MAX && wanted_bytes <= size_bytes)
		status = channel_read(&link->reader, message, wanted_bytes, &read_bytes);
	link->is_cut = status != OK || read_bytes != wanted_bytes;
	*message = header; /* that was checked */
	return !link->is_cut;
}

void link_tell(const struct link *link)
{
	sys_event_signal(link->spec->switch_event, link->spec->switch_bits);
}
