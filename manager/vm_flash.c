/* Looks at the first bytes of the firmware's file; nothing here comes from a guest. */
#include "manager/vm_flash.h"

#include "lib/firmware/volume.h"
#include "manager/layout.h"
#include "user/calls.h"

enum status vm_flash_make(struct vm_entry *entry, const struct host *host)
{
	const uint8_t *bytes;
	size_t size_bytes;
	uint32_t index;
	enum status status;

	if (entry->wanted->firmware[0] == '\0' || host_find_file(host, entry->wanted->firmware, &index) != OK ||
	    host->files[index].size_bytes == 0)
		return OK;
	status = host_show_file(host, index, &bytes, &size_bytes);
	if (status != OK)
		return status;
	if (firmware_volume_keeps_variables(bytes, size_bytes)) {
		entry->flash_bytes = host_file_span_bytes(host, index);
		status = memory_create_filled(MANAGER_HANDLE_POOL, entry->flash_bytes, &entry->flash);
	}
	host_close_file();
	return status;
}

enum status vm_flash_give(const struct vm_entry *entry, struct vmm_spec *spec)
{
	enum status status;

	if (entry->flash == HANDLE_NONE)
		return OK;
	status = space_map_all(entry->space, entry->flash, VMM_WINDOW_FLASH, 0, entry->flash_bytes, RIGHT_READ | RIGHT_WRITE);
	if (status == OK)
		status = sys_handle_grant(entry->space, entry->flash, RIGHT_READ | RIGHT_EXECUTE, UINT64_MAX, &spec->flash.memory);
	spec->flash.address = VMM_WINDOW_FLASH;
	spec->flash.size_bytes = entry->flash_bytes;
	return status;
}
