/* What each loader implements for boot/common/start.c: boot/efi/firmware.c and boot/multiboot2/firmware.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "boot/common/memory_map.h"

/* Sets raw to firmware's memory map of this moment, without kernel and heap. What must survive until the jump is not
 * usable in it. Errors: ERR_NO_SPACE, ERR_UNSUPPORTED (firmware refuses). */
MUST_CHECK enum status firmware_memory(struct memory_map *raw);

/* Takes this free memory, so that firmware does not use it until the jump. Errors: ERR_NO_MEMORY. */
MUST_CHECK enum status firmware_claim(uint64_t base_physical, uint64_t length_bytes);

/* Physical memory from here on cannot be reached by the loader: its page tables end here. */
uint64_t firmware_reach(void);

/* Whether the loader may read these bytes: its page tables map them. length_bytes > 0. */
bool firmware_can_read(uint64_t physical, uint64_t length_bytes);

/* Ends the firmware's services and sets raw to its last map. After ERR_UNSUPPORTED the firmware may be in any state. */
MUST_CHECK enum status firmware_leave(struct memory_map *raw);
