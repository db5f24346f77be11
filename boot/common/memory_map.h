/* Assembly of the boot memory map: what firmware says and what the loader put there, in any order and overlapping, becomes
 * the map that abi/boot_info.h promises: sorted, disjoint, page-aligned, neighbours of one type joined. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/status.h"

/* The loader's own code, data and stack: not to be overwritten before the jump, free afterwards. Never leaves the loader. */
#define MEMORY_LOADER 0x100U

/* entries belong to the caller. */
struct memory_map {
	struct boot_memory *entries;
	uint32_t count;
	uint32_t capacity;
};

/* Appends a piece as it is; length 0 is ignored, what lies beyond 2^52 (no CPU has such addresses) is cut off.
 * type: enum boot_memory_type or MEMORY_LOADER; anything else counts as reserved.
 * Errors: ERR_NO_SPACE. Context: any. */
MUST_CHECK enum status memory_map_add(struct memory_map *map, uint64_t base_physical, uint64_t length_bytes, uint32_t type);

/* Writes the promised map made of raw to *out (whose entries and capacity the caller gives; count is set).
 * Usable pieces are rounded inward to pages, all others outward; where pieces overlap the most restrictive type wins:
 * bad, reserved, UEFI runtime, ACPI NVS, ACPI tables, boot files, heap, kernel, loader, usable.
 * The first page is never usable: the BIOS data area is there, and physical address 0 stays "none".
 * for_kernel: MEMORY_LOADER becomes usable (after the jump nobody needs it); otherwise it is kept.
 * Errors: ERR_NO_SPACE. Context: any; pure. */
MUST_CHECK enum status memory_map_normalize(const struct memory_map *raw, bool for_kernel, struct memory_map *out);

/* Bytes of this type in a normalized map. Context: any; pure. */
uint64_t memory_map_total(const struct memory_map *map, uint32_t type);
