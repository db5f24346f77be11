/* The boot files' share of memory. Owns the rule; what was skipped is named by boot/common/launch.c. */
#include "boot/common/budget.h"

#include "boot/common/firmware.h"
#include "lib/base/path.h"
#include "lib/base/string.h"

#define SYSTEM_FOLDER "system/"

uint64_t budget_bytes(struct start_memory *memory)
{
	if (firmware_memory(&memory->raw) != OK || memory_map_normalize(&memory->raw, false, &memory->normal) != OK)
		return 0;
	return memory_map_total(&memory->normal, BOOT_MEMORY_USABLE) / 4 * 3;
}

bool budget_ignores(const char *path)
{
	return path_same(path, SYSTEM_FOLDER, strlen(SYSTEM_FOLDER));
}

void budget_apply(struct boot_files *files, uint64_t budget_bytes)
{
	for (uint32_t i = 0; i < files->count; i++) {
		struct boot_file *file = &files->files[i];

		if (file->state != BOOT_FILE_LOADED || budget_ignores(file->path))
			continue;
		if (file->size_bytes > budget_bytes) {
			file->state = BOOT_FILE_SKIPPED_NO_MEMORY;
			file->base_physical = 0;
			continue;
		}
		budget_bytes -= file->size_bytes;
	}
}
