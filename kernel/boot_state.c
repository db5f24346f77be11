/* Questions about the boot memory map and the command line. */
#include "kernel/boot_state.h"

#include <stddef.h>

#include "abi/boot_info.h"
#include "kernel/cpu.h"
#include "lib/base/string.h"

const struct boot_info *boot_info;

static bool may_hold_data(uint32_t type)
{
	return type == BOOT_MEMORY_USABLE || type == BOOT_MEMORY_KERNEL || type == BOOT_MEMORY_HEAP || type == BOOT_MEMORY_FILES ||
	       type == BOOT_MEMORY_UEFI_RUNTIME;
}

bool boot_state_is_device(uint64_t physical, uint64_t len_bytes)
{
	const struct boot_memory *map = (const struct boot_memory *)(uintptr_t)boot_info->memory_virtual;
	uint64_t end = physical + len_bytes;

	if (len_bytes == 0 || end < physical || end > 1ULL << cpu_features.physical_address_bits)
		return false;
	for (uint32_t i = 0; i < boot_info->memory_count; i++) {
		if (may_hold_data(map[i].type) && physical < map[i].base_physical + map[i].length_bytes &&
		    end > map[i].base_physical)
			return false;
	}
	return true;
}

bool boot_option(const char *name, char *out, uint64_t size_bytes)
{
	const char *at = (const char *)(uintptr_t)boot_info->command_line_virtual;
	size_t name_len = strlen(name);

	while (*at != '\0') {
		size_t word = 0;

		while (*at == ' ')
			at++;
		while (at[word] != '\0' && at[word] != ' ')
			word++;
		if (word > name_len && at[name_len] == '=' && memcmp(at, name, name_len) == 0) {
			size_t value = word - name_len - 1;

			value = value < size_bytes - 1 ? value : size_bytes - 1;
			memcpy(out, at + name_len + 1, value);
			out[value] = '\0';
			return true;
		}
		at += word;
	}
	return false;
}
