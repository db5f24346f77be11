/* How much of memory boot files may fill: three quarters. bulkhead/system/, Bulkhead itself, does not count. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "boot/common/files.h"
#include "boot/common/start.h"

/* Three quarters of the memory that is free now; 0 if the firmware gives no usable map. Context: loader. */
uint64_t budget_bytes(struct start_memory *memory);

/* Whether the file of this path (as boot_files_add() made it) is outside the budget. Context: any; pure. */
bool budget_ignores(const char *path);

/* For files that somebody else has loaded: those that exceed the budget, in the list's order, become
 * BOOT_FILE_SKIPPED_NO_MEMORY and lose their memory. Context: any. */
void budget_apply(struct boot_files *files, uint64_t budget_bytes);
