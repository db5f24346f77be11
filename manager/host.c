/* The PC as loader and kernel describe it. struct host_info is their own work and is believed. */
#include "manager/host.h"

#include "abi/layout.h"
#include "lib/base/path.h"
#include "lib/base/string.h"
#include "manager/layout.h"
#include "user/calls.h"

enum status host_open(struct host *host)
{
	const uint8_t *base = (const uint8_t *)HOST_INFO_FIXED;
	const struct host_info *info = (const struct host_info *)HOST_INFO_FIXED;

	if (info->magic != HOST_INFO_MAGIC || info->version != HOST_INFO_VERSION)
		return ERR_BAD_FORMAT;
	*host = (struct host){
		.info = info,
		.files = (const struct boot_file *)(base + info->files_offset),
		.framebuffer = (const struct boot_framebuffer *)(base + info->framebuffer_offset),
		.command_line = (const char *)(base + info->command_line_offset),
	};
	return OK;
}

static enum status file_status(const struct boot_file *file)
{
	if (file->state == BOOT_FILE_LOADED)
		return OK;
	return file->state == BOOT_FILE_SKIPPED_NO_MEMORY ? ERR_NO_MEMORY : ERR_FAULT;
}

enum status host_find_file(const struct host *host, const char *path, uint32_t *index)
{
	for (uint32_t i = 0; i < host->info->file_count; i++) {
		if (!path_same(host->files[i].path, path, BOOT_FILE_PATH_BYTES))
			continue;
		if (index != NULL)
			*index = i;
		return file_status(&host->files[i]);
	}
	return ERR_NOT_FOUND;
}

uint64_t host_file_span_bytes(const struct host *host, uint32_t index)
{
	return (host->files[index].size_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
}

enum status host_map_file(const struct host *host, uint32_t index, handle_t space, uint64_t address)
{
	if (host->files[index].size_bytes == 0)
		return ERR_TRUNCATED;
	return space_map_all(space, MANAGER_HANDLE_FIRST_FILE + index, address, 0, host_file_span_bytes(host, index),
			     RIGHT_READ);
}

enum status host_show_file(const struct host *host, uint32_t index, const uint8_t **bytes, size_t *size_bytes)
{
	enum status status = host_map_file(host, index, MANAGER_HANDLE_SPACE, MANAGER_WINDOW_FILE);

	if (status != OK) {
		host_close_file();
		return status;
	}
	*bytes = (const uint8_t *)MANAGER_WINDOW_FILE;
	*size_bytes = host->files[index].size_bytes;
	return OK;
}

void host_close_file(void)
{
	/* Fails only where nothing is mapped: then that is as it shall be. */
	enum status status = space_unmap_all(MANAGER_HANDLE_SPACE, MANAGER_WINDOW_FILE);

	(void)status;
}
