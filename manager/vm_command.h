/* The commands "start" and "stop" of the prompt. */
#pragma once
#include "manager/vm.h"

/* Starts a VM that does not run. answer: a line of what is to say, or ""; the log says what else happens. */
void vm_command_start(struct vm_entry *vm, const struct vm_surroundings *around, char *answer, size_t size_bytes);

/* Ends a VM at once, as if its plug were pulled, and its restarts; given twice, its VMM with it. answer: as above. */
void vm_command_stop(struct vm_entry *vm, const struct vm_surroundings *around, char *answer, size_t size_bytes);

/* "balloon": the guest shall keep so many MiB of its memory. */
void vm_command_balloon(struct vm_entry *vm, uint32_t megabytes, char *answer, size_t size_bytes);
