/* The PC as the kernel describes it to the manager: the boot files and how to see into them. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/syscall.h"

struct host {
	const struct host_info *info;
	const struct boot_file *files; /* info->file_count of them */
	const struct boot_framebuffer *framebuffer;
	const char *command_line;
};

/* Errors: ERR_BAD_FORMAT: kernel and manager are of different releases. */
MUST_CHECK enum status host_open(struct host *host);

/* OK; ERR_NOT_FOUND; ERR_NO_MEMORY: on the volume, but did not fit; ERR_FAULT: could not be read. path: relative to the
 * folder bulkhead. index may be NULL. */
MUST_CHECK enum status host_find_file(const struct host *host, const char *path, uint32_t *index);

/* Bytes of memory that the file takes: whole pages. */
uint64_t host_file_span_bytes(const struct host *host, uint32_t index);

/* Maps a loaded file, read-only, into any space that the manager may manage. An empty file: ERR_TRUNCATED. */
MUST_CHECK enum status host_map_file(const struct host *host, uint32_t index, handle_t space, uint64_t address);

/* The same at MANAGER_WINDOW_FILE of the manager's own space, until host_close_file(). */
MUST_CHECK enum status host_show_file(const struct host *host, uint32_t index, const uint8_t **bytes, size_t *size_bytes);
void host_close_file(void);
