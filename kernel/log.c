/* The log ring. Each line is formatted once and appended under a lock; overwritten text is simply gone. */
#include "kernel/log.h"

#include <stdarg.h>

#include "kernel/config.h"
#include "kernel/emergency_console.h"
#include "kernel/percpu.h"
#include "kernel/spinlock.h"
#include "lib/base/format.h"

static struct {
	struct spinlock lock;
	uint64_t written; /* bytes ever; the ring holds the last LOG_BYTES of them */
	uint64_t echoed;  /* bytes that serial port and screen have shown, or that they missed */
	bool echo, echo_waits;
	char text[LOG_BYTES];
} the_log = {.lock = {.rank = RANK_LOG}, .echo = true};

static void append(const char *text, size_t len_bytes)
{
	for (size_t i = 0; i < len_bytes; i++)
		the_log.text[the_log.written++ % LOG_BYTES] = text[i];
}

/* The next bytes to be shown, in one piece; NULL: none. Lock held. */
static const char *next_to_echo(size_t *len_bytes)
{
	uint64_t waiting = the_log.written - the_log.echoed, to_end;

	if (!the_log.echo || waiting == 0)
		return NULL;
	if (waiting > LOG_BYTES)
		the_log.echoed = the_log.written - LOG_BYTES;
	to_end = LOG_BYTES - the_log.echoed % LOG_BYTES;
	waiting = the_log.written - the_log.echoed;
	*len_bytes = waiting < to_end ? waiting : to_end;
	return the_log.text + the_log.echoed % LOG_BYTES;
}

/* At boot text is shown at once; later by whoever has the time, with log_echo_step(). Lock held. */
static void echo_at_once(void)
{
	const char *piece;
	size_t len_bytes;

	while (!the_log.echo_waits && (piece = next_to_echo(&len_bytes)) != NULL) {
		emergency_write(piece, len_bytes);
		the_log.echoed += len_bytes;
	}
}

void log_line(enum log_level level, const char *format, ...)
{
	static const char *const prefixes[] = {
		[LOG_ERROR] = "", [LOG_WARN] = "warning: ", [LOG_INFO] = "", [LOG_DEBUG] = ""};
	char line[256];
	size_t used = format_text(line, sizeof(line) - 1, "%s", prefixes[level]);
	bool all_shown;
	va_list args;

	va_start(args, format);
	used += format_args(line + used, sizeof(line) - 1 - used, format, args);
	va_end(args);
	line[used++] = '\n';
	spinlock_acquire(&the_log.lock);
	all_shown = the_log.echoed == the_log.written;
	append(line, used);
	if (level == LOG_DEBUG && all_shown)
		the_log.echoed = the_log.written;
	echo_at_once();
	spinlock_release(&the_log.lock);
}

void log_text(const char *text, size_t len_bytes)
{
	spinlock_acquire(&the_log.lock);
	append(text, len_bytes);
	echo_at_once();
	spinlock_release(&the_log.lock);
}

uint64_t log_echo_step(void)
{
	uint64_t shown = LOG_ALL_SHOWN;
	const char *piece;
	size_t len_bytes;

	spinlock_acquire(&the_log.lock);
	piece = next_to_echo(&len_bytes);
	if (piece != NULL) {
		the_log.echoed += emergency_write_some(piece, len_bytes);
		shown = the_log.echoed;
	}
	spinlock_release(&the_log.lock);
	return shown;
}

uint64_t log_end(void)
{
	uint64_t end;

	spinlock_acquire(&the_log.lock);
	end = the_log.written;
	spinlock_release(&the_log.lock);
	return end;
}

void log_echo_may_wait(void)
{
	the_log.echo_waits = true;
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

void log_echo(bool on)
{
	spinlock_acquire(&the_log.lock);
	the_log.echo = on;
	the_log.echoed = the_log.written;
	spinlock_release(&the_log.lock);
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
