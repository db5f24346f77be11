/* Inside manager/ only: puts together what a VM needs before its VMM runs. */
#pragma once
#include "manager/vm.h"

/* Makes pool, VM, memory and VMM of entry, and runs the VMM. Errors, with the reason as message ("E630 web: ..."): nothing is
 * left then but what stays over restarts. */
MUST_CHECK enum status vm_assemble(struct vm_entry *entry, const struct vm_surroundings *around, char *message,
				   size_t message_bytes);

/* Frees all that does not stay over restarts. Context: no thread of the VMM lives. */
void vm_dismantle(struct vm_entry *entry);

/* Maps a file, read-only, into the VMM at address, and describes it; path "": there is none. Errors: those of the calls. A file
 * that the manifest names was found when the manifest was checked. Context: the VMM has a space, and does not run yet. */
MUST_CHECK enum status vm_give_file(const struct vm_entry *entry, const struct host *host, const char *path, uint64_t address,
				    struct vmm_file *file);
