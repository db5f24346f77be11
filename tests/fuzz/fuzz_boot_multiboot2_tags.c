/* The Multiboot2 information structure from arbitrary bytes: everything that the loader asks of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/common/memory_map.h"
#include "boot/multiboot2/tags.h"

#define PIECES 512U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_modules(const struct multiboot2_info *info)
{
	for (uint32_t i = 0; i < info->module_count && i < 16; i++) {
		struct multiboot2_module module;
		char path[BOOT_FILE_PATH_BYTES];

		if (multiboot2_module(info, i, &module) == OK && multiboot2_module_path(&module, path) == OK &&
		    strlen(path) >= sizeof(path))
			abort();
	}
}

/* The promises of boot_info hold whatever the map says. */
static void read_memory(const struct multiboot2_info *info)
{
	static struct boot_memory raw_entries[PIECES], normal_entries[2 * PIECES];
	struct memory_map raw = {.entries = raw_entries, .capacity = PIECES};
	struct memory_map normal = {.entries = normal_entries, .capacity = 2 * PIECES};
	uint64_t end = 0;

	if (multiboot2_memory(info, &raw) != OK)
		return;
	if (memory_map_normalize(&raw, true, &normal) != OK)
		abort();
	for (uint32_t i = 0; i < normal.count; i++) {
		const struct boot_memory *piece = &normal.entries[i];

		if (piece->base_physical < end || piece->length_bytes == 0 ||
		    (piece->base_physical | piece->length_bytes) % 4096 != 0)
			abort();
		end = piece->base_physical + piece->length_bytes;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct multiboot2_info info;

	if (multiboot2_parse(data, size, &info) != OK)
		return 0;
	read_modules(&info);
	read_memory(&info);
	(void)multiboot2_framebuffer(&info);
	return 0;
}
