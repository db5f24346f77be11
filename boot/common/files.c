/* The list of boot files. Owns the form of their paths; contents and memory are the loaders'. */
#include "boot/common/files.h"

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/path.h"
#include "lib/base/string.h"

static bool is_separator(char c)
{
	return c == '/' || c == '\\';
}

static size_t part_length(const char *part)
{
	size_t length = 0;

	while (part[length] != '\0' && !is_separator(part[length]))
		length++;
	return length;
}

/* Copies path in its normal form. */
static enum status normal_path(const char *path, char out[BOOT_FILE_PATH_BYTES])
{
	size_t used = 0;

	memset(out, 0, BOOT_FILE_PATH_BYTES);
	while (*path != '\0') {
		size_t length = part_length(path);

		if (length == 2 && path[0] == '.' && path[1] == '.')
			return ERR_INVALID;
		if (length > 0 && !(length == 1 && path[0] == '.')) {
			size_t separator = used > 0 ? 1 : 0;
			size_t room = BOOT_FILE_PATH_BYTES - 1 - used;

			if (separator > room || length > room - separator)
				return ERR_OVERFLOW;
			if (separator > 0)
				out[used++] = '/';
			memcpy(out + used, path, length);
			used += length;
		}
		path += length;
		while (is_separator(*path))
			path++;
	}
	return used > 0 ? OK : ERR_INVALID;
}

static const struct boot_file *find_entry(const struct boot_files *list, const char path[BOOT_FILE_PATH_BYTES])
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (path_same(list->files[i].path, path, BOOT_FILE_PATH_BYTES))
			return &list->files[i];
	}
	return NULL;
}

void boot_files_leave_out(struct boot_files *list, const char *path)
{
	if (list->left_out_count++ == 0)
		memcpy(list->first_left_out, path, strnlen(path, BOOT_FILE_PATH_BYTES - 1));
}

enum status boot_files_add(struct boot_files *list, const char *path, struct boot_file **added)
{
	char normal[BOOT_FILE_PATH_BYTES];
	enum status status = normal_path(path, normal);

	if (status == OK && find_entry(list, normal) != NULL)
		return ERR_EXISTS;
	if (status == OK && list->count == list->capacity)
		status = ERR_NO_SPACE;
	if (status == ERR_NO_SPACE || status == ERR_OVERFLOW)
		boot_files_leave_out(list, path);
	if (status != OK)
		return status;
	*added = &list->files[list->count++];
	**added = (struct boot_file){.state = BOOT_FILE_SKIPPED_UNREADABLE};
	memcpy((*added)->path, normal, sizeof(normal));
	return OK;
}

const struct boot_file *boot_files_find(const struct boot_files *list, const char *path)
{
	char normal[BOOT_FILE_PATH_BYTES];
	const struct boot_file *file;

	if (normal_path(path, normal) != OK)
		return NULL;
	file = find_entry(list, normal);
	return file != NULL && file->state == BOOT_FILE_LOADED ? file : NULL;
}
