/* Questions about the boot memory map. */
#include "kernel/boot_state.h"

#include <stddef.h>

#include "abi/boot_info.h"
#include "kernel/cpu.h"

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
