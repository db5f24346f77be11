/* From what a loader found to the kernel's first instruction. */
#pragma once
#include "boot/common/handover.h"

/* The two arrays this works with; entries and capacity are the loader's. */
struct start_memory {
	struct memory_map raw;
	struct memory_map normal;
};

/* Loads the kernel and jumps to it. Returns only if that cannot be done; it was reported then. Firmware's services
 * may have ended by then (firmware_leave() was the last step that can fail but for a full memory map).
 * Context: loader, long mode, identity-mapped. */
void start_kernel(const struct handover *found, struct start_memory *memory);
