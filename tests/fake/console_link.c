/* The fake of console_send(): what the manager tells the console, as text. */
#include "tests/fake/console_link.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "manager/console_link.h"

char fake_console_answers[256];

void console_send(struct console_link *link, enum console_message_kind kind, uint32_t request, const void *payload,
		  size_t len_bytes)
{
	size_t used = strlen(fake_console_answers);

	(void)link;
	format_text(fake_console_answers + used, sizeof(fake_console_answers) - used, "%u %u %.*s|", kind, request, (int)len_bytes,
		    (const char *)payload);
}
