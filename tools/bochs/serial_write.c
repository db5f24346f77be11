/* Bochs writes to the terminal that is its serial port without waiting: a byte for which the terminal has no room is lost. On a
 * busy PC the reader comes late, and a guest's output has a hole. Here write() to a terminal waits for room, but not for ever:
 * where nobody reads, bytes are lost as before, so that the emulator goes on.
 *
 * Only with BULKHEAD_CLOCK in the environment, as in cure.c. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 3000

typedef ssize_t write_function(int file, const void *bytes, size_t count);

static write_function *next_write(void)
{
	static write_function *found;

	if (found == NULL) {
		void *symbol = dlsym(RTLD_NEXT, "write");

		memcpy(&found, &symbol, sizeof(found));
	}
	return found;
}

/* Waits for room. After a wait in vain there is no other before a write succeeded. */
static bool has_room(int file, bool *gave_up)
{
	struct pollfd wanted = {.fd = file, .events = POLLOUT};

	if (*gave_up || getenv("BULKHEAD_CLOCK") == NULL || !isatty(file))
		return false;
	*gave_up = poll(&wanted, 1, PATIENCE_MS) != 1;
	return !*gave_up;
}

ssize_t write(int file, const void *bytes, size_t count)
{
	static _Thread_local bool gave_up;
	ssize_t written = next_write()(file, bytes, count);

	if (written < 0 && errno == EAGAIN) {
		if (!has_room(file, &gave_up)) {
			errno = EAGAIN;
			return written;
		}
		written = next_write()(file, bytes, count);
	}
	gave_up = gave_up && written < 0;
	return written;
}
