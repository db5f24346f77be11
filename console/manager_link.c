/* Messages between console and manager. */
#include "console/manager_link.h"

enum status manager_link_open(struct manager_link *link, const struct console_channels *channels)
{
	enum status status = channel_reader_open(&link->reader, (void *)(uintptr_t)channels->to_console_address,
						 channels->to_console_bytes);

	link->last_request = 0;
	if (status != OK)
		return status;
	return channel_writer_open(&link->writer, (void *)(uintptr_t)channels->from_console_address,
				   channels->from_console_bytes);
}

enum status manager_link_request(struct manager_link *link, enum console_message_kind kind, uint32_t argument, uint32_t *request)
{
	const struct console_message message = {.kind = kind, .request = link->last_request + 1, .argument = argument};
	enum status status = channel_write_all(&link->writer, &message, sizeof(message));

	if (status == OK)
		*request = ++link->last_request;
	return status;
}

enum status manager_link_receive(struct manager_link *link, struct manager_message *message)
{
	struct console_message header;
	size_t used;
	size_t copied;
	enum status status = channel_peek(&link->reader, &header, sizeof(header));

	if (status != OK)
		return status;
	if (header.len_bytes > sizeof(message->payload))
		return ERR_BAD_FORMAT;
	status = channel_used_bytes(&link->reader, &used);
	if (status != OK)
		return status;
	if (used < sizeof(header) + header.len_bytes)
		return ERR_AGAIN;
	/* The shared header may have changed since: the copy in header is the one that counts. */
	status = channel_read(&link->reader, &message->header, sizeof(header), &copied);
	if (status != OK)
		return status;
	message->header = header;
	return channel_read(&link->reader, message->payload, header.len_bytes, &copied);
}
