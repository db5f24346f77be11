/* The list of boot files while a loader fills it. */
#pragma once
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"

/* files belongs to the loader. left_out_count: files and folders that could not even be listed (too many, path too long, too
 * deep); first_left_out: one of them, perhaps cut. */
struct boot_files {
	struct boot_file *files;
	uint32_t count;
	uint32_t capacity;
	uint32_t left_out_count;
	char first_left_out[BOOT_FILE_PATH_BYTES];
};

/* Appends an entry with this path ('\\' becomes '/', leading and doubled '/' and leading "./" go), state
 * BOOT_FILE_SKIPPED_UNREADABLE and no content; the caller fills in the rest. A path that is there already is not added again.
 * Errors: ERR_OVERFLOW (path longer than BOOT_FILE_PATH_BYTES - 1), ERR_NO_SPACE (list full), ERR_INVALID (empty path or a
 * part ".."), ERR_EXISTS; the first two also count as left out. Context: any. */
MUST_CHECK enum status boot_files_add(struct boot_files *list, const char *path, struct boot_file **added);

/* Counts what is at path as left out. Context: any. */
void boot_files_leave_out(struct boot_files *list, const char *path);

/* The loaded file of this path (letters' case does not matter: FAT does not keep it apart), or NULL. Context: any; pure. */
const struct boot_file *boot_files_find(const struct boot_files *list, const char *path);
