/* UEFI's memory map in our types. Used by the UEFI loader and by the Multiboot2 loader on UEFI (GRUB hands the map on).
 * Source: UEFI Specification, "EFI_BOOT_SERVICES.GetMemoryMap()". */
#pragma once
#include <stddef.h>

#include "abi/status.h"
#include "boot/common/memory_map.h"

/* Appends all descriptors of a map of map_bytes whose descriptors are descriptor_bytes apart.
 * Memory of boot services becomes usable (they have ended by the time the map is used).
 * own_type: what EfiLoaderCode and EfiLoaderData are: MEMORY_LOADER, or BOOT_MEMORY_USABLE.
 * Errors: ERR_BAD_FORMAT (descriptors too small), ERR_NO_SPACE. Context: any. */
MUST_CHECK enum status uefi_memory_add(struct memory_map *map, const void *descriptors, size_t map_bytes,
				       size_t descriptor_bytes, uint32_t own_type);
