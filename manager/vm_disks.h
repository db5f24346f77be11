/* The disks of a VM: files of the boot volume, and for each that the guest may change memory that stays over its restarts. */
#pragma once
#include "manager/vm.h"

/* Makes that memory, whole; paid by the manager. Errors: those of the calls. Context: before the VM's first start. */
MUST_CHECK enum status vm_disks_make(struct vm_entry *entry);

/* Maps files and memory into the VMM and says in the spec which there are. Errors: those of the calls. */
MUST_CHECK enum status vm_disks_give(const struct vm_entry *entry, const struct host *host, struct vmm_spec *spec);

/* Says how many disks the VM has and that changes are lost: "1 disk, whose changes ..."; returns the length, 0 and an empty
 * text: it has none. VM_DISKS_WORDS_BYTES suffice. */
#define VM_DISKS_WORDS_BYTES 80U
size_t vm_disks_words(const struct manifest_vm *wanted, char *out, size_t size_bytes);

/* The same as a line of the command "list". */
size_t vm_list_disks(const struct manifest_vm *wanted, char *out, size_t size_bytes);
