/* The log ring. Each line is formatted once and appended under a lock; overwritten text is simply gone. */
#include "kernel/log.h"

#include <stdarg.h>
#include <stdbool.h>

#include "kernel/config.h"
#include "kernel/emergency_console.h"
#include "kernel/percpu.h"
#include "kernel/spinlock.h"
#include "lib/base/format.h"

static struct {
	struct spinlock lock;
	uint64_t written; /* bytes ever; the ring holds the last LOG_BYTES of them */
	bool echo;
	char text[LOG_BYTES];
} the_log = {.lock = {.rank = RANK_LOG}, .echo = true};

static void append(const char *text, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		the_log.text[the_log.written++ % LOG_BYTES] = text[i];
}

void log_line(enum log_level level, const char *format, ...)
{
	static const char *const prefixes[] = {
		[LOG_ERROR] = "", [LOG_WARN] = "warning: ", [LOG_INFO] = "", [LOG_DEBUG] = ""};
	char line[256];
	size_t used = format_text(line, sizeof(line) - 1, "%s", prefixes[level]);
	va_list args;

	va_start(args, format);
	used += format_args(line + used, sizeof(line) - 1 - used, format, args);
	va_end(args);
	line[used++] = '\n';
	spinlock_acquire(&the_log.lock);
	append(line, used);
	if (the_log.echo && level != LOG_DEBUG)
		emergency_write(line, used);
	spinlock_release(&the_log.lock);
}

void log_text(const char *text, size_t len_bytes)
{
	spinlock_acquire(&the_log.lock);
	append(text, len_bytes);
	if (the_log.echo)
		emergency_write(text, len_bytes);
	spinlock_release(&the_log.lock);
}

size_t log_read(uint64_t *position, char *out, size_t size_bytes)
{
	uint64_t oldest;
	size_t count = 0;

	spinlock_acquire(&the_log.lock);
	oldest = the_log.written > LOG_BYTES ? the_log.written - LOG_BYTES : 0;
	if (*position < oldest)
		*position = oldest;
	while (count < size_bytes && *position + count < the_log.written) {
		out[count] = the_log.text[(*position + count) % LOG_BYTES];
		count++;
	}
	*position += count;
	spinlock_release(&the_log.lock);
	return count;
}

static void set_echo(bool echo)
{
	spinlock_acquire(&the_log.lock);
	the_log.echo = echo;
	spinlock_release(&the_log.lock);
}

void log_echo_stop(void)
{
	set_echo(false);
}

void log_echo_resume(void)
{
	set_echo(true);
}

size_t log_tail(char *out, size_t size_bytes)
{
	uint64_t written = the_log.written;
	uint64_t start = written > size_bytes ? written - size_bytes : 0;
	size_t count = 0;

	for (; start + count < written; count++)
		out[count] = the_log.text[(start + count) % LOG_BYTES];
	return count;
}
