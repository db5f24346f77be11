/* bare=FILE: a Linux kernel in the place of ours, entered as the VMM enters a guest's: by the 64-bit boot protocol.
 * It is the benchmark's reference, so nothing is printed and nothing else is set up. */
#pragma once
#include "boot/common/handover.h"
#include "boot/common/start.h"

/* Boots the bzImage path (relative to bulkhead/) with the file of initrd=, if there is that word, and what follows "--"
 * on the command line as its own. With the word baretsc the TSC of the jump goes to COM1: "bare-entry-tsc: N".
 * Returns only if that cannot be done; it was reported then. Context: as start_kernel(). */
void start_bare(const struct handover *found, const char *path, struct start_memory *memory);
