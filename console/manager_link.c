/* Messages between console and manager. */
#include "console/manager_link.h"

#include "lib/base/string.h"

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

/* A message is in the channel whole or not at all: header and payload go in one piece. */
enum status manager_link_request(struct manager_link *link, enum console_message_kind kind, uint32_t argument,
				 const char *name, uint32_t *request)
{
	struct {
		struct console_message header;
		struct console_name name;
	} message = {.header = {.kind = kind, .request = link->last_request + 1, .argument = argument}};
	size_t len = name != NULL ? strlen(name) : 0;
	enum status status;

	if (len >= sizeof(message.name.text))
		return ERR_OUT_OF_RANGE;
	if (name != NULL)
		memcpy(message.name.text, name, len);
	message.header.len_bytes = name != NULL ? sizeof(message.name) : 0;
	status = channel_write_all(&link->writer, &message, sizeof(message.header) + message.header.len_bytes);
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
