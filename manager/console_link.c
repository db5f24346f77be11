/* The manager's end of the console program: messages. Starting it is console_start.c. */
#include "manager/console_link.h"

#include "lib/base/string.h"
#include "user/calls.h"

void console_send(struct console_link *link, enum console_message_kind kind, uint32_t request, const void *payload,
		  size_t len_bytes)
{
	uint8_t message[sizeof(struct console_message) + CONSOLE_MAX_PAYLOAD_BYTES];
	struct console_message header = {.kind = kind, .request = request};

	if (!link->running)
		return;
	header.len_bytes = (uint32_t)(len_bytes < CONSOLE_MAX_PAYLOAD_BYTES ? len_bytes : CONSOLE_MAX_PAYLOAD_BYTES);
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), payload, header.len_bytes);
	/* Full or damaged: a console that does not read gets nothing. */
	if (channel_write_all(&link->writer, message, sizeof(header) + header.len_bytes) == OK)
		console_wake(link);
}

static bool take(struct console_link *link, void *out, size_t size_bytes)
{
	size_t read_bytes;

	return channel_read(&link->reader, out, size_bytes, &read_bytes) == OK && read_bytes == size_bytes;
}

bool console_next_request(struct console_link *link, struct console_request *request)
{
	struct console_message *header = &request->header;

	*request = (struct console_request){.header = {.kind = 0}};
	if (!link->running || channel_peek(&link->reader, header, sizeof(*header)) != OK || !take(link, header, sizeof(*header)))
		return false;
	if (header->len_bytes == 0)
		return true;
	if (header->len_bytes != sizeof(request->name) || !take(link, &request->name, sizeof(request->name)))
		return false;
	request->name.text[sizeof(request->name.text) - 1] = '\0';
	return true;
}

bool console_has_read_all(const struct console_link *link)
{
	size_t free_bytes;

	return !link->running || channel_free_bytes(&link->writer, &free_bytes) != OK ||
	       free_bytes == link->writer.end.capacity_bytes;
}

void console_close_terminal(struct console_link *link, const char *name)
{
	console_send(link, CONSOLE_TERMINAL_CLOSE, 0, name, strlen(name));
}

void console_show(struct console_link *link, const char *name)
{
	console_send(link, CONSOLE_SHOW, 0, name, strlen(name));
}

void console_wake(const struct console_link *link)
{
	if (link->running)
		sys_event_signal(link->event, CONSOLE_EVENT_MANAGER);
}
